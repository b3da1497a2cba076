import Base
import Testing

@testable import RTP

/// What a line carries that was sent little for a while, and where padding begins that is to prove more.
@Suite struct LineProbeTests {
    private static func at(_ seconds: Double) -> Instant { Instant(sinceStart: .milliseconds(Int(seconds * 1_000))) }

    /// Feedback each 50 ms of a line without a queue.
    private func estimate(_ rates: [(until: Double, bits: Double)]) -> LineEstimate {
        var (estimate, gauge, time) = (LineEstimate(), QueueGauge(), 0.0)
        for rate in rates {
            while time < rate.until {
                time += 0.05
                gauge.add(sent: Self.at(time), arrival: Self.at(time + 0.02))
                estimate.update(
                    &gauge, delivered: rate.bits, busy: rate.bits, left: rate.bits, loses: false, isFast: false, now: Self.at(time))
            }
        }
        return estimate
    }

    @Test func `what was not seen for twelve seconds is remembered and no longer taken for seen`() {
        let busy = estimate([(5, 500_000)])
        #expect(busy.bitsPerSecond == 500_000 && busy.lately == 500_000)
        let quiet = estimate([(5, 500_000), (8, 180_000)])
        #expect(quiet.lately == 500_000)
        let idle = estimate([(5, 500_000), (18, 180_000)])
        #expect(idle.bitsPerSecond == 500_000 && idle.lately == 180_000)
    }

    /// The first run's padding, kbit/s.
    private func firstRun(bits: Double, lately: Double) -> Double {
        var probe = LineProbe()
        var bytes = 0
        var (began, ended) = (0.0, 0.0)
        for step in 0..<1_000 {
            let now = Double(step) / 100
            let line = LineProbe.Line(
                bits: bits, lately: lately, isCalm: true, isFast: false, queue: 0, isWavering: false, lag: .milliseconds(50), loss: 0,
                latestLoss: 0)
            let demand = probe.demand(line, enough: 1_700_000, picture: .medium, sent: Int64(bytes), now: Self.at(now))
            if case .padding(let more) = demand {
                if began == 0 { began = now }
                (bytes, ended) = (bytes + more, now)
            } else if began > 0 {
                break
            }
        }
        return Double(bytes * 8) / (ended - began) / 1_000
    }

    @Test func `padding begins a seventh above what is known, and half above what was seen lately at the most`() {
        #expect((520...620).contains(firstRun(bits: 500_000, lately: 500_000)))
        #expect((260...320).contains(firstRun(bits: 500_000, lately: 190_000)))
    }
}
