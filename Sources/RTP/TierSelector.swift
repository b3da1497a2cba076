import Base

/// Which tier of the composed picture the line of a receiver without transport-wide feedback can carry. Down fast, up slowly, and slower after each climb that failed.
package struct TierSelector: Sendable {
    private static let evaluation = Duration.seconds(1)
    private static let shortestHold = Duration.seconds(10)
    private static let longestHold = Duration.seconds(160)

    /// What is known of the line at one evaluation.
    package struct Line: Equatable, Sendable {
        /// 0 … 1, as report blocks say.
        package var loss = 0.0
        /// REMB, where the receiver sends it. It follows what the receiver is sent, so it tells something of the line only where as much is sent.
        package var limitBitsPerSecond: Int?
        /// What the receiver said that it takes at the most (b=TIAS), which holds whatever is sent.
        package var promisedBitsPerSecond: Int?
        /// What it was sent since the last evaluation.
        package var sentBitsPerSecond: Int
        package init(
            loss: Double = 0, limitBitsPerSecond: Int? = nil, promisedBitsPerSecond: Int? = nil,
            sentBitsPerSecond: Int = .max
        ) {
            self.loss = loss
            self.limitBitsPerSecond = limitBitsPerSecond
            self.promisedBitsPerSecond = promisedBitsPerSecond
            self.sentBitsPerSecond = sentBitsPerSecond
        }

        /// Less than a tier needs: it was promised so, or estimated where more was sent.
        fileprivate func isTooThin(for need: Int) -> Bool {
            if let promisedBitsPerSecond, promisedBitsPerSecond < need * 8 / 10 { return true }
            guard let limitBitsPerSecond else { return false }
            return limitBitsPerSecond < need * 8 / 10 && limitBitsPerSecond < sentBitsPerSecond / 10 * 8
        }

        fileprivate func isVeryThin(_ need: Int) -> Bool {
            let said = min(limitBitsPerSecond ?? .max, promisedBitsPerSecond ?? .max)
            return loss < 0.03 && said < need * 3 / 10
        }

        /// Nothing speaks against more than a tier needs. An estimate that is not under what little was sent says nothing.
        fileprivate func hasRoom(above need: Int) -> Bool {
            if let promisedBitsPerSecond, promisedBitsPerSecond <= need * 11 / 10 { return false }
            guard let limitBitsPerSecond else { return true }
            return limitBitsPerSecond > need * 11 / 10 || sentBitsPerSecond < need / 2 && limitBitsPerSecond >= sentBitsPerSecond
        }
    }

    package private(set) var tier: TierID
    private let best: TierID
    private let table: TierTable
    private var badInRow = 0
    private var goodSince: Instant?
    private var changed: Instant?
    private var climbed = false
    private var hold = shortestHold
    private var nextEvaluation: Instant?

    /// - Parameter best: the highest tier that the receiver takes at all.
    package init(best: TierID = TierTable.usual.best, table: TierTable = .usual) {
        self.table = table
        self.best = min(best, table.least)
        tier = self.best
    }

    /// What the present tier needs of the line, bit/s.
    package var need: Int { table[tier].neededBitsPerSecond }

    /// Looks at the line; acts once a second at most.
    package mutating func evaluate(_ line: Line, now: Instant) {
        guard now >= nextEvaluation ?? now else { return }
        nextEvaluation = now + Self.evaluation
        let isTooThin = line.isTooThin(for: need)
        // What is below `low` is for lines that are said to be very thin and lose nothing: loss makes estimates small, and is no sign of a thin line.
        if isTooThin || line.loss > 0.10, tier < .low || line.isVeryThin(table[.low].neededBitsPerSecond) { return suffer(now) }
        badInRow = 0
        // Receivers estimate little more than they are sent, so the next tier's need never shows: room above the present one must do, and a
        // climb that was wrong makes the next one wait longer.
        guard line.loss < 0.03, line.hasRoom(above: need) else { return goodSince = nil }
        let since = goodSince ?? now
        goodSince = since
        guard tier > best, now - since >= hold else { return }
        tier = table.better(than: tier)
        changed = now
        climbed = true
        goodSince = now
    }

    private mutating func suffer(_ now: Instant) {
        goodSince = nil
        badInRow += 1
        guard badInRow >= 2, tier < table.least, now - (changed ?? .start) >= .seconds(2) || changed == nil else { return }
        // A climb that did not last was a wrong guess: the next one waits longer.
        if climbed, let changed, now - changed < .seconds(30) {
            hold = min(Self.longestHold, hold + hold)
        } else {
            hold = Self.shortestHold
        }
        tier = table.worse(than: tier)
        changed = now
        climbed = false
        badInRow = 0
    }
}
