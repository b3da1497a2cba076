import Base

/// Which tier a line carries, from what is known of it. Down at once, to the best that fits; up only where the estimate has proven the room.
package struct TierChoice: Sendable {
    /// Above these parts lost a picture of many packets is seldom whole in time, however fast the line is.
    private static let lossCaps: [(loss: Double, best: TierID)] = [(0.28, .lower), (0.15, .low), (0.035, .medium)]
    /// A tier is taken below so much of that loss, and kept up to so much: among a few hundred packets a part of them wavers by a fifth.
    private static let (taking, keeping) = (0.8, 1.3)
    /// Between a change and the next one up.
    private static let (shortestHold, longestHold) = (Duration.seconds(2), Duration.seconds(15))
    /// Queues within so long at one tier: it does not fit, whatever was measured. Below the least one there is nothing that would.
    private static let (mostEpisodes, episodesWithin) = (3, Duration.seconds(10))
    /// What a tier may need beyond the estimate and still be kept: there its share is counted in.
    static let slack = 1.06

    private var table: TierTable
    private let best: TierID
    /// A smaller picture is to be had where much is lost.
    private let heedsLoss: Bool
    private let promised: Double?
    /// nil: sound alone.
    package private(set) var tier: TierID?
    private var changed: Instant?
    private var climbed = false
    private var hold = Duration.zero
    /// The tier was left because of a queue, which is to be emptied first.
    private var isLeaving = false
    private var episodesBefore = 0
    private var episodesSince = Instant.start
    private var lossSince: Instant?
    private var told = false

    package init(best: TierID = TierTable.usual.best, table: TierTable = .usual, promised: Int? = nil, heedsLoss: Bool = true) {
        self.table = table
        self.heedsLoss = heedsLoss
        self.best = min(best, table.least)
        self.promised = promised.map(Double.init)
        // What fits most lines; a better one follows within a second or two where there is room.
        tier = max(self.best, min(.low, table.least))
    }

    /// Another table of as many rows.
    package mutating func change(to table: TierTable) {
        guard table.least == self.table.least else { return }
        self.table = table
    }

    package var need: Double? { tier.map { Double(table[$0].neededBitsPerSecond) } }

    /// A smaller picture begins when the queue is gone.
    package var waitsForRoom: Bool { isLeaving }

    private func cap(_ loss: Double) -> TierID {
        for cap in Self.lossCaps where heedsLoss && loss > cap.loss { return max(best, min(cap.best, table.least)) }
        return best
    }

    private func need(_ id: TierID) -> Double { Double(table[id].neededBitsPerSecond) }

    /// Beside a picture that needs so much, what sound in its best form takes more.
    package static let wideSound = 70_000.0
    /// What sound said three times takes besides (docs/decisions/sound-tiers.md), for lines that lose so much.
    package static let redundancy = 105_000.0
    private static let lossy = 0.06

    /// What the estimate should reach: for the next better picture, or for the best sound beside the best picture.
    package func wanted(loss: Double) -> Double? {
        let next = tier.map { table.better(than: $0) } ?? table.least
        let isMore = next != tier && next >= cap(loss / Self.taking) && promised.map { need(next) <= $0 * 1.25 } ?? true
        let sound = Self.wideSound + (loss >= Self.lossy ? Self.redundancy : 0)
        return isMore ? need(next) : need.map { $0 + sound * 1.1 }
    }

    /// - Parameters:
    ///   - bits: the estimate.
    ///   - episodes: how often a queue began so far.
    ///   - loss: of the last seconds, 0 … 1.
    package mutating func follow(bits: Double, isCongested: Bool, episodes: Int, loss: Double, now: Instant) {
        if isLeaving, !isCongested { isLeaving = false }
        if now - episodesSince > Self.episodesWithin { (episodesBefore, episodesSince) = (episodes, now) }
        let cap = cap(loss / Self.taking)
        if let tier {
            let isTooMuch = need(tier) > bits * Self.slack
            // A queue that comes again and again: one less than what seems to fit.
            let isRestless = tier != table.least && isCongested && episodes - episodesBefore >= Self.mostEpisodes
            if isTooMuch || isRestless {
                var next = fitting(bits * Self.slack, cap: cap)
                if isRestless, next.map({ $0 <= tier }) ?? false { next = worse(than: tier) }
                if next.map({ $0 > tier }) ?? true { return fall(to: next, leaving: isCongested, episodes, now) }
            }
            let kept = self.cap(loss / Self.keeping)
            if kept > tier {
                // One bad second is no reason.
                let since = lossSince ?? now
                lossSince = since
                if now - since > .seconds(2) { fall(to: kept, leaving: false, episodes, now) }
                return
            }
        }
        lossSince = nil
        guard !isCongested, now - (changed ?? .start) >= hold || changed == nil, let better = fitting(bits, cap: cap),
            tier.map({ better < $0 }) ?? true
        else { return }
        tier = better
        changed = now
        climbed = true
        isLeaving = false
        hold = max(Self.shortestHold, hold)
        (episodesBefore, episodesSince, told) = (episodes, now, false)
    }

    private func worse(than id: TierID) -> TierID? { id == table.least ? nil : table.worse(than: id) }

    /// The best tier that a line carries; nil for none.
    private func fitting(_ bits: Double, cap: TierID) -> TierID? {
        table.tiers.first { row in
            row.id >= cap && Double(row.neededBitsPerSecond) <= bits
                && (promised.map { Double(row.neededBitsPerSecond) <= $0 * 1.25 } ?? true || row.id == table.least)
        }?.id
    }

    private mutating func fall(to next: TierID?, leaving: Bool, _ episodes: Int, _ now: Instant) {
        // A climb that did not last was a wrong guess: the next one waits longer.
        if climbed, let changed, now - changed < .seconds(20) {
            hold = min(Self.longestHold, max(Self.shortestHold, hold + hold))
        } else {
            hold = Self.shortestHold
        }
        tier = next
        changed = now
        climbed = false
        isLeaving = leaving
        lossSince = nil
        (episodesBefore, episodesSince, told) = (episodes, now, false)
    }

    /// Whether the present tier has stood for a while, said once.
    package mutating func stoodWell(now: Instant) -> Bool {
        guard !told, climbed, let changed, now - changed > .seconds(20) else { return false }
        told = true
        hold = Self.shortestHold
        return true
    }
}
