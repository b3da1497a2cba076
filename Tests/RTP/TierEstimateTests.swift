import Base
import RTP
import Testing

struct TierEstimateTests {
    private let start = Instant(sinceStart: .seconds(1))

    /// Looks at lines for so many seconds.
    private func tier(from best: TierID = .high, seconds: Int, _ line: (_ tier: Int) -> TierSelector.Line) -> [Int] {
        var selector = TierSelector(best: best)
        return (0..<seconds).map { second in
            selector.evaluate(line(selector.tier.index), now: start + .seconds(second))
            return selector.tier.index
        }
    }

    @Test(arguments: [20_000, 60_000, 200_000, 600_000], [0.86, 1.0, 1.5])
    func `an estimate that follows what little is sent says nothing of the line`(sent: Int, factor: Double) {
        let tiers = tier(seconds: 120) { _ in
            TierSelector.Line(limitBitsPerSecond: Int(Double(sent) * factor), sentBitsPerSecond: sent)
        }
        #expect(tiers.allSatisfy { $0 == 0 })
    }

    @Test(arguments: [100_000, 250_000, 600_000, 1_000_000])
    func `an estimate under what is sent is a thin line`(line: Int) {
        let sends = [1_600_000, 560_000, 190_000]
        let tiers = tier(seconds: 20) { tier in
            TierSelector.Line(limitBitsPerSecond: min(line, sends[tier]), sentBitsPerSecond: sends[tier])
        }
        let fits = sends.firstIndex { $0 * 8 / 10 <= line } ?? 2
        #expect(tiers[5...].allSatisfy { $0 >= min(fits, 2) } && (tiers.last ?? 0) <= max(1, fits))
    }

    @Test func `where little is sent and nothing is lost a receiver comes back to the best picture`() {
        var selector = TierSelector()
        var tiers: [Int] = []
        for second in 0..<60 {
            let isBad = second < 6
            let sent = isBad ? 1_600_000 : 60_000
            selector.evaluate(
                TierSelector.Line(loss: isBad ? 0.3 : 0, limitBitsPerSecond: isBad ? 200_000 : 70_000, sentBitsPerSecond: sent),
                now: start + .seconds(second))
            tiers.append(selector.tier.index)
        }
        #expect(tiers[6] == 2 && tiers.last == 0)
    }

    @Test func `what a receiver said that it takes holds whatever is sent`() {
        let tiers = tier(seconds: 30) { _ in TierSelector.Line(promisedBitsPerSecond: 300_000, sentBitsPerSecond: 10_000) }
        #expect(tiers.last == 2)
    }
}
