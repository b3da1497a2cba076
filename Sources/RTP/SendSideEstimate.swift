import Base
import CCache

/// What transport-wide feedback tells of the line to a receiver: how much arrives, how much is lost, and how long packets queue on the way.
package struct SendSideEstimate: Sendable {
    private static let capacity = 2_048
    private static let baselineWindow = Duration.seconds(30)

    /// Eight bytes, so that a packet touches little memory: times are kept to 1/65536 s, in 32 bits that go round after 18 hours.
    private struct Sent: Sendable {
        var sequence: UInt16 = 0
        /// 0: none, or answered.
        var bytes: UInt16 = 0
        var ticks: UInt32 = 0

        /// When it went: the last moment before `now` that these bits stand for.
        func time(before now: Instant) -> Instant {
            let present = SendSideEstimate.ticks(now)
            return Instant(nanoseconds: now.nanoseconds &- (Int64(present &- ticks) * 1_000_000_000) >> 16)
        }
    }

    private static func ticks(_ time: Instant) -> UInt32 { UInt32(truncatingIfNeeded: time.nanoseconds / 1_000 &* 65_536 / 1_000_000) }

    private var sent = [Sent](repeating: Sent(), count: capacity)
    private var next: UInt16 = 0
    private var olderLeast = Int64.max
    private var newerLeast = Int64.max
    private var halfBegan = Instant.start
    /// Bits that arrived a second, smoothed; nil before the first feedback.
    package private(set) var deliveredBitsPerSecond: Double?
    /// 0 … 1, smoothed.
    package private(set) var loss = 0.0
    /// How much longer than the fastest of late packets take now, smoothed.
    package private(set) var queueMilliseconds = 0.0

    package init() {}

    /// The number for the next packet; notes when it goes and its size on the wire.
    package mutating func send(bytes: Int, now: Instant) -> UInt16 {
        let sequence = next
        next &+= 1
        sent[Int(sequence) % Self.capacity] = Sent(sequence: sequence, bytes: UInt16(clamping: max(1, bytes)), ticks: Self.ticks(now))
        return sequence
    }

    /// Brings what the next `send` writes to into the cache.
    package func prefetch() {
        sent.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            // The array's own header lies 32 bytes before its elements: who writes to it asks there whether it is shared.
            nc_prefetch(start - 32, 32)
            nc_prefetch(start + Int(next) % Self.capacity * MemoryLayout<Sent>.stride, 8)
        }
    }

    /// The same for packets of one size that go together.
    /// - Returns: the number of the first; the others have the following ones.
    package mutating func send(packets: Int, bytes: Int, now: Instant) -> UInt16 {
        let (first, ticks) = (next, Self.ticks(now))
        for _ in 0..<packets {
            sent[Int(next) % Self.capacity] = Sent(sequence: next, bytes: UInt16(clamping: max(1, bytes)), ticks: ticks)
            next &+= 1
        }
        return first
    }

    /// Reads one feedback message.
    /// - Throws: `PacketError` where it is not one; what was read before counts.
    package mutating func receive(_ datagram: RawSpan, _ feedback: FeedbackHeader, now: Instant) throws(PacketError) {
        var tally = Tally()
        defer { take(tally, now: now) }
        try TransportFeedback.forEach(in: datagram, feedback) { entry in
            let packet = sent[Int(entry.sequenceNumber) % Self.capacity]
            guard packet.bytes > 0, packet.sequence == entry.sequenceNumber else { return }
            sent[Int(entry.sequenceNumber) % Self.capacity].bytes = 0
            tally.add(arrival: entry.arrival, sent: packet.time(before: now), bytes: Int(packet.bytes))
        }
    }

    private struct Tally {
        var packets = 0
        var lost = 0
        var bytes = 0
        var first: Instant?
        var last: Instant?
        var leastTransit = Int64.max

        mutating func add(arrival: Instant?, sent: Instant, bytes: Int) {
            packets += 1
            guard let arrival else { return lost += 1 }
            self.bytes += bytes
            first = min(first ?? arrival, arrival)
            last = max(last ?? arrival, arrival)
            leastTransit = min(leastTransit, arrival.nanoseconds &- sent.nanoseconds)
        }
    }

    private mutating func take(_ tally: Tally, now: Instant) {
        guard tally.packets > 0 else { return }
        loss += (Double(tally.lost) / Double(tally.packets) - loss) * 0.2
        guard let first = tally.first, let last = tally.last else { return }
        let span = (last - first).seconds
        if span > 0.02 {
            let rate = Double(tally.bytes * 8) / span
            deliveredBitsPerSecond = deliveredBitsPerSecond.map { $0 + (rate - $0) * 0.2 } ?? rate
        }
        // The clocks differ by an unknown constant and drift slowly: the least transit lately is the empty line.
        // Two halves of a window: a queue that stands must not become the baseline at once.
        if now - halfBegan > Self.baselineWindow {
            (olderLeast, newerLeast, halfBegan) = (newerLeast, tally.leastTransit, now)
        }
        newerLeast = min(newerLeast, tally.leastTransit)
        let queue = Double(tally.leastTransit - min(olderLeast, newerLeast)) / 1e6
        queueMilliseconds += (queue - queueMilliseconds) * 0.3
    }
}
