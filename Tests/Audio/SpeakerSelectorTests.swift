import Base
import RTP
import TestSupport
import Testing

@testable import Audio

struct SpeakerSelectorTests {
    var selector = SpeakerSelector()
    var heard: [UInt] = []
    var tick = 0
    var now: Instant { Instant(sinceStart: .milliseconds(20 * tick)) }

    /// Ticks in which everybody reports a level.
    mutating func run(_ ticks: Int, _ levels: [UInt: Int], floor: UInt? = nil, each: (SpeakerSelectorTests) -> Void = { _ in }) {
        for _ in 0..<ticks {
            tick += 1
            for (id, level) in levels { selector.report(id, level: level, now: now) }
            selector.select(now: now, floor: floor, into: &heard)
            each(self)
        }
    }

    @Test mutating func `the loudest five are heard, the silent are not`() {
        run(50, [1: -20, 2: -22, 3: -24, 4: -26, 5: -28, 6: -40, 7: -127])
        #expect(heard == [1, 2, 3, 4, 5])
        run(100, [1: -20, 2: -127, 3: -127, 4: -127, 5: -127, 6: -127, 7: -127])
        #expect(heard == [1])
    }

    @Test mutating func `one who is a little louder does not push out one who is heard, one much louder does`() {
        run(50, [1: -20, 2: -20, 3: -20, 4: -20, 5: -30])
        run(100, [1: -20, 2: -20, 3: -20, 4: -20, 5: -30, 6: -26])
        #expect(heard.contains(5) && !heard.contains(6))
        run(100, [1: -20, 2: -20, 3: -20, 4: -20, 5: -30, 6: -21])
        #expect(!heard.contains(5) && heard.contains(6))
    }

    @Test mutating func `the floor holder is heard even while silent`() {
        run(50, [1: -20, 2: -20, 3: -20, 4: -20, 5: -20, 9: -127], floor: 9)
        #expect(heard.first == 9 && heard.count == 5)
    }

    @Test mutating func `a short noise does not become the active speaker, a speaker does`() {
        run(100, [1: -25, 2: -127])
        #expect(selector.active == 1)
        run(8, [1: -25, 2: -5])
        run(60, [1: -25, 2: -127])
        #expect(selector.active == 1)
        run(60, [1: -127, 2: -25])
        #expect(selector.active == 2)
        run(300, [1: -127, 2: -127])
        #expect(selector.active == nil)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    mutating func `whoever talks, at most five are heard, each once, and the active speaker stays its time`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var changes: [Instant] = []
        var last: UInt?
        for _ in 0..<100 {
            var levels: [UInt: Int] = [:]
            for id in UInt(0)..<20 where Bool.random(using: &random) { levels[id] = Int.random(in: -127 ... -5, using: &random) }
            if Int.random(in: 0..<4, using: &random) == 0 { selector.remove(UInt.random(in: 0..<20, using: &random)) }
            if selector.active == nil { last = nil }
            run(Int.random(in: 1...20, using: &random), levels) { test in
                #expect(test.heard.count <= 5 && Set(test.heard).count == test.heard.count)
                if let active = test.selector.active, active != last {
                    if last != nil { changes.append(test.now) } else { changes = [test.now] }
                    last = active
                }
            }
            #expect(zip(changes, changes.dropFirst()).allSatisfy { $0 + .milliseconds(1_200) <= $1 })
        }
    }

    @Test mutating func `one who left is not heard, and senders past the bound are refused`() {
        run(50, [1: -20, 2: -25])
        selector.remove(1)
        run(1, [2: -25])
        #expect(heard == [2] && selector.active == 2 && selector.level(of: 1) == nil)
        for id in UInt(0)..<3_000 { selector.report(id, level: -20, now: now) }
        #expect(selector.refused == 1_000)
    }
}
