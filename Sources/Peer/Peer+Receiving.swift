import RTP
import SDP

extension Peer {
    /// Most SSRCs of one peer: three layers with their retransmissions, a screen, sound, and as many again after a change.
    static let mostSources = 24

    /// Whether a packet of `ssrc` may be opened: libsrtp keeps a stream for each SSRC that proved itself, so their number is bounded before it sees one.
    func mayOpen(_ ssrc: UInt32) -> Bool {
        if incoming.count < Self.mostSources || incoming.contains(where: { $0.ssrc == ssrc }) { return true }
        drops.count(.tooManySources)
        return false
    }

    /// With simulcast: take the lowest layer of at least so many lines. Kept for the layer choice; a stream without layers is taken as it is.
    package func setWantedHeight(_ lines: Int, now: Instant, sink: inout some PeerSink) { wantedHeight = lines }

    /// What SRTP opened. For other rooms only to measure and fuzz without a cipher.
    package func receivePlainRTP(_ packet: Span<UInt8>, now: Instant, sink: inout some PeerSink) {
        let ids = (configuration.negotiated.audio?.stream ?? configuration.negotiated.video?.stream)?.receiveExtensions
        guard
            let header = IncomingPacket(
                parsing: packet, audioLevelID: ids?.audioLevel, midID: ids?.mid, transportID: ids?.transportSequence)
        else {
            return drops.count(.rtpMalformed)
        }
        guard let index = source(of: header) else { return drops.count(.unknownPayloadType) }
        incoming[index].received(header, now: now)
        if let number = header.transportSequence { arrivals.received(number, now: now) }
        switch incoming[index].kind {
        case .audio: break
        case .video: return receiveVideo(packet, header, now: now, sink: &sink)
        case .retransmission: return receiveRetransmission(packet, header, now: now, sink: &sink)
        }
        guard !header.payload.isEmpty else { return }
        statistics.audioPacketsReceived &+= 1
        let audio = ReceivedAudio(
            ssrc: header.ssrc, sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, marker: header.marker,
            level: header.level,
            hasVoice: header.hasVoice, arrival: now)
        sink.received(audio, payload: packet.extracting(header.payload))
    }

    /// The stream of a packet: by SSRC, and a new one by its payload type.
    private func source(of header: IncomingPacket) -> Int? {
        if let index = incoming.firstIndex(where: { $0.ssrc == header.ssrc }) { return index }
        guard let kind = kind(of: header) else { return nil }
        incoming.append(IncomingStream(ssrc: header.ssrc, kind: kind, firstSequence: header.sequenceNumber))
        return incoming.count - 1
    }

    private func kind(of header: IncomingPacket) -> IncomingStream.Kind? {
        let negotiated = configuration.negotiated
        if let audio = negotiated.audio?.stream, audio.receives, audio.payloadType == header.payloadType { return .audio }
        guard let video = negotiated.video?.stream, video.receives else { return nil }
        if video.payloadType == header.payloadType { return .video(source: 0) }
        return video.rtxPayloadType == header.payloadType ? .retransmission(source: 0) : nil
    }
}
