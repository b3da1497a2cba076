/// Which tier of the composed picture a receiver's line can carry: 0 high, 1 medium, 2 low. Down fast, up slowly, and slower after each climb that failed.
package struct TierSelector: Sendable {
    /// What each tier needs with sound and headers, bit/s.
    package static let needs = [1_700_000, 620_000, 230_000]
    private static let evaluation = Duration.seconds(1)
    private static let shortestHold = Duration.seconds(10)
    private static let longestHold = Duration.seconds(160)

    /// What is known of the line at one evaluation.
    package struct Line: Equatable, Sendable {
        /// 0 … 1, the worse of report blocks and transport feedback.
        package var loss = 0.0
        package var queueMilliseconds = 0.0
        /// REMB, where the receiver sends it.
        package var limitBitsPerSecond: Int?
        package init(loss: Double = 0, queueMilliseconds: Double = 0, limitBitsPerSecond: Int? = nil) {
            (self.loss, self.queueMilliseconds, self.limitBitsPerSecond) = (loss, queueMilliseconds, limitBitsPerSecond)
        }
    }

    package private(set) var tier: Int
    private let best: Int
    private var badInRow = 0
    private var goodSince: Instant?
    private var changed: Instant?
    private var climbed = false
    private var hold = shortestHold
    private var nextEvaluation: Instant?

    /// - Parameter best: the highest tier that the receiver takes at all.
    package init(best: Int = 0) {
        self.best = min(2, max(0, best))
        tier = self.best
    }

    /// Looks at the line; acts once a second at most.
    package mutating func evaluate(_ line: Line, now: Instant) {
        guard now >= nextEvaluation ?? now else { return }
        nextEvaluation = now + Self.evaluation
        let isTooThin = line.limitBitsPerSecond.map { $0 < Self.needs[tier] * 8 / 10 } ?? false
        if line.loss > 0.10 || line.queueMilliseconds > 150 || isTooThin { return suffer(now) }
        badInRow = 0
        // Receivers estimate little more than they are sent, so the next tier's need never shows: room above the present one must do, and a
        // climb that was wrong makes the next one wait longer.
        let hasRoom = line.limitBitsPerSecond.map { $0 > Self.needs[tier] * 11 / 10 } ?? true
        guard line.loss < 0.03, line.queueMilliseconds < 60, hasRoom else { return goodSince = nil }
        let since = goodSince ?? now
        goodSince = since
        guard tier > best, now - since >= hold else { return }
        (tier, changed, climbed, goodSince) = (tier - 1, now, true, now)
    }

    private mutating func suffer(_ now: Instant) {
        goodSince = nil
        badInRow += 1
        guard badInRow >= 2, tier < 2, now - (changed ?? .start) >= .seconds(2) || changed == nil else { return }
        // A climb that did not last was a wrong guess: the next one waits longer.
        if climbed, let changed, now - changed < .seconds(30) {
            hold = min(Self.longestHold, hold + hold)
        } else {
            hold = Self.shortestHold
        }
        (tier, changed, climbed, badInRow) = (tier + 1, now, false, 0)
    }
}
