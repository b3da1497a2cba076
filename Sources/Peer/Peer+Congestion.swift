import Base
import ICE
import RTP
import SDP

extension Peer {
    /// What the line carries as far as feedback tells, bit/s; nil where it does not, or more than anyone needs.
    package var lineBitsPerSecond: Int? { control?.lineBitsPerSecond }

    /// Transport-wide feedback was promised for the picture.
    private var hasFeedback: Bool {
        guard let video = configuration.negotiated.video?.stream, video.sends else { return false }
        return video.sendExtensions.transportSequence != nil && video.feedback.contains(.transportWide)
    }

    /// With each negotiation.
    func makeControl(now: Instant) {
        guard hasFeedback, let table = configuration.sendingTable else {
            control = nil
            return followControl(now: now)
        }
        guard control == nil else { return }
        if isEndpoint {
            control = SendControl(ready: table)
        } else {
            let promised = configuration.negotiated.video?.stream.maxBitsPerSecond
            control = SendControl(best: table.best(within: promised), table: table, promised: promised)
        }
        nextLook = now
        followControl(now: now)
    }

    /// What an endpoint sends from now on takes more or less than before.
    package func setSendingTable(_ table: TierTable, now: Instant) {
        guard isEndpoint, configuration.sendingTable != nil else { return }
        configuration.sendingTable = table
        control?.change(to: table)
        followControl(now: now)
    }

    /// Takes over what control says now, for those who ask with each packet.
    func followControl(now: Instant) {
        guard control?.isUnheard == false else {
            (paces, holdsPictures, recommendedTier) = (false, false, tiers.tier)
            return
        }
        let rate = control?.pacingBitsPerSecond
        (pacing.rate, paces) = (rate ?? 0, rate != nil)
        holdsPictures = control?.holdsPictures ?? false
        recommendedTier = control?.tier
        if holdsPictures { pacing.forget() }
    }

    /// Tells the sender when its packets came (transport-wide feedback), each 100 ms.
    func sendTransportFeedback(now: Instant, sink: inout some PeerSink) {
        guard let due = arrivals.deadline, due <= now else { return }
        let (sender, media) = (ownSSRC, incoming.first?.ssrc ?? 0)
        sendRTCP(sink: &sink) { writer, packet in _ = arrivals.write(sender: sender, media: media, with: &writer, to: &packet) }
    }

    /// Feedback about what we send.
    func takeTransportFeedback(_ datagram: RawSpan, _ feedback: FeedbackHeader, now: Instant, sink: inout some PeerSink) throws(PacketError)
    {
        guard control != nil else {
            // Nobody goes by it; that it is one is checked all the same.
            return try TransportFeedback.forEach(in: datagram, feedback) { _ in }
        }
        defer {
            followControl(now: now)
            sendOn(now: now, sink: &sink)
        }
        try control?.receive(datagram, feedback, of: &sentPackets, now: now)
    }

    /// The other side is reached elsewhere: what went to its old address says nothing of its line, and
    /// a key frame is sooner there than all of that again.
    func followMove(sink: inout some PeerSink) {
        control?.move(&sentPackets)
        if history != nil { sink.wantsKeyFrame() }
        reported = (ReportedLoss(), ReportedLoss())
    }

    /// Once a second.
    func evaluateLine(now: Instant) {
        let passed = now - lastEvaluation.time
        let bytes = statistics.bytesSent &- lastEvaluation.bytesSent
        lastEvaluation = (now, statistics.bytesSent)
        // Feedback tells of everything, reports of what is not sent again.
        let told: Double? = control?.loss.fraction(now: now)
        statistics.lossDown = told ?? reportedLoss.fraction(now: now) ?? 0
        statistics.lineBitsPerSecond = control?.lineBitsPerSecond
        let line = TierSelector.Line(
            loss: statistics.lossDown, limitBitsPerSecond: statistics.estimatedBitsPerSecond,
            promisedBitsPerSecond: configuration.negotiated.video?.stream.maxBitsPerSecond,
            sentBitsPerSecond: passed > .zero ? Int(Double(bytes) * 8 / passed.seconds) : 0)
        tiers.evaluate(line, now: now)
        followControl(now: now)
    }
}
