import TestSupport
import Testing

@testable import Audio

struct LevelCheckTests {
    /// Ticks of which `said` and `measured` tell the levels.
    private func run(_ ticks: Int, _ check: inout LevelCheck, said: (Int) -> Int?, measured: (Int) -> Int) {
        for tick in 0..<ticks { check.note(said: said(tick), measured: measured(tick)) }
    }

    @Test func `silence that says it is loud counts for nothing after a third of a second, and is a lie soon after`() {
        var check = LevelCheck()
        run(17, &check, said: { _ in 0 }, measured: { _ in -127 })
        #expect(check.counted(0, isDecoded: true) == 0)
        run(1, &check, said: { _ in 0 }, measured: { _ in -127 })
        #expect(check.counted(0, isDecoded: true) <= -120)
        run(4, &check, said: { _ in 0 }, measured: { _ in -127 })
        #expect(check.isLying)
    }

    /// Packets of 20, 60 and 120 ms, speech with pauses, sound that comes as much later than its level as jitter buffers hold it, and a few dB between both.
    @Test(arguments: [(1, 2), (3, 5), (6, 12), (1, 13)], 0..<10 as Range<UInt64>)
    func `honest speech is believed`(of: (packet: Int, delay: Int), seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var check = LevelCheck()
        var levels: [Int] = []
        while levels.count < 600 {
            let speaks = Bool.random(using: &generator)
            for _ in 0..<Int.random(in: 15...60, using: &generator) {
                levels.append(speaks ? Int.random(in: -35 ... -15, using: &generator) : -127)
            }
        }
        run(
            600, &check, said: { $0 % of.packet == 0 ? levels[$0] : nil },
            measured: { tick in
                let played = tick - of.delay
                return played < 0 ? -127 : max(-127, levels[played - played % of.packet] - 5)
            })
        #expect(!check.isLying)
    }

    @Test(arguments: [10, 50, 400])
    func `who was believed before an outage is believed after it, and a liar is not`(pause: Int) {
        var (honest, liar) = (LevelCheck(), LevelCheck())
        run(100, &honest, said: { _ in -20 }, measured: { _ in -22 })
        run(19, &liar, said: { _ in -20 }, measured: { _ in -127 })
        for _ in 0..<4 {
            run(pause, &honest, said: { _ in nil }, measured: { $0 < 4 ? -30 - 10 * $0 : -127 })
            run(pause, &liar, said: { _ in nil }, measured: { _ in -127 })
            #expect(honest.counted(-20, isDecoded: true) == -20 && liar.counted(-20, isDecoded: true) <= -100)
            run(50, &honest, said: { _ in -20 }, measured: { $0 < 5 ? -127 : -22 })
            #expect(honest.counted(-20, isDecoded: true) == -20 && !honest.isLying)
        }
    }

    @Test func `one that says it is quiet and is loud is a liar too`() {
        var check = LevelCheck()
        run(80, &check, said: { _ in -54 }, measured: { _ in -10 })
        #expect(check.isLying && check.counted(-54, isDecoded: true) == -54)
    }

    @Test func `what was measured last says nothing of one who was let go and speaks again`() {
        var check = LevelCheck()
        run(80, &check, said: { _ in -20 }, measured: { _ in -22 })
        run(80, &check, said: { _ in -127 }, measured: { _ in -127 })
        #expect(check.counted(-20, isDecoded: false) == -20 && !check.isSuspect)
    }

    @Test func `lies are remembered over times in which nobody listened`() {
        var check = LevelCheck()
        for _ in 0..<12 {
            check.begin()
            run(20, &check, said: { _ in -5 }, measured: { _ in -90 })
        }
        #expect(check.isLying)
    }
}
