import Base
import ICE
import RTP
import SDP

extension Peer {
    /// Which tier the line to the peer can carry.
    package var recommendedTier: TierID { tiers.tier }

    /// Tells the sender when its packets came (transport-wide feedback), each 100 ms.
    func sendTransportFeedback(now: Instant, sink: inout some PeerSink) {
        guard let due = arrivals.deadline, due <= now else { return }
        let (sender, media) = (ownSSRC, incoming.first?.ssrc ?? 0)
        sendRTCP(sink: &sink) { writer, packet in _ = arrivals.write(sender: sender, media: media, with: &writer, to: &packet) }
    }

    func evaluateLine(now: Instant) {
        let passed = now - lastEvaluation.time
        let bytes = statistics.bytesSent &- lastEvaluation.bytesSent
        lastEvaluation = (now, statistics.bytesSent)
        let line = TierSelector.Line(
            loss: max(estimate.loss, statistics.lossDown), queueMilliseconds: estimate.queueMilliseconds,
            limitBitsPerSecond: statistics.estimatedBitsPerSecond,
            promisedBitsPerSecond: configuration.negotiated.video?.stream.maxBitsPerSecond,
            sentBitsPerSecond: passed > .zero ? Int(Double(bytes) * 8 / passed.seconds) : 0)
        tiers.evaluate(line, now: now)
    }
}
