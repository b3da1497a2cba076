import Base

/// Puts one sender's Opus packets in order and holds them just long enough, RFC 3550 §6.4.1's jitter in mind: late ones come in time, and sound is not later than it must be.
///
/// Pulled, not pushed: the mixer asks for the next packet when its decoder has less than a tick. All storage is made at the start.
package struct JitterBuffer: Sendable {
    /// What there is to play.
    package enum Next: Equatable, Sendable {
        /// The packet in its turn: so many bytes were copied.
        case packet(length: Int)
        /// It is lost, its successor has come and was copied: take its in-band error correction. The successor itself is the next answer.
        case recover(length: Int)
        /// It is lost, or late; nothing is known of it.
        case conceal
        /// Nothing is to be played: not begun, silence by DTX, or the sender stopped.
        case nothing
    }

    package struct Statistics: Equatable, Sendable {
        package var received: UInt64 = 0
        package var duplicate: UInt64 = 0
        /// Came after their turn.
        package var late: UInt64 = 0
        package var lost: UInt64 = 0
        package var recovered: UInt64 = 0
        /// Left out so that the delay goes down.
        package var discarded: UInt64 = 0
        package var targetMilliseconds = 0.0
        package init() {}
    }

    /// 64 packets: more than a second.
    private static let capacity = 64
    private static let largestPayload = 1_500
    private static let shortest = 20_000_000.0
    private static let longest = 250_000_000.0
    /// Of arrival beyond the latest one lately.
    private static let margin = 8_000_000.0
    /// Concealed in a row before the sender is taken to have stopped.
    private static let mostConcealed = 5
    /// Packets between two looks whether the delay can go down: about a second.
    private static let lookInterval = 50

    private struct Slot: Sendable {
        var sequence: Int64 = -1
        var timestamp: Int64 = 0
        var length = 0
    }

    private var slots = [Slot](repeating: Slot(), count: capacity)
    /// Made with the first packet: one who only listens sends none.
    private var bytes: [UInt8] = []
    private var sequences = SequenceUnwrapper()
    private var timestamps = TimestampUnwrapper()
    private var ssrc: UInt32?
    /// How often a sender began: the first one, each other SSRC, each jump of the numbers. What decodes its packets begins anew with it.
    package private(set) var beginnings = 0
    /// The packet whose turn is next; nil before the first.
    private var turn: Int64?
    private var highest: Int64 = -1
    private var isPlaying = false
    private var hasPlayed = false
    private var concealed = 0
    /// Samples that passed without a listener and were not taken yet.
    private var owed: Int64 = 0
    /// Samples of a packet, as consecutive timestamps show.
    private var packetSamples: Int64 = 960
    private var lastInserted: (sequence: Int64, timestamp: Int64)?
    private var endOfPlayed: Int64?
    /// Arrival minus media time of the promptest packets, in ns; drifts up slowly to follow the sender's clock.
    private var baseline: Double?
    private var peak = 0.0
    private var sincelook = 0
    private var leastLevel = Double.infinity
    package private(set) var statistics = Statistics()

    package init() {}

    /// How long packets are held at least, in ns.
    private var target: Double { min(Self.longest, max(Self.shortest, peak + Self.margin)) }

    /// Sound that waits, in ns.
    private var level: Double {
        guard let turn, highest >= turn else { return 0 }
        return Double((highest - turn + 1) * packetSamples) * 1e9 / 48_000
    }

    // MARK: In

    /// Takes one packet as it came.
    /// - Parameter payload: an Opus packet; empty or longer than 1 500 bytes is refused.
    package mutating func insert(_ payload: Span<UInt8>, ssrc: UInt32 = 0, sequenceNumber: UInt16, timestamp: UInt32, now: Instant) {
        guard payload.count > 0, payload.count <= Self.largestPayload else { return }
        if self.ssrc != ssrc { begin(ssrc) }
        var sequence = sequences.unwrap(sequenceNumber)
        if let turn, abs(sequence - turn) > 1_000 {
            begin(ssrc)  // the sender began anew
            sequence = sequences.unwrap(sequenceNumber)
        }
        statistics.received += 1
        let time = timestamps.unwrap(timestamp)
        measure(sequence, time, now)
        guard let turn = turn else {
            (self.turn, highest) = (sequence, sequence)
            return store(payload, sequence, time)
        }
        if sequence < turn {
            // Before anything was played an earlier packet may still go first.
            if !isPlaying, !hasPlayed, turn - sequence < 8 { self.turn = sequence } else { return statistics.late += 1 }
        }
        if sequence - (self.turn ?? sequence) >= Int64(Self.capacity) { skip(to: sequence - Int64(Self.capacity) / 2) }
        if slot(sequence).sequence == sequence { return statistics.duplicate += 1 }
        highest = max(highest, sequence)
        store(payload, sequence, time)
    }

    /// Packets were kept from it for a while, as of silence: the next one begins anew. What is known of the way's jitter stays.
    package mutating func resume() {
        for index in slots.indices { slots[index].sequence = -1 }
        turn = nil
        highest = -1
        isPlaying = false
        concealed = 0
        hasPlayed = false
        // The clocks have gone on; how far apart they are is to be seen again.
        (lastInserted, endOfPlayed, baseline) = (nil, nil, nil)
    }

    private mutating func begin(_ ssrc: UInt32) {
        self.ssrc = ssrc
        beginnings += 1
        (sequences, timestamps) = (SequenceUnwrapper(), TimestampUnwrapper())
        for index in slots.indices { slots[index].sequence = -1 }
        turn = nil
        highest = -1
        isPlaying = false
        concealed = 0
        hasPlayed = false
        lastInserted = nil
        endOfPlayed = nil
        baseline = nil
        peak = 0
    }

    private mutating func measure(_ sequence: Int64, _ time: Int64, _ now: Instant) {
        if let last = lastInserted, sequence == last.sequence + 1 {
            let samples = time - last.timestamp
            if samples >= 120, samples <= 2_880 { packetSamples = samples }
        }
        if sequence > lastInserted?.sequence ?? -1 { lastInserted = (sequence, time) }
        let moment = Double(now.nanoseconds) - Double(time) * 1e9 / 48_000
        // Media time jumped back against the clock: what was measured before says nothing any more.
        if let known = baseline, moment - known > 1e9 { (baseline, peak) = (nil, 0) }
        // 20 µs a packet, a thousandth of its length: faster than any quartz drifts.
        let base = min(moment, (baseline ?? moment) + 20_000)
        baseline = base
        let lateness = min(moment - base, Self.longest)
        peak = lateness > peak ? lateness : peak * 0.998
        statistics.targetMilliseconds = target / 1e6
    }

    private func slot(_ sequence: Int64) -> Slot { slots[Int(sequence % Int64(Self.capacity))] }

    private mutating func store(_ payload: Span<UInt8>, _ sequence: Int64, _ time: Int64) {
        if bytes.isEmpty { bytes = [UInt8](repeating: 0, count: Self.capacity * Self.largestPayload) }
        let place = Int(sequence % Int64(Self.capacity))
        slots[place] = Slot(sequence: sequence, timestamp: time, length: payload.count)
        for index in payload.indices { bytes[place &* Self.largestPayload &+ index] = payload[index] }
    }

    // MARK: Out

    /// - Parameter payload: room for 1 500 bytes.
    package mutating func next(now: Instant, into payload: inout MutableSpan<UInt8>) -> Next {
        guard let first = turn else { return .nothing }
        if !isPlaying {
            guard hasWaitedEnough(now) else { return .nothing }
            isPlaying = true
            if slot(first).sequence != first { skipLost() }
        }
        shrink()
        guard let turn, highest >= turn else { return underrun() }
        let waiting = slot(turn)
        if waiting.sequence == turn { return play(waiting, into: &payload) }
        statistics.lost += 1
        self.turn = turn + 1
        let successor = slot(turn + 1)
        guard successor.sequence == turn + 1 else {
            concealed += 1
            // A long hole is not filled with noise: what comes after it is next.
            if concealed > Self.mostConcealed { skipLost() }
            return .conceal
        }
        statistics.recovered += 1
        return .recover(length: copy(successor, into: &payload))
    }

    /// Lets 20 ms pass without anybody listening, so that the delay stays right for when somebody does.
    /// - Returns: whether something waits still.
    package mutating func skipTick(now: Instant) -> Bool {
        var nowhere = MutableSpan<UInt8>()
        owed += 960
        while owed > 0 {
            guard next(now: now, into: &nowhere) != .nothing else {
                owed = 0
                return turn.map { highest >= $0 } ?? false
            }
            owed -= packetSamples
        }
        return true
    }

    /// Begun when the target is buffered, or when the first packet has waited for it: a sender of one packet is heard too.
    private func hasWaitedEnough(_ now: Instant) -> Bool {
        guard highest >= turn ?? 0 else { return false }
        if level > target { return true }
        guard let baseline, let turn, slot(turn).sequence == turn else { return level >= target }
        return Double(now.nanoseconds) - baseline - Double(slot(turn).timestamp) * 1e9 / 48_000 >= target
    }

    private mutating func skipLost() { while let now = turn, now <= highest, slot(now).sequence != now { turn = now + 1 } }

    private mutating func play(_ waiting: Slot, into payload: inout MutableSpan<UInt8>) -> Next {
        // A jump in media time without a jump in numbers is silence by DTX: the talk spurt after it is buffered anew.
        if let end = endOfPlayed, waiting.timestamp - end > 4 * packetSamples, level < target {
            endOfPlayed = nil
            isPlaying = false
            return .nothing
        }
        (concealed, hasPlayed) = (0, true)
        turn = waiting.sequence + 1
        endOfPlayed = waiting.timestamp + packetSamples
        leastLevel = min(leastLevel, level)
        sincelook += 1
        // Played once: a number that comes again is late, not new.
        slots[Int(waiting.sequence % Int64(Self.capacity))].sequence = -1
        return .packet(length: copy(waiting, into: &payload))
    }

    private mutating func underrun() -> Next {
        concealed += 1
        leastLevel = 0
        guard concealed > Self.mostConcealed else { return .conceal }
        isPlaying = false
        endOfPlayed = nil
        return .nothing
    }

    private func copy(_ waiting: Slot, into payload: inout MutableSpan<UInt8>) -> Int {
        let length = min(waiting.length, payload.count)
        let start = Int(waiting.sequence % Int64(Self.capacity)) * Self.largestPayload
        for index in 0..<length { payload[index] = bytes[start &+ index] }
        return length
    }

    // MARK: The delay

    /// Leaves packets out where more waits than needed: at once after a burst, otherwise one at a time.
    private mutating func shrink() {
        let packet = Double(packetSamples) * 1e9 / 48_000
        while level > target + 10 * packet, let turn { skip(to: turn + 1) }
        guard sincelook >= Self.lookInterval else { return }
        // What remained at the least moment of the last second was never needed.
        if leastLevel > max(target - Self.shortest, 0) + packet, let turn, highest > turn { skip(to: turn + 1) }
        (sincelook, leastLevel) = (0, .infinity)
    }

    private mutating func skip(to sequence: Int64) {
        guard let turn, sequence > turn else { return }
        for passed in turn..<min(sequence, turn + Int64(Self.capacity)) where slot(passed).sequence == passed {
            statistics.discarded += 1
            slots[Int(passed % Int64(Self.capacity))].sequence = -1
        }
        self.turn = sequence
        highest = max(highest, sequence - 1)
    }
}
