import Base
import TestSupport
import Testing

@testable import MCU

/// Pictures as lines bring them, and what a beat of 40 ms shows of them.
struct PicturePlayoutTests {
    /// How late each picture of 25 a second is whole, in ms; in order.
    private struct Sender {
        var playout = PicturePlayout()
        var random: SeededGenerator
        /// Of the sender's clock against ours.
        var partsPerMillion = 0
        var phase: Int
        private var lastArrival = Instant.start
        private var waiting: [(arrival: Instant, due: Instant)] = []
        private(set) var number = 0
        private(set) var worstWait = Duration.zero

        init(seed: UInt64, partsPerMillion: Int = 0) {
            random = SeededGenerator(seed: seed)
            self.partsPerMillion = partsPerMillion
            phase = Int.random(in: 0..<40, using: &random)
        }

        /// - Returns: pictures shown at each of the beats of so many seconds.
        mutating func run(seconds: Int, late: (inout SeededGenerator) -> Int) -> [Int] {
            (0..<seconds * 25).map { _ in
                let taken = Double(number) * 40 * (1 + Double(partsPerMillion) / 1e6) + Double(phase)
                let sent = Instant(sinceStart: .seconds(100)) + .nanoseconds(Int64(taken * 1e6))
                lastArrival = max(lastArrival, sent + .milliseconds(late(&random)))
                let due = playout.due(timestamp: UInt32(truncatingIfNeeded: number * 3_600 + 4_294_000_000), arrival: lastArrival)
                waiting.append((lastArrival, due))
                worstWait = max(worstWait, due - lastArrival)
                number += 1
                let beat = Instant(sinceStart: .seconds(100)) + .milliseconds(40 * number)
                // As `VideoSource` takes them.
                var shown = 0
                while let first = waiting.first, first.arrival <= beat,
                    first.due <= (shown == 0 ? beat + .milliseconds(8) : beat - .milliseconds(8))
                {
                    waiting.removeFirst()
                    shown += 1
                }
                return shown
            }
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `on a clean line each beat shows one picture, whatever the phase and the clocks`(seed: UInt64) {
        for drift in [-100, 0, 100] {
            var sender = Sender(seed: seed, partsPerMillion: drift)
            _ = sender.run(seconds: 5) { Int.random(in: 20...32, using: &$0) }
            let shown = sender.run(seconds: 60) { Int.random(in: 20...32, using: &$0) }
            let whole = shown.filter { $0 == 1 }.count
            #expect(whole >= shown.count - 8, "\(drift): \(shown.count - whole) of \(shown.count)")
            #expect(sender.playout.delay <= .milliseconds(30))
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `what comes in bursts behind repairs is shown one by one`(seed: UInt64) {
        var sender = Sender(seed: seed)
        // A third of the pictures are mended after a round trip or two, and hold up those behind them.
        func late(_ random: inout SeededGenerator) -> Int {
            let tries = Int.random(in: 0..<100, using: &random)
            return 75 + (tries < 65 ? 0 : tries < 94 ? 160 : 330) + Int.random(in: 0...20, using: &random)
        }
        _ = sender.run(seconds: 8, late: late)
        let shown = sender.run(seconds: 60, late: late)
        #expect(shown.filter { $0 > 0 }.count > shown.count * 85 / 100, "\(shown.filter { $0 > 0 }.count) of \(shown.count)")
        #expect(sender.worstWait <= PicturePlayout.longest)
    }

    @Test func `the delay is gone ten seconds after the last late picture`() {
        var sender = Sender(seed: 1)
        _ = sender.run(seconds: 20) { Int.random(in: 20...220, using: &$0) }
        #expect(sender.playout.delay > .milliseconds(100))
        _ = sender.run(seconds: 10) { _ in 25 }
        #expect(sender.playout.delay <= .milliseconds(20), "\(sender.playout.delay)")
    }

    @Test func `another clock, a jump and times that go back are shown as they come`() {
        var playout = PicturePlayout()
        var random = SeededGenerator(seed: 3)
        var now = Instant(sinceStart: .seconds(50))
        for _ in 0..<5_000 {
            now += .milliseconds(Int.random(in: 0...200, using: &random))
            let due = playout.due(timestamp: .random(in: 0 ... .max, using: &random), arrival: now)
            #expect(due >= now && due - now <= PicturePlayout.longest)
        }
    }
}
