import Base

/// What was sent lately, for retransmission (RFC 4588): the pictures, each under the sequence number of its first payload. No copy, and one reference
/// for a picture whatever the number of its packets.
package struct PacketHistory: Sendable {
    /// Pictures: two and a half seconds at 25/s.
    package static let capacity = 64
    /// Repeats that are remembered, so that none is made twice within a round trip, nor more than `mostTimes`.
    private static let mostRepeats = 256
    /// A packet is sent again so often at the most: what is lost as often will not arrive in time.
    static let mostTimes = 3
    /// No line is shorter than this for who asks: the other side's reports alone say how long it is.
    static let leastRoundTrip = Duration.milliseconds(20)
    /// After so long the number means another packet.
    private static let memory = Duration.seconds(5)

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
        var times = 0
    }

    package enum Answer: Sendable {
        case repeated(Sent)
        /// Its last repeat has not had the time to arrive.
        case underWay
        /// It was repeated often enough, and is asked for still: only a key frame mends it.
        case exhausted(Sent)
        /// Not there any more, or never was.
        case unknown
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

    /// What went out under `sequence`, once within a round trip and three times in all.
    package mutating func take(_ sequence: UInt16, roundTrip: Duration, now: Instant) -> Answer {
        for age in 0..<Self.capacity {
            guard let entry = ring[(newest + Self.capacity - age) % Self.capacity] else { return .unknown }
            let index = Int(sequence &- entry.first)
            guard index < entry.frame.count else { continue }
            let sent = Sent(frame: entry.frame, index: index)
            switch noteRepeat(sequence, roundTrip: max(roundTrip, Self.leastRoundTrip), now: now) {
            case .once: return .repeated(sent)
            case .underWay: return .underWay
            case .exhausted: return .exhausted(sent)
            }
        }
        return .unknown
    }

    private enum Turn { case once, underWay, exhausted }

    private mutating func noteRepeat(_ sequence: UInt16, roundTrip: Duration, now: Instant) -> Turn {
        let known = repeats.firstIndex { $0.times > 0 && $0.sequence == sequence && now - $0.time < Self.memory }
        guard let known else {
            lastRepeat = (lastRepeat + 1) % Self.mostRepeats
            repeats[lastRepeat] = Repeat(sequence: sequence, time: now, times: 1)
            return .once
        }
        guard now - repeats[known].time >= roundTrip else { return .underWay }
        guard repeats[known].times < Self.mostTimes else { return .exhausted }
        (repeats[known].time, repeats[known].times) = (now, repeats[known].times + 1)
        return .once
    }
}
