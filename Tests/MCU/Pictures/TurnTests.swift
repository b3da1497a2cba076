import Base
import RTP
import Testing

@testable import MCU

struct TurnTests {
    @Test func `a worker with a crowd has three turns in each tick, the last just before the next mix`() {
        var now = Instant(sinceStart: .milliseconds(20 * 777))
        var turns: [(offset: Int64, index: Int)] = []
        for _ in 0..<9 {
            let (time, index) = WorkerLoop.turn(after: now)
            turns.append(((time - .start).nanoseconds % 20_000_000, index))
            now = time
        }
        #expect(turns.map(\.index) == [0, 1, 2, 0, 1, 2, 0, 1, 2])
        #expect(turns.prefix(3).map(\.offset) == [2_000_000, 10_000_000, 18_500_000])
        #expect(now - .start == .milliseconds(20 * 779) + .microseconds(18_500))
    }

    @Test func `who is late has the next turn, not the one that is over`() {
        let tick = Instant(sinceStart: .seconds(5))
        #expect(WorkerLoop.turn(after: tick + .microseconds(10_001)).index == 2)
        #expect(WorkerLoop.turn(after: tick + .milliseconds(19)) == (tick + .milliseconds(22), 0))
    }
}
