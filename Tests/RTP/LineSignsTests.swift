import Base
import RTP
import Testing

struct LineSignsTests {
    private let start = Instant(sinceStart: .seconds(100))

    /// Signs at these milliseconds.
    private func signs(_ times: [Int]) -> LineSigns {
        var signs = LineSigns(now: start)
        for time in times { signs.heard(now: start + .milliseconds(time)) }
        return signs
    }

    @Test func `a busy line is dead two seconds after its last packet`() {
        let signs = signs(Array(stride(from: 0, through: 5_000, by: 20)))
        #expect(signs.aliveUntil == start + .milliseconds(7_000))
    }

    @Test(arguments: [1_000, 2_500, 5_000, 6_500])
    func `a quiet line is never taken for dead between its reports`(interval: Int) {
        var signs = signs([0])
        // Moving for a while, then still: reports alone.
        for time in stride(from: 0, through: 3_000, by: 40) { signs.heard(now: start + .milliseconds(time)) }
        var dead = 0
        for report in 1...20 {
            let now = start + .milliseconds(3_000 + report * interval)
            if now > signs.aliveUntil { dead += 1 }
            signs.heard(now: now)
        }
        // The first pause of a line that was busy cannot be told from its end.
        #expect(dead <= (interval > 2_000 ? 1 : 0))
    }

    @Test func `a line whose short pauses are known is dead two seconds after the last`() {
        let signs = signs(Array(stride(from: 0, through: 10_000, by: 1_000)))
        #expect(signs.aliveUntil == start + .milliseconds(12_000))
    }

    @Test func `a line that became busy again is missed after two seconds, and an outage teaches nothing`() {
        var signs = signs([0, 5_000, 10_000, 15_000])
        #expect(signs.aliveUntil == start + .milliseconds(22_500))
        for time in stride(from: 15_000, through: 30_000, by: 20) { signs.heard(now: start + .milliseconds(time)) }
        #expect(signs.aliveUntil == start + .milliseconds(32_000))
        signs.heard(now: start + .seconds(60))
        #expect(signs.aliveUntil == start + .seconds(62))
    }
}
