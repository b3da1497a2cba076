/// What was sent lately, for retransmission (RFC 4588): the pictures, each under the sequence number of its first payload. No copy, and one reference
/// for a picture whatever the number of its packets.
package struct PacketHistory: Sendable {
    /// Pictures: two and a half seconds at 25/s.
    package static let capacity = 64
    /// Repeats that are remembered, so that none is made twice within a round trip.
    private static let mostRepeats = 64

    package struct Sent: Sendable {
        package let frame: PacketisedFrame
        package let index: Int
    }

    private struct Entry: Sendable {
        var frame: PacketisedFrame
        var first: UInt16
    }

    private struct Repeat: Sendable {
        var sequence: UInt16 = 0
        var time = Instant.distantFuture
    }

    private var ring = [Entry?](repeating: nil, count: capacity)
    private var newest = 0
    private var repeats = [Repeat](repeating: Repeat(), count: mostRepeats)
    private var lastRepeat = 0

    package init() {}

    /// - Parameter first: the sequence number of payload 0; the others follow it.
    package mutating func add(_ frame: PacketisedFrame, first: UInt16) {
        newest = (newest + 1) % Self.capacity
        ring[newest] = Entry(frame: frame, first: first)
    }

    /// What went out under `sequence`; nil where it is gone or was repeated within a round trip, since the answer is then still under way.
    package mutating func take(_ sequence: UInt16, roundTrip: Duration, now: Instant) -> Sent? {
        for age in 0..<Self.capacity {
            guard let entry = ring[(newest + Self.capacity - age) % Self.capacity] else { return nil }
            let index = Int(sequence &- entry.first)
            guard index < entry.frame.count else { continue }
            guard !repeats.contains(where: { $0.time != .distantFuture && $0.sequence == sequence && now - $0.time < roundTrip }) else {
                return nil
            }
            lastRepeat = (lastRepeat + 1) % Self.mostRepeats
            repeats[lastRepeat] = Repeat(sequence: sequence, time: now)
            return Sent(frame: entry.frame, index: index)
        }
        return nil
    }
}
