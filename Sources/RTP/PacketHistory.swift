/// What was sent lately, for retransmission (RFC 4588): the picture and which of its payloads, under the sequence number that it went out with. No copy.
package struct PacketHistory: Sendable {
    /// About two seconds at 1.5 Mbit/s.
    package static let capacity = 512

    package struct Sent: Sendable {
        package let sequence: UInt16
        package let frame: PacketisedFrame
        package let index: Int
        fileprivate var lastSent: Instant
    }

    private var ring = [Sent?](repeating: nil, count: capacity)

    package init() {}

    package mutating func add(_ frame: PacketisedFrame, index: Int, sequence: UInt16, now: Instant) {
        ring[Int(sequence) % Self.capacity] = Sent(sequence: sequence, frame: frame, index: index, lastSent: now)
    }

    /// What went out under `sequence`; nil where it is gone or was repeated within a round trip, since the answer is then still under way.
    package mutating func take(_ sequence: UInt16, roundTrip: Duration, now: Instant) -> Sent? {
        let place = Int(sequence) % Self.capacity
        guard let sent = ring[place], sent.sequence == sequence, now - sent.lastSent >= roundTrip else { return nil }
        ring[place]?.lastSent = now
        return sent
    }

    package mutating func removeAll() { for place in ring.indices { ring[place] = nil } }
}
