import Base

/// All that decides how much one receiver with transport-wide feedback is sent: the estimate of its line, what is known of its loss, the probe, and from them
/// the tier of its picture and how fast packets leave. Sans-IO; one a peer.
package struct SendControl: Sendable {
    /// Without feedback for so long, though sound goes out all the time, nothing arrives.
    static let deafAfter = Duration.seconds(2)
    /// So many packets must have left in that time: a picture each two seconds is no reason for feedback in between.
    private static let leastUnanswered: Int64 = 10
    /// After so much silence what was under way is not judged.
    static let silence = Duration.seconds(5)
    /// Reports that come without any feedback: the receiver gives none, whatever it promised.
    private static let mostReportsWithout = 8
    /// Of what is sent more than half gets through on any line that can be used.
    private static let heavyLoss = 0.35
    /// Fewer packets in three seconds are too few to act upon: the first of a session often find nobody. Of heavy loss fewer tell.
    private static let (manyPackets, somePackets) = (80, 40)
    /// So few bits a second make a line lose seldom, and then there is a queue to see.
    private static let little = 350_000.0
    /// What waits for more than so many milliseconds in the mean, or than jitter explains, waits.
    private static let noQueue = 12.0
    private var waits: Bool { meanQueue > max(Self.noQueue, gauge.unrest * 0.7) }
    /// While nothing is known: what an encoder sends too much need not pile up.
    private static let paceFactor = 1.1
    /// Of the estimate: sound comes in steps too.
    private static let share = 0.92
    /// A line that carries so many times what is sent needs no pacing.
    private static let roomy = 3.0

    private(set) var gauge = QueueGauge()
    /// Of the last second or so, ms.
    private var meanQueue = 0.0
    private var arriving = DeliveryMeter()
    private var leaving = DeliveryMeter()
    private var bursts = BurstMeter()
    package private(set) var estimate: LineEstimate
    package private(set) var probe = LineProbe()
    private var judge = LossJudge()
    package private(set) var loss = LossWindow()
    package private(set) var choice: TierChoice
    /// When feedback came last.
    private var lastFeedback: Instant?
    private var reportsWithout = 0
    /// Packets that had left when feedback came last.
    private var answered: Int64 = 0
    private var nextKnock: Instant?
    private var bitsBeforeTrial: Double?
    private var isDeaf = false
    private static let someLoss = 0.05
    private var lag = Duration.milliseconds(200)
    /// Queues that probes made.
    private var probed = 0
    /// Also before anything is known.
    private let paces: Bool

    /// - Parameters:
    ///   - best: the highest tier that the receiver takes at all.
    ///   - promised: what it said it takes at the most, bit/s.
    package init(best: TierID = TierTable.usual.best, table: TierTable = .usual, promised: Int? = nil) {
        choice = TierChoice(best: best, table: table, promised: promised)
        (estimate, paces) = (LineEstimate(), true)
    }

    /// For one that has its pictures ready (`TierTable.ready`): it sends them as they come until its line says otherwise.
    package init(ready table: TierTable) {
        choice = TierChoice(table: table, heedsLoss: false)
        (estimate, paces) = (LineEstimate(start: Double(table[table.least].neededBitsPerSecond)), false)
        gauge = unknownLine
    }

    /// Other pictures of the same kind.
    package mutating func change(to table: TierTable) { choice.change(to: table) }

    /// Milliseconds by which the line of one that has all its pictures to lose may waver before anything is known of it: the first wave of jitter is taken for
    /// a queue otherwise, and a queue of its own grows beyond that in a moment.
    private static let doubt = 110.0
    private var unknownLine: QueueGauge { QueueGauge(unrest: paces ? 0 : Self.doubt) }

    // MARK: What it says

    /// Feedback does not come although it was promised: who sends must go by reports alone.
    package var isUnheard: Bool { reportsWithout >= (lastFeedback == nil ? 1 : 3) * Self.mostReportsWithout }

    /// The tier to be sent; nil for sound alone.
    package var tier: TierID? { choice.tier }

    /// No picture leaves for now: nothing arrives, or there is room for sound alone, or a queue is emptied before a smaller picture begins.
    package var holdsPictures: Bool { isDeaf || choice.tier == nil || choice.waitsForRoom && gauge.milliseconds > 60 }

    /// What the line carries, bit/s; nil before that is known, and of a line that carries more than anyone needs.
    package var lineBitsPerSecond: Int? {
        guard estimate.isKnown, !isFast else { return nil }
        return Int(estimate.bitsPerSecond)
    }

    /// What of it was seen lately: repairs of packets that a queue dropped must not fill it.
    package var carriedLately: Int? { lineBitsPerSecond.map { min($0, Int(estimate.lately * 1.15)) } }

    package var isFast: Bool { bursts.isFast }
    package var queueMilliseconds: Double { gauge.milliseconds }

    /// How fast pictures, repairs and padding may leave, bit/s; nil for as they come.
    package var pacingBitsPerSecond: Double? {
        if let draining = estimate.draining(gauge.milliseconds) { return draining }
        if bursts.isFast { return nil }
        let bits = estimate.bitsPerSecond
        guard estimate.isKnown else { return paces ? bits * Self.paceFactor : nil }
        guard let need = choice.need else { return bits * Self.share }
        // A tier is kept that needs a little more than the estimate, which has that little in reserve.
        return bits > need * Self.roomy ? nil : max(bits * Self.share, min(need, bits * TierChoice.slack))
    }

    // MARK: What it is told

    /// One feedback message.
    /// - Parameter packets: what was sent.
    /// - Throws: `PacketError` where it is not one; what was read before counts.
    package mutating func receive(
        _ datagram: RawSpan, _ feedback: FeedbackHeader, of packets: inout SentPackets, now: Instant
    ) throws(PacketError) {
        if let lastFeedback, isDeaf || now - lastFeedback > Self.silence {
            packets.forgive()
            wake()
        }
        var (gauge, arriving, leaving, bursts) = (gauge, arriving, leaving, bursts)
        let lately = loss.fraction(over: 2, now: now) ?? 0
        let came = lately < Self.heavyLoss ? 1 - lately : 0
        var arrived = 0
        var newest = now
        var tally = probe.tally
        defer { (self.gauge, self.arriving, self.leaving, self.bursts) = (gauge, arriving, leaving, bursts) }
        let lost = try packets.receive(
            datagram, feedback, now: now,
            { delivery in
                let late = gauge.add(sent: delivery.sent, arrival: delivery.arrival)
                arriving.add(bytes: delivery.bytes, at: delivery.arrival)
                leaving.add(bytes: delivery.bytes, at: delivery.sent)
                bursts.add(delivery, late: late)
                tally.add(delivery, bytes: delivery.bytes)
                newest = delivery.sent
                arrived += 1
            },
            unheard: { delivery in
                // The message was lost, not the packets: as much of them came as of the others.
                let bytes = Int(Double(delivery.bytes) * came)
                arriving.add(bytes: bytes, at: delivery.arrival)
                leaving.add(bytes: bytes, at: delivery.sent)
                tally.add(delivery, bytes: bytes)
            })
        probe.tally = tally
        guard arrived > 0 else { return }
        lastFeedback = now
        reportsWithout = 0
        isDeaf = false
        answered = packets.count
        lag = lag + (now - newest - lag) / 4
        loss.add(lost: lost, of: arrived + lost, now: now)
        follow(&gauge, arriving, leaving, &bursts, newest: newest, now: now)
    }

    private mutating func follow(
        _ gauge: inout QueueGauge, _ arriving: DeliveryMeter, _ leaving: DeliveryMeter, _ bursts: inout BurstMeter, newest: Instant,
        now: Instant
    ) {
        let episodes = estimate.episodes
        let loses = (loss.fraction(over: 2, now: now) ?? 0) > judge.inherent + Self.someLoss
        meanQueue += (gauge.milliseconds - meanQueue) * 0.1
        estimate.update(
            &gauge, delivered: arriving.bitsPerSecond(), busy: arriving.bitsPerSecond(over: 4), left: leaving.bitsPerSecond(),
            loses: loses, isFast: !loses && bursts.isFast(at: newest), now: now)
        if estimate.episodes > episodes {
            // A queue that a probe made is no fault of the tier.
            if probe.isRunning { probed += 1 }
            // What was before no longer holds.
            bitsBeforeTrial = nil
            bursts.doubt()
            probe.fail(now: now)
        } else if probe.isRunning, gauge.latestMilliseconds > LineEstimate.latestLimit(gauge), gauge.milliseconds > 5 {
            probe.fail(now: now)
        }
        if bursts.isFast, !estimate.isCongested { estimate.set(LineEstimate.most) }
        judgeLoss(now: now, leaving.bitsPerSecond())
        choose(now: now)
    }

    private mutating func judgeLoss(now: Instant, _ left: Double?) {
        let few = loss.fraction(over: LossJudge.span, atLeast: judge.isTrying ? LossWindow.least : Self.somePackets, now: now)
        let known =
            (few ?? 0) > Self.heavyLoss || judge.isTrying ? few : loss.fraction(over: LossJudge.span, atLeast: Self.manyPackets, now: now)
        let lost = known ?? 0
        // What a queue that is full drops says nothing else than the queue does, unless it is hardly seen.
        guard lost > Self.heavyLoss || !estimate.isCongested,
            lost > Self.heavyLoss || now - (estimate.lastQueue ?? .start) > .seconds(2) || estimate.lastQueue == nil
        else {
            return forgetTrial()
        }
        let sent = (left ?? 0) / max(0.1, 1 - lost)
        // Little that is sent cannot be too much, unless hardly anything of it arrives, or it waits.
        let isIdle =
            sent < max(Self.little, estimate.bitsPerSecond * 0.5) && lost < Self.heavyLoss
            && !waits
        switch judge.look(loss: known, isIdle: isIdle, waits: waits, now: now) {
        case .nothing: break
        case .tries(let share):
            bitsBeforeTrial = estimate.bitsPerSecond
            probe.fail(now: now)
            bursts.doubt()
            estimate.set(max(LineEstimate.least, sent * (1 - lost) * share))
        case .isOurs: bitsBeforeTrial = nil
        case .isTheLines:
            // Where most of it is lost still, what was before may have been another line.
            if let before = bitsBeforeTrial { estimate.set(lost > Self.heavyLoss ? min(before, sent * 4) : before) }
            bitsBeforeTrial = nil
        }
    }

    private mutating func choose(now: Instant) {
        choice.follow(
            bits: estimate.bitsPerSecond, isCongested: estimate.isCongested, episodes: estimate.episodes - probed,
            loss: loss.fraction(now: now) ?? 0, now: now)
        if choice.stoodWell(now: now) { probe.succeed() }
    }

    /// A report block about what is sent, which tells of packets that arrived since the one before.
    package mutating func heardReport() { reportsWithout += 1 }

    /// Called now and then, ten times a second or so: what silence says.
    /// - Parameter sent: packets so far.
    package mutating func look(sent: Int64, now: Instant) {
        if let lastFeedback, now - lastFeedback > Self.deafAfter, sent - answered > Self.leastUnanswered, !isDeaf {
            isDeaf = true
            probe.fail(now: now)
            nextKnock = now + .milliseconds(500)
        }
    }

    /// What was tried says nothing any more: neither was the loss ours nor is it to be as before.
    private mutating func forgetTrial() {
        bitsBeforeTrial = nil
        judge.forget()
    }

    /// The receiver has another address: what left for the old one says nothing of its line.
    package mutating func move(_ packets: inout SentPackets) {
        packets.forget()
        wake()
    }

    private mutating func wake() {
        estimate.forgetQueue()
        forgetTrial()
        gauge = unknownLine
        arriving = DeliveryMeter()
        leaving = DeliveryMeter()
    }

    // MARK: Padding

    /// What to send besides, now. To ask each 10 ms or so while a probe runs, else at `deadline`.
    /// - Parameter sent: bytes so far, headers included.
    package mutating func demand(sent: Int64, now: Instant) -> LineProbe.Demand {
        if isDeaf {
            // One whose sound pauses would never hear that the line is back.
            guard now >= nextKnock ?? now else { return .nothing }
            nextKnock = now + .milliseconds(500)
            return .train(packets: 1)
        }
        guard let lastFeedback, estimate.isKnown else { return .nothing }
        let (lost, latest) = (loss.fraction(now: now) ?? 0, loss.fraction(over: 2, now: now) ?? 0)
        // A short queue that overflows.
        let isFull = waits && latest > judge.inherent + Self.someLoss
        let isCalm =
            !isFull && !estimate.isCongested && now - (estimate.lastQueue ?? .start) > .seconds(1)
            && gauge.milliseconds < LineEstimate.limit(gauge)
            && bitsBeforeTrial == nil && now - lastFeedback < .milliseconds(600)
        let line = LineProbe.Line(
            bits: estimate.bitsPerSecond, lately: estimate.lately, isCalm: isCalm, isFast: bursts.isFast,
            queue: gauge.isWavering ? 0 : gauge.latestMilliseconds - gauge.latestUnrest, isWavering: gauge.isWavering, lag: lag, loss: lost,
            latestLoss: latest)
        return probe.demand(
            line, enough: choice.wanted(loss: lost), picture: choice.tier, sent: sent, now: now)
    }

    /// When to ask for a demand at the latest.
    package func deadline(now: Instant) -> Instant {
        probe.deadline(now: now) ?? now + (bursts.isFast && !isDeaf ? .milliseconds(500) : .milliseconds(100))
    }
}
