import Base

/// What part of packets was lost over the last few seconds, by packets: a second with few of them weighs little.
package struct LossWindow: Sendable {
    static let seconds = 5
    /// Fewer packets than these tell nothing.
    static let least = 20

    private struct Slot: Sendable {
        var second: Int64 = -1_000
        var lost = 0
        var total = 0
    }
    private var slots = InlineArray<5, Slot>(repeating: Slot())

    package init() {}

    package mutating func add(lost: Int, of total: Int, now: Instant) {
        guard total > 0 || lost > 0 else { return }
        let second = now.nanoseconds / 1_000_000_000
        let place = Int(second % Int64(Self.seconds))
        if slots[place].second != second { slots[place] = Slot(second: second) }
        slots[place].lost += max(0, lost)
        slots[place].total += max(0, total, lost)
    }

    /// 0 … 1; nil where too few packets are known of.
    /// - Parameters:
    ///   - seconds: how far back, 1 … 5; the present one counts.
    ///   - packets: fewer tell nothing.
    package func fraction(over seconds: Int = Self.seconds, atLeast packets: Int = Self.least, now: Instant) -> Double? {
        let present = now.nanoseconds / 1_000_000_000
        var (lost, total) = (0, 0)
        for index in 0..<Self.seconds where present - slots[index].second < Int64(seconds) && slots[index].second <= present {
            lost += slots[index].lost
            total += slots[index].total
        }
        return total >= packets ? Double(lost) / Double(total) : nil
    }
}

/// What report blocks say of one source of ours (RFC 3550 §6.4.1): the differences of what was lost and of the highest number, since one block's fraction
/// may be of three packets or of none.
package struct ReportedLoss: Sendable {
    private var last: (highest: UInt32, lost: Int32)?

    package init() {}

    /// - Returns: packets since the block before, and how many of them are lost; nil for the first block, and for one that says nothing new or goes back.
    package mutating func take(_ block: ReportBlock) -> (lost: Int, total: Int)? {
        defer { last = (block.extendedHighestSequence, block.cumulativeLost) }
        guard let last else { return nil }
        let total = Int(Int32(bitPattern: block.extendedHighestSequence &- last.highest))
        // More than an hour's packets, or numbers that go back: the receiver began anew.
        guard total > 0, total < 1_000_000 else { return nil }
        // Duplicates make fewer lost than before.
        let lost = Int(block.cumulativeLost) - Int(last.lost)
        return (min(total, max(0, lost)), total)
    }
}
