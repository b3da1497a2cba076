import Base
import CCache

/// What went out under which transport-wide number, until feedback tells what became of it.
///
/// Reordering is not loss: a packet that a message calls missing may still come in a later one. It is lost when one has arrived that left `patience` after it.
package struct SentPackets: Sendable {
    private static let capacity = 2_048
    static let patience = Duration.milliseconds(100)
    /// IPv4 and UDP headers, which the line carries with every packet, and the seal of SRTP.
    package static let overhead = 28 + 16

    /// Eight bytes, so that a packet touches little memory: times are kept to 1/65536 s, in 32 bits that go round after 18 hours.
    private struct Sent: Sendable {
        var sequence: UInt16 = 0
        /// 0: none, or answered.
        var bytes: UInt16 = 0
        var ticks: UInt32 = 0

        /// When it went: the last moment before `now` that these bits stand for.
        func time(before now: Instant) -> Instant {
            let present = SentPackets.ticks(now)
            return Instant(nanoseconds: now.nanoseconds &- (Int64(present &- ticks) * 1_000_000_000) >> 16)
        }
    }

    private static func ticks(_ time: Instant) -> UInt32 { UInt32(truncatingIfNeeded: time.nanoseconds / 1_000 &* 65_536 / 1_000_000) }

    /// A packet that arrived, as feedback tells.
    package struct Delivery: Equatable, Sendable {
        /// Counted from the first packet.
        package var number: Int64
        package var sent: Instant
        /// On the receiver's clock.
        package var arrival: Instant
        /// On the line, headers included.
        package var bytes: Int
    }

    private var ring = [Sent](repeating: Sent(), count: capacity)
    private var next: Int64 = 0
    /// All before it were answered, or are lost.
    private var judged: Int64 = 0
    /// The newest packet that arrived, and when it left.
    private var newest: (number: Int64, sent: Instant)?
    /// What left before the next packet that arrives is neither.
    private var forgives = false

    package init() {}

    /// Packets numbered so far.
    package var count: Int64 { next }
    /// What they were on the line, headers included.
    package private(set) var bytes: Int64 = 0

    /// The number for the next packet; notes when it goes and its size without `overhead`.
    package mutating func send(bytes: Int, now: Instant) -> UInt16 {
        let sequence = UInt16(truncatingIfNeeded: next)
        ring[Int(sequence) % Self.capacity] = Sent(
            sequence: sequence, bytes: UInt16(clamping: bytes + Self.overhead), ticks: Self.ticks(now))
        next &+= 1
        self.bytes &+= Int64(bytes + Self.overhead)
        return sequence
    }

    /// The same for packets of one size that go together.
    /// - Returns: the number of the first; the others have the following ones.
    package mutating func send(packets: Int, bytes: Int, now: Instant) -> UInt16 {
        let (first, ticks) = (UInt16(truncatingIfNeeded: next), Self.ticks(now))
        for _ in 0..<packets {
            let sequence = UInt16(truncatingIfNeeded: next)
            ring[Int(sequence) % Self.capacity] = Sent(sequence: sequence, bytes: UInt16(clamping: bytes + Self.overhead), ticks: ticks)
            next &+= 1
        }
        self.bytes &+= Int64(packets * (bytes + Self.overhead))
        return first
    }

    /// Brings what the next `send` writes to into the cache.
    package func prefetch() {
        ring.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            // The array's own header lies 32 bytes before its elements: who writes to it asks there whether it is shared.
            nc_prefetch(start - 32, 32)
            nc_prefetch(start + Int(next) % Self.capacity * MemoryLayout<Sent>.stride, 8)
        }
    }

    /// What left before the next packet that arrives counts neither as arrived nor as lost: it went into a silence, of which there is another word.
    package mutating func forgive() {
        newest = nil
        forgives = true
    }

    /// Reads one feedback message, and calls `body` for each packet that arrived and was not told of before, in order of numbers.
    /// - Returns: how many of the packets before them are lost.
    /// - Throws: `PacketError` where it is not one; what was read before counts.
    package mutating func receive(
        _ datagram: RawSpan, _ feedback: FeedbackHeader, now: Instant, _ body: (Delivery) -> Void
    ) throws(PacketError) -> Int {
        try TransportFeedback.forEach(in: datagram, feedback) { entry in
            guard let arrival = entry.arrival else { return }
            let place = Int(entry.sequenceNumber) % Self.capacity
            let packet = ring[place]
            guard packet.bytes > 0, packet.sequence == entry.sequenceNumber else { return }
            let number = next - 1 - Int64(UInt16(truncatingIfNeeded: next - 1) &- entry.sequenceNumber)
            if forgives { (judged, forgives) = (max(judged, number), false) }
            guard number >= judged else { return }
            ring[place].bytes = 0
            let sent = packet.time(before: now)
            if number > newest?.number ?? -1 { newest = (number, sent) }
            body(Delivery(number: number, sent: sent, arrival: arrival, bytes: Int(packet.bytes)))
        }
        return judge(now: now)
    }

    private mutating func judge(now: Instant) -> Int {
        guard let newest else { return 0 }
        judged = max(judged, next - Int64(Self.capacity))
        var lost = 0
        while judged < newest.number {
            let packet = ring[Int(judged) % Self.capacity]
            if packet.bytes > 0, packet.sequence == UInt16(truncatingIfNeeded: judged) {
                guard newest.sent - packet.time(before: now) >= Self.patience else { break }
                ring[Int(judged) % Self.capacity].bytes = 0
                lost += 1
            }
            judged += 1
        }
        return lost
    }
}
