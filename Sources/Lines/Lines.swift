/// The domain of lines, sans-IO: what a site's line is worth for speech and picture.
package enum LineVerdict: String, Sendable, CaseIterable { case good, fair, poor, unknown }

/// How well a line carries a conversation: a short form of the E-model (ITU-T G.107) from what RTCP reports.
package struct LineQuality: Sendable, Equatable {
    /// Transmission rating, 0 … 93.2.
    package var rating: Double
    package var verdict: LineVerdict

    /// Without coding impairment: R₀ − Is of narrow-band defaults (G.107 §7).
    static let best = 93.2
    /// G.109: above 80 users are satisfied, above 60 many are not, below 60 nearly all are not.
    static let (good, fair) = (80.0, 60.0)

    /// - Parameters:
    ///   - loss: fraction lost in the worse direction, 0 … 1.
    ///   - jitterMilliseconds: of RFC 3550 §6.4.1.
    ///   - roundTripMilliseconds: nil before the first report that tells it; the verdict is then unknown, for silence is not quality.
    package init(loss: Double, jitterMilliseconds: Double, roundTripMilliseconds: Double?) {
        guard let roundTripMilliseconds, loss.isFinite, jitterMilliseconds.isFinite, roundTripMilliseconds.isFinite else {
            (rating, verdict) = (0, .unknown)
            return
        }
        // The jitter buffer waits for twice the jitter; codec and mixer take 40 ms.
        let oneWay = max(0, roundTripMilliseconds) / 2 + 2 * max(0, jitterMilliseconds) + 40
        let points = Self.best - Self.delayImpairment(oneWay) - Self.lossImpairment(min(1, max(0, loss)))
        rating = min(Self.best, max(0, points))
        verdict = rating >= Self.good ? .good : rating >= Self.fair ? .fair : .poor
    }

    /// Id, the piecewise line of Cole and Rosenbluth (2001) through G.107's curve: the knee is at 177.3 ms one way.
    static func delayImpairment(_ oneWay: Double) -> Double { 0.024 * oneWay + 0.11 * max(0, oneWay - 177.3) }

    /// Ie-eff of G.107 §7.4 with Ie = 0 and Bpl = 20: Opus with in-band FEC conceals about as well as the best codecs of G.113.
    static func lossImpairment(_ loss: Double) -> Double { 95 * (loss * 100) / (loss * 100 + 20) }
}
