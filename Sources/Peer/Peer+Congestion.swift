import ICE
import RTP
import SDP

extension Peer {
    /// Which tier the line to the peer can carry: 0 the highest, then 1 and 2.
    package var recommendedTier: Int { tiers.tier }

    /// Tells the sender when its packets came (transport-wide feedback), each 100 ms.
    func sendTransportFeedback(now: Instant, sink: inout some PeerSink) {
        guard let due = arrivals.deadline, due <= now, let address = ice.address else { return }
        let (sender, media) = (ownSSRC, incoming.first?.ssrc ?? 0)
        var sent = 0
        room.send { packet in
            var writer = ByteWriter()
            guard arrivals.write(sender: sender, media: media, with: &writer, to: &packet), !writer.overflowed else { return nil }
            return try? srtp?.protectRTCP(&packet, length: writer.count)
        } _: { sealed in
            sent = sealed.count
            sink.send(sealed, to: address)
        }
        if sent > 0 { statistics.packetsSent &+= 1 }
        statistics.bytesSent &+= UInt64(sent)
    }

    /// Transport-wide feedback about what we sent.
    func takeTransportFeedback(_ message: Span<UInt8>, now: Instant) {
        do throws(PacketError) {
            let header = try RTCPHeader(parsing: message.bytes, at: 0)
            try estimate.receive(message.bytes, FeedbackHeader(parsing: message.bytes, header: header), now: now)
        } catch { drops.count(.rtcpMalformed) }
    }

    /// REMB: what the peer says it can take.
    func takeReceiverEstimate(_ message: Span<UInt8>) {
        do throws(PacketError) {
            let header = try RTCPHeader(parsing: message.bytes, at: 0)
            let feedback = try FeedbackHeader(parsing: message.bytes, header: header)
            if let limit = try ReceiverEstimate.bitsPerSecond(in: message.bytes, feedback) { statistics.estimatedBitsPerSecond = limit }
        } catch { drops.count(.rtcpMalformed) }
    }

    func evaluateLine(now: Instant) {
        let limits = [statistics.estimatedBitsPerSecond, configuration.negotiated.video?.stream.maxBitsPerSecond].compactMap { $0 }
        let line = TierSelector.Line(
            loss: max(estimate.loss, statistics.lossDown), queueMilliseconds: estimate.queueMilliseconds, limitBitsPerSecond: limits.min())
        tiers.evaluate(line, now: now)
    }
}
