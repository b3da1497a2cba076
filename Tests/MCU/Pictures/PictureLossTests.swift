import Base
import TestSupport
import Testing

@testable import MCU

struct PictureLossTests {
    private let start = Instant(nanoseconds: 5_000_000_000)
    private var loss = PictureLoss()

    private mutating func look(_ milliseconds: Int, isCurrent: Bool = false, isStill: Bool = false, isExpected: Bool = true) -> Bool {
        loss.keeps(isCurrent: isCurrent, isStill: isCurrent || isStill, isExpected: isExpected, now: start + .milliseconds(milliseconds))
    }

    @Test mutating func `pictures that stop are lost, and the first new one is shown at once`() {
        #expect(look(0, isCurrent: true) && !loss.isLost)
        #expect(!look(40) && loss.isLost)
        #expect(!look(4_000) && loss.isLost)
        #expect(look(4_040, isCurrent: true) && !loss.isLost)
    }

    @Test mutating func `a picture that stands still is shown for as long as its line is whole`() {
        #expect(look(0, isCurrent: true))
        for step in 1..<500 { #expect(look(40 * step, isStill: true) && !loss.isLost) }
    }

    @Test mutating func `a card stays while a line is mended and broken in turns, and goes after two seconds of calm`() {
        #expect(!look(0))
        for step in 1..<100 { #expect(!look(40 * step, isStill: step % 10 != 0)) }
        // Broken last at 3.6 s.
        #expect(!look(4_000, isStill: true) && loss.isLost)
        #expect(!look(5_560, isStill: true))
        #expect(look(5_600, isStill: true) && !loss.isLost)
    }

    @Test mutating func `who was asked for nothing is not said to be lost`() {
        #expect(!look(0, isExpected: false) && !loss.isLost)
        #expect(!look(2_000) && loss.isLost)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    mutating func `whatever the line does, a card that came for a broken line stands for two seconds unless a picture comes`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var carded: Int?
        var (isStill, isCurrent) = (true, true)
        for step in 0..<2_000 {
            if Int.random(in: 0..<40, using: &random) == 0 { isStill.toggle() }
            if Int.random(in: 0..<60, using: &random) == 0 { isCurrent.toggle() }
            let isShown = look(40 * step, isCurrent: isCurrent, isStill: isStill)
            if isShown, !isCurrent, let carded { #expect(40 * (step - carded) >= 2_000, "\(seed)") }
            if isShown { carded = nil } else { carded = carded ?? step }
        }
    }
}
