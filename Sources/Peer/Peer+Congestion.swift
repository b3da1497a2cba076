import ICE
import RTP
import SDP

extension Peer {
    /// Which tier the line to the peer can carry: 0 the highest, then 1 and 2.
    package var recommendedTier: Int { tiers.tier }

    /// Tells the sender when its packets came (transport-wide feedback), each 100 ms.
    func sendTransportFeedback(now: Instant, sink: inout some PeerSink) {
        guard let due = arrivals.deadline, due <= now else { return }
        let (sender, media) = (ownSSRC, incoming.first?.ssrc ?? 0)
        sendRTCP(sink: &sink) { writer, packet in _ = arrivals.write(sender: sender, media: media, with: &writer, to: &packet) }
    }

    func evaluateLine(now: Instant) {
        var limit = statistics.estimatedBitsPerSecond
        if let told = configuration.negotiated.video?.stream.maxBitsPerSecond { limit = min(limit ?? told, told) }
        let line = TierSelector.Line(
            loss: max(estimate.loss, statistics.lossDown), queueMilliseconds: estimate.queueMilliseconds, limitBitsPerSecond: limit)
        tiers.evaluate(line, now: now)
    }
}
