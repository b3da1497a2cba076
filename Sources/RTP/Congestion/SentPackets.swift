import Base
import CCache

/// What went out under which transport-wide number, until feedback tells what became of it.
///
/// Reordering is not loss: a packet that a message calls missing may still come in a later one. It is lost when one has arrived that left `patience` after it.
/// Nor is silence loss: what a message told that was lost itself is known of no packet. Messages are counted, so that a gap between two of them is seen.
package struct SentPackets: Sendable {
    private static let capacity = 2_048
    static let patience = Duration.milliseconds(100)
    /// IPv4 and UDP headers, which the line carries with every packet, and the seal of SRTP.
    package static let overhead = 28 + 16

    /// Eight bytes, so that a packet touches little memory: times are kept to 1/65536 s, in 32 bits that go round after 18 hours.
    private struct Sent: Sendable {
        var sequence: UInt16 = 0
        /// 0: none, or lost. The highest bit: a message called it missing; alone: it arrived.
        private var bytesAndMark: UInt16 = 0
        /// When it left; when it arrived, once that is known.
        var ticks: UInt32 = 0

        init() {}

        init(sequence: UInt16, bytes: Int, ticks: UInt32) {
            self.sequence = sequence
            bytesAndMark = UInt16(clamping: min(bytes, 0x7fff))
            self.ticks = ticks
        }

        var isOpen: Bool { bytes != 0 }
        var hasArrived: Bool { bytesAndMark == 0x8000 }
        var bytes: Int { Int(bytesAndMark & 0x7fff) }
        var isMissing: Bool { bytesAndMark & 0x8000 != 0 }
        mutating func close() { bytesAndMark = 0 }
        mutating func arrive(_ arrival: Instant) { (bytesAndMark, ticks) = (0x8000, SentPackets.ticks(arrival)) }
        mutating func miss() { if isOpen { bytesAndMark |= 0x8000 } }

        /// When it went: the last moment before `now` that these bits stand for.
        func time(before now: Instant) -> Instant {
            let present = SentPackets.ticks(now)
            return Instant(nanoseconds: now.nanoseconds &- (Int64(present &- ticks) * 1_000_000_000) >> 16)
        }
    }

    private static func ticks(_ time: Instant) -> UInt32 { UInt32(truncatingIfNeeded: time.nanoseconds / 1_000 &* 65_536 / 1_000_000) }

    /// A packet that arrived, as feedback tells, or that will have arrived, since it is only not known.
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
    /// The newest packet that arrived.
    private var newest: Delivery?
    /// Messages tell of all before it, as far as they came; and which was the last.
    private var toldUntil: Int64 = 0
    private var lastMessage: UInt8?
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
        ring[Int(sequence) % Self.capacity] = Sent(sequence: sequence, bytes: bytes + Self.overhead, ticks: Self.ticks(now))
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
            ring[Int(sequence) % Self.capacity] = Sent(sequence: sequence, bytes: bytes + Self.overhead, ticks: ticks)
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

    /// What left so far counts neither as arrived nor as lost, whatever is told of it later: it went another way than what follows.
    package mutating func forget() {
        newest = nil
        judged = next
    }

    /// Reads one feedback message.
    /// - Parameters:
    ///   - arrived: called for each packet that arrived and was not told of before, in order of numbers.
    ///   - unheard: called for each packet before them of which no message will tell; its arrival is guessed.
    /// - Returns: how many of the packets before them are lost.
    /// - Throws: `PacketError` where it is not one; what was read before counts.
    package mutating func receive(
        _ datagram: RawSpan, _ feedback: FeedbackHeader, now: Instant, _ arrived: (Delivery) -> Void, unheard: (Delivery) -> Void = { _ in }
    ) throws(PacketError) -> Int {
        let message = try TransportFeedback.header(of: datagram, feedback)
        missBetween(message)
        try TransportFeedback.forEach(in: datagram, feedback) { entry in
            let place = Int(entry.sequenceNumber) % Self.capacity
            let packet = ring[place]
            guard packet.isOpen, packet.sequence == entry.sequenceNumber else { return }
            guard let arrival = entry.arrival else { return ring[place].miss() }
            let number = number(of: entry.sequenceNumber)
            if forgives { (judged, forgives) = (max(judged, number), false) }
            guard number >= judged else { return }
            ring[place].arrive(arrival)
            let delivery = Delivery(number: number, sent: packet.time(before: now), arrival: arrival, bytes: packet.bytes)
            if number > newest?.number ?? -1 { newest = delivery }
            arrived(delivery)
        }
        return judge(now: now, unheard)
    }

    /// The last packet of this number.
    private func number(of sequence: UInt16) -> Int64 { next - 1 - Int64(UInt16(truncatingIfNeeded: next - 1) &- sequence) }

    /// What lies between two messages that follow each other is told of as well: it did not come.
    private mutating func missBetween(_ message: TransportFeedback.Header) {
        let first = number(of: message.base)
        if let lastMessage, message.count == lastMessage &+ 1, first > toldUntil, first - toldUntil < Int64(Self.capacity) {
            for number in toldUntil..<first where ring[Int(number) % Self.capacity].sequence == UInt16(truncatingIfNeeded: number) {
                ring[Int(number) % Self.capacity].miss()
            }
        }
        let isNewer = lastMessage.map { Int8(bitPattern: message.count &- $0) > 0 } ?? true
        guard isNewer else { return }
        lastMessage = message.count
        toldUntil = max(0, min(next, first + Int64(message.packets)))
    }

    private mutating func judge(now: Instant, _ unheard: (Delivery) -> Void) -> Int {
        guard let newest else { return 0 }
        judged = max(judged, next - Int64(Self.capacity))
        var lost = 0
        var run = Run()
        while judged < newest.number {
            let place = Int(judged) % Self.capacity
            let packet = ring[place]
            if packet.isOpen, packet.sequence == UInt16(truncatingIfNeeded: judged) {
                let sent = packet.time(before: now)
                guard newest.sent - sent >= Self.patience else { break }
                if packet.isMissing {
                    lost += 1
                } else {
                    if judged >= run.end { run = self.run(from: judged, newest) }
                    let arrival = run.next() ?? newest.arrival - (newest.sent - sent)
                    unheard(Delivery(number: judged, sent: sent, arrival: arrival, bytes: packet.bytes))
                }
                ring[place].close()
            }
            judged += 1
        }
        return lost
    }

    /// Packets of which nothing is known, between two that arrived: they came in between, one after the other.
    private struct Run {
        var end: Int64 = -1
        var began: Instant?
        var step = Duration.zero

        mutating func next() -> Instant? {
            began = began.map { $0 + step }
            return began
        }
    }

    /// How far back an arrival is looked for.
    private static let reach: Int64 = 64

    private func run(from first: Int64, _ newest: Delivery) -> Run {
        var run = Run()
        var (count, end) = (0, first)
        var after: Instant?
        while end <= newest.number, after == nil {
            after = arrival(of: end, newest)
            let packet = ring[Int(end) % Self.capacity]
            if packet.isOpen, !packet.isMissing { count += 1 }
            end += 1
        }
        run.end = end
        var place = first - 1
        while place >= 0, first - place <= Self.reach, run.began == nil {
            run.began = arrival(of: place, newest)
            place -= 1
        }
        guard let before = run.began, let after else { return run }
        run.step = max(.zero, .nanoseconds((after - before).nanoseconds / Int64(count + 1)))
        return run
    }

    private func arrival(of number: Int64, _ newest: Delivery) -> Instant? {
        let packet = ring[Int(number) % Self.capacity]
        guard packet.hasArrived, packet.sequence == UInt16(truncatingIfNeeded: number) else { return nil }
        let before = Int32(bitPattern: Self.ticks(newest.arrival) &- packet.ticks)
        return newest.arrival - .nanoseconds(Int64(before) * 1_000_000_000 >> 16)
    }
}
