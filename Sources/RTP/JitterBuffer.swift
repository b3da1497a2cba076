import Base

/// Puts one sender's Opus packets in order and holds them just long enough, RFC 3550 §6.4.1's jitter in mind: late ones come in time, and sound is not later than it must be.
///
/// Pulled, not pushed: the mixer asks for the next packet when its decoder has less than a tick. All storage is made at the start.
///
/// The delay is never mended by leaving packets out amid speech: with each packet the buffer says its `excess`, the decoder makes the sound so much shorter
/// or longer as it can without being heard to, and says how much that was (`shortened(by:)`). See docs/decisions/catching-up.md.
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
        /// Came in time with a later packet (RFC 2198), their own being missing.
        package var restored: UInt64 = 0
        /// Answers that were `conceal`.
        package var concealed: UInt64 = 0
        /// Left out: after a standstill, or of a flood.
        package var discarded: UInt64 = 0
        /// By which the decoder made sound shorter or longer, at 48 kHz.
        package var samplesShortened: UInt64 = 0
        package var samplesLengthened: UInt64 = 0
        /// How long after the promptest packets' arrival sound should be played, and is.
        package var targetMilliseconds = 0.0
        package var delayMilliseconds = 0.0
        package init() {}

        /// Adds another buffer's counts, for sums; delays are not added.
        package mutating func add(_ other: Statistics) {
            received &+= other.received
            duplicate &+= other.duplicate
            late &+= other.late
            lost &+= other.lost
            recovered &+= other.recovered
            restored &+= other.restored
            concealed &+= other.concealed
            discarded &+= other.discarded
            samplesShortened &+= other.samplesShortened
            samplesLengthened &+= other.samplesLengthened
        }
    }

    /// 64 packets: more than a second.
    private static let capacity = 64
    private static let largestPayload = 1_500
    /// Bounds of the delay after the promptest packet, in ns.
    private static let shortest = 20_000_000.0
    private static let longest = ArrivalWindows.longest
    /// Added to the largest lateness of late, in ns: what a packet's way through the server's own threads may take.
    private static let margin = 8_000_000.0
    /// Where so much of the margin is left, in ns, the sound is made longer.
    private static let leastMargin = 3_000_000.0
    /// More waiting than this, in ns, is a flood: nobody buffers that.
    private static let flood = longest + 200_000_000
    /// Less than this, in samples, is not worth a cut.
    private static let leastExcess = 240
    /// A mixer's tick, in samples.
    private static let tick: Int64 = 960
    /// Concealed in a row before the sender is taken to have stopped.
    private static let mostConcealed = 5
    /// Packets over which the least delay is looked for before it goes down, twice: a late tick of the mixer is no delay.
    private static let lookInterval = 8

    private struct Slot: Sendable {
        var sequence: Int64 = -1
        /// The last that came in this place, played or not.
        var arrived: Int64 = -1
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
    /// Packets' time that was concealed while nothing had come: lost packets that turn out to belong there are not concealed again.
    private var filled = 0
    /// Samples that passed without a listener and were not taken yet.
    private var owed: Int64 = 0
    /// Samples of a packet, as consecutive timestamps show.
    private var packetSamples: Int64 = 960
    private var lastInserted: (sequence: Int64, timestamp: Int64)?
    private var endOfPlayed: Int64?
    private var arrivals = ArrivalWindows()
    /// The least delay, as moment of playing minus media time in ns, of the packets looked at now and of those before them.
    private var leastNow = Double.infinity
    private var leastBefore = Double.infinity
    private var sinceLook = 0
    /// Of the packet given last: samples by which its sound should become shorter so that the delay is what it should be, negative where it must become longer.
    package private(set) var excess = 0
    package private(set) var statistics = Statistics()

    package init() {}

    /// When a packet should be played, as moment minus media time in ns, with so much `margin` after the latest one of late.
    private func target(margin: Double) -> Double {
        min(max(arrivals.most + margin, arrivals.least + (margin < Self.margin ? 0 : Self.shortest)), arrivals.least + Self.longest)
    }

    /// Sound that waits, in ns.
    private var level: Double {
        guard let turn, highest >= turn else { return 0 }
        return Self.nanoseconds((highest - turn + 1) * packetSamples)
    }

    private static func nanoseconds(_ samples: Int64) -> Double { Double(samples) * 1e9 / 48_000 }

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
        let isCopy = slot(sequence).arrived == sequence
        if !isCopy { measure(sequence, time, now) }
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

    /// Takes what a later packet says of an earlier one (RFC 2198), where that has not come. To be given before the later packet itself.
    ///
    /// What comes late by it is lateness too: the delay grows until redundancy comes in time.
    package mutating func insert(
        redundant payload: Span<UInt8>, ssrc: UInt32 = 0, sequenceNumber: UInt16, timestamp: UInt32, now: Instant
    ) {
        guard payload.count > 0, payload.count <= Self.largestPayload, let turn, let last = lastInserted, self.ssrc == ssrc else { return }
        // On copies: what is only told of, and by a sender that may have begun anew, moves nothing.
        var (sequences, timestamps) = (sequences, timestamps)
        let (sequence, time) = (sequences.unwrap(sequenceNumber), timestamps.unwrap(timestamp))
        guard sequence >= 0, abs(sequence - turn) < Int64(Self.capacity) / 2, slot(sequence).arrived != sequence else { return }
        // Across a pause of the sender numbers and times do not go together, and its place is not known.
        guard time - last.timestamp == (sequence - last.sequence) * packetSamples else { return }
        statistics.received += 1
        let arrival = Double(now.nanoseconds)
        arrivals.note(arrival - Self.nanoseconds(time), arrival: arrival)
        guard sequence >= turn else {
            // Once is enough: another packet may tell of it again.
            slots[Int(sequence % Int64(Self.capacity))].arrived = max(slot(sequence).arrived, sequence)
            return statistics.late += 1
        }
        highest = max(highest, sequence)
        statistics.restored += 1
        store(payload, sequence, time)
    }

    /// Packets were kept from it for a while, as of silence: the next one begins anew. What is known of the way's jitter stays.
    package mutating func resume() {
        for index in slots.indices { slots[index] = Slot() }
        turn = nil
        highest = -1
        isPlaying = false
        concealed = 0
        hasPlayed = false
        filled = 0
        // The clocks have gone on; how far apart they are is to be seen again.
        (lastInserted, endOfPlayed) = (nil, nil)
        arrivals.forgetClock()
    }

    private mutating func begin(_ ssrc: UInt32) {
        self.ssrc = ssrc
        beginnings += 1
        (sequences, timestamps) = (SequenceUnwrapper(), TimestampUnwrapper())
        for index in slots.indices { slots[index] = Slot() }
        turn = nil
        highest = -1
        isPlaying = false
        concealed = 0
        hasPlayed = false
        filled = 0
        lastInserted = nil
        endOfPlayed = nil
        arrivals.reset()
    }

    private mutating func measure(_ sequence: Int64, _ time: Int64, _ now: Instant) {
        if let last = lastInserted, sequence == last.sequence + 1 {
            let samples = time - last.timestamp
            if samples >= 120, samples <= 2_880 { packetSamples = samples }
        }
        if sequence > lastInserted?.sequence ?? -1 { lastInserted = (sequence, time) }
        let arrival = Double(now.nanoseconds)
        arrivals.note(arrival - Self.nanoseconds(time), arrival: arrival)
        statistics.targetMilliseconds = (target(margin: Self.margin) - arrivals.least) / 1e6
    }

    private func slot(_ sequence: Int64) -> Slot { slots[Int(sequence % Int64(Self.capacity))] }

    private mutating func store(_ payload: Span<UInt8>, _ sequence: Int64, _ time: Int64) {
        if bytes.isEmpty { bytes = [UInt8](repeating: 0, count: Self.capacity * Self.largestPayload) }
        let place = Int(sequence % Int64(Self.capacity))
        slots[place] = Slot(sequence: sequence, arrived: sequence, timestamp: time, length: payload.count)
        for index in payload.indices { bytes[place &* Self.largestPayload &+ index] = payload[index] }
    }

    // MARK: Out

    /// - Parameters:
    ///   - held: samples that the decoder has and nobody took yet: what is given now is played after them.
    ///   - payload: room for 1 500 bytes.
    package mutating func next(now: Instant, held: Int = 0, into payload: inout MutableSpan<UInt8>) -> Next {
        excess = 0
        guard let first = turn else { return .nothing }
        if !isPlaying {
            guard hasWaitedEnough(now) else { return .nothing }
            begin(at: first, now)
        }
        if level > Self.flood { while level > Self.longest, let turn { skip(to: turn + 1) } }
        passFilled()
        guard let turn, highest >= turn else { return underrun() }
        let waiting = slot(turn)
        if waiting.sequence == turn { return play(waiting, held: held, now, into: &payload) }
        statistics.lost += 1
        self.turn = turn + 1
        let successor = slot(turn + 1)
        guard successor.sequence == turn + 1 else {
            concealed += 1
            // A long hole is not filled with noise: what comes after it is next.
            if concealed > Self.mostConcealed { skipLost() }
            statistics.concealed += 1
            return .conceal
        }
        statistics.recovered += 1
        return .recover(length: copy(successor, into: &payload))
    }

    /// Lets 20 ms pass without anybody listening, so that the delay stays right for when somebody does: what is too much is left out, what is missing waited for.
    /// - Returns: whether something waits still.
    package mutating func skipTick(now: Instant) -> Bool {
        var nowhere = MutableSpan<UInt8>()
        owed += Self.tick
        while owed > 0 {
            guard next(now: now, held: Int(Self.tick - owed), into: &nowhere) != .nothing else {
                owed = 0
                return turn.map { highest >= $0 } ?? false
            }
            owed -= packetSamples
            if excess >= packetSamples {
                owed += packetSamples
                adjust(by: packetSamples)
            } else if excess < 0 {
                owed -= Self.tick
                adjust(by: -Self.tick)
            }
        }
        return true
    }

    /// Begun when the target is buffered, or when the first packet there has waited for it: a sender of one packet is heard too.
    private func hasWaitedEnough(_ now: Instant) -> Bool {
        guard var first = turn, highest >= first else { return false }
        while first < highest, slot(first).sequence != first { first += 1 }
        let target = target(margin: Self.margin)
        return Self.nanoseconds((highest - first + 1) * packetSamples) > target - arrivals.least || offset(slot(first), now) >= target
    }

    /// Moment of playing minus media time, in ns.
    private func offset(_ waiting: Slot, _ now: Instant) -> Double { Double(now.nanoseconds) - Self.nanoseconds(waiting.timestamp) }

    private mutating func begin(at first: Int64, _ now: Instant) {
        isPlaying = true
        (leastNow, leastBefore, sinceLook) = (.infinity, .infinity, 0)
        if slot(first).sequence != first { skipLost() }
        // After a standstill: what is older than the longest delay is not waited for by anybody. Nothing is cut in two, since nothing was being played.
        let longest = arrivals.least + Self.longest
        while let turn, highest > turn, slot(turn).sequence != turn || offset(slot(turn), now) > longest { skip(to: turn + 1) }
    }

    private mutating func skipLost() { while let now = turn, now <= highest, slot(now).sequence != now { turn = now + 1 } }

    /// Lost packets whose time was concealed already: concealed once more they would only be delay.
    private mutating func passFilled() {
        while filled > 0, let passed = turn, passed < highest, slot(passed).sequence != passed {
            filled -= 1
            statistics.lost += 1
            turn = passed + 1
        }
    }

    private mutating func play(_ waiting: Slot, held: Int, _ now: Instant, into payload: inout MutableSpan<UInt8>) -> Next {
        let offset = offset(waiting, now)
        // A jump in media time without a jump in numbers is silence by DTX: the talk spurt after it is buffered anew.
        if let end = endOfPlayed, waiting.timestamp - end > 4 * packetSamples, offset < target(margin: Self.margin), level < Self.longest {
            endOfPlayed = nil
            isPlaying = false
            return .nothing
        }
        (concealed, filled, hasPlayed) = (0, 0, true)
        turn = waiting.sequence + 1
        endOfPlayed = waiting.timestamp + packetSamples
        pace(offset, held: held)
        // Played once: a number that comes again is late, not new.
        slots[Int(waiting.sequence % Int64(Self.capacity))].sequence = -1
        return .packet(length: copy(waiting, into: &payload))
    }

    private mutating func underrun() -> Next {
        concealed += 1
        guard concealed > Self.mostConcealed else {
            filled += 1
            statistics.concealed += 1
            return .conceal
        }
        isPlaying = false
        filled = 0
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

    /// Compares the delay with what it should be.
    ///
    /// Packets are asked for in ticks, so their moment moves in steps: sound that becomes shorter by what the decoder holds leaves it where it is; one sample
    /// more, and each packet is asked for a tick earlier. So the excess is whole steps that are there to spare, and what is held.
    /// - Parameter offset: moment of asking minus media time, in ns.
    private mutating func pace(_ offset: Double, held: Int) {
        let step = min(packetSamples, Self.tick)
        let spare = max(0, Int64(held) - (Self.tick - step))
        leastNow = min(leastNow, offset + Self.nanoseconds(spare))
        sinceLook += 1
        if sinceLook >= Self.lookInterval { (leastBefore, leastNow, sinceLook) = (leastNow, .infinity, 0) }
        statistics.delayMilliseconds = (offset + Self.nanoseconds(spare) - arrivals.least) / 1e6
        let least = min(leastBefore, leastNow)
        let slack = least - Self.nanoseconds(spare) - target(margin: Self.margin)
        if slack >= 0, leastBefore.isFinite {
            let whole = Int64(slack / Self.nanoseconds(step)) * step
            excess = Int(min(whole + spare, 48_000))
            if excess < Self.leastExcess { excess = 0 }
        } else if offset < target(margin: Self.leastMargin) {
            excess = -Int((target(margin: Self.margin) - offset) * 48_000 / 1e9)
        }
    }

    /// The decoder made sound shorter by so many samples, or longer where negative.
    package mutating func shortened(by samples: Int) {
        if samples > 0 { statistics.samplesShortened += UInt64(samples) } else { statistics.samplesLengthened += UInt64(-samples) }
        adjust(by: Int64(samples))
    }

    private mutating func adjust(by samples: Int64) {
        leastNow -= Self.nanoseconds(samples)
        leastBefore -= Self.nanoseconds(samples)
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
