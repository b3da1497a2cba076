import Base
import RTP
import SDP

extension Peer {
    /// Most SSRCs of one peer: three layers with their retransmissions, a screen, sound, and as many again after a change.
    static let mostSources = 24

    /// Most sources of one peer that gave their place to others in all its time.
    static let mostRetired = 512

    /// Whether a packet of `ssrc` may be opened: libsrtp keeps a stream for each SSRC that proved itself, so their number is bounded before it sees one.
    func mayOpen(_ datagram: Span<UInt8>, now: Instant) -> Bool {
        // Too short for an SSRC: not opened, and counted where SRTP would refuse it.
        guard let ssrc: UInt32 = try? datagram.bytes.bigEndian(at: 8) else { return false }
        if incoming.contains(where: { $0.ssrc == ssrc }) { return true }
        // What is known of its numbers is gone: anything that was ever sealed for it would open a second time.
        let isRetired = retired.contains(ssrc)
        if !isRetired, incoming.count < Self.mostSources { return true }
        if !isRetired, retired.count < Self.mostRetired, incoming.contains(where: { $0.isGone(now) }) { return true }
        drops.count(.tooManySources)
        return false
    }

    /// Takes the place of the first source that is gone. Where there is none the packet was not opened.
    private func makeRoom(now: Instant) {
        guard incoming.count >= Self.mostSources, let place = incoming.firstIndex(where: { $0.isGone(now) }) else { return }
        let ssrc = incoming[place].ssrc
        incoming.remove(at: place)
        retired.append(ssrc)
        srtp?.forget(ssrc)
    }

    /// What SRTP opened. For other rooms only to measure and fuzz without a cipher.
    package func receivePlainRTP(_ packet: Span<UInt8>, now: Instant, sink: inout some PeerSink) {
        let header: RTPHeader
        let extensions: HeaderExtensions
        do throws(PacketError) {
            header = try RTPHeader(parsing: packet.bytes)
            extensions = try HeaderExtensions(parsing: packet.bytes, header: header, map: extensionMap)
        } catch { return drops.count(.rtpMalformed) }
        guard let index = source(of: header, extensions, in: packet, now: now) else { return }
        incoming[index].received(header, now: now)
        receivedBytes &+= packet.count
        if let number = extensions.transportSequenceNumber { arrivals.received(number, now: now) }
        switch incoming[index].kind {
        case .audio: receiveAudio(packet, header, extensions, now: now, sink: &sink)
        case .video(let source): receiveVideo(packet, header, source: source, now: now, sink: &sink)
        case .retransmission(let source): receiveRetransmission(packet, header, of: index, source: source, now: now, sink: &sink)
        }
    }

    private func receiveAudio(
        _ packet: Span<UInt8>, _ header: RTPHeader, _ extensions: HeaderExtensions, now: Instant, sink: inout some PeerSink
    ) {
        guard !header.payload.isEmpty else { return }
        var payload = header.payload
        if let redundancy, header.payloadType == redundancy.type {
            guard let own = receiveRedundancy(packet, header, inner: redundancy.inner, now: now, sink: &sink) else { return }
            payload = own
        }
        statistics.audioPacketsReceived &+= 1
        guard !payload.isEmpty else { return }
        let audio = ReceivedAudio(
            ssrc: header.ssrc, sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, marker: header.marker,
            level: extensions.audioLevel, hasVoice: extensions.hasVoice, arrival: now)
        sink.received(audio, payload: packet.extracting(payload))
    }

    /// Tells of earlier packets what this one has of them (RFC 2198).
    /// - Returns: the place of its own sound; nil where it is malformed.
    private func receiveRedundancy(
        _ packet: Span<UInt8>, _ header: RTPHeader, inner: UInt8, now: Instant, sink: inout some PeerSink
    ) -> Range<Int>? {
        let payload = packet.extracting(header.payload)
        let redundant: RedundantAudio
        do throws(PacketError) {
            redundant = try RedundantAudio(parsing: payload.bytes, payloadType: inner)
        } catch {
            drops.count(.rtpMalformed)
            return nil
        }
        let samples = RedundantAudio.samples(ofOpus: payload.extracting(redundant.primary).bytes)
        for index in 0..<redundant.count {
            guard let distance = redundant.distance(of: index, samples: samples) else { continue }
            let block = redundant[index]
            var earlier = ReceivedAudio(
                ssrc: header.ssrc, sequenceNumber: header.sequenceNumber &- distance,
                timestamp: header.timestamp &- UInt32(block.offset), marker: false, level: nil, hasVoice: nil, arrival: now)
            earlier.isRedundant = true
            sink.received(earlier, payload: payload.extracting(block.payload))
        }
        let start = header.payload.lowerBound
        return start + redundant.primary.lowerBound..<start + redundant.primary.upperBound
    }

    // MARK: Which stream a packet belongs to

    /// By SSRC; a new one by MID, by what the description said of SSRCs, or by its payload type alone (RFC 8843 §9.2).
    private func source(of header: RTPHeader, _ extensions: HeaderExtensions, in packet: Span<UInt8>, now: Instant) -> Int? {
        let known = incoming.firstIndex { $0.ssrc == header.ssrc }
        if let known, extensions.rid == nil, extensions.repairedRID == nil { return known }
        guard let index = known ?? append(header, extensions, in: packet, now: now) else { return nil }
        if incoming[index].layer == nil {
            let name = incoming[index].kind.isRetransmission ? extensions.repairedRID : extensions.rid
            if let name { incoming[index].layer = layer(packet.extracting(name), of: incoming[index].kind) }
        }
        return index
    }

    private func append(_ header: RTPHeader, _ extensions: HeaderExtensions, in packet: Span<UInt8>, now: Instant) -> Int? {
        var found: IncomingStream.Kind?
        var isPayloadTypeKnown = false
        for line in 0..<(2 + configuration.negotiated.furtherVideos.count) {
            guard let (stream, kind) = stream(ofLine: line, header.payloadType) else { continue }
            isPayloadTypeKnown = true
            if let mid = extensions.mid {
                guard stream.mid.utf8.elementsEqual(packet.extracting(mid)) else { continue }
                found = kind
            } else if stream.remoteSources.contains(where: { $0.ssrc == header.ssrc || $0.rtxSSRC == header.ssrc }) {
                found = kind
            } else if found == nil {
                found = kind
                continue
            } else {
                continue
            }
            break
        }
        guard let found else {
            drops.count(isPayloadTypeKnown ? .unknownSource : .unknownPayloadType)
            return nil
        }
        makeRoom(now: now)
        incoming.append(IncomingStream(ssrc: header.ssrc, kind: found))
        return incoming.count - 1
    }

    /// The m-line counted from sound, camera, further videos, where it receives and knows the payload type.
    private func stream(ofLine line: Int, _ payloadType: UInt8) -> (NegotiatedStream, IncomingStream.Kind)? {
        let negotiated = configuration.negotiated
        guard line > 0 else {
            guard let audio = negotiated.audio?.stream, audio.receives, audio.payloadType == payloadType || redundancy?.type == payloadType
            else { return nil }
            return (audio, .audio)
        }
        guard let video = video(line - 1)?.stream, video.receives else { return nil }
        if video.payloadType == payloadType { return (video, .video(source: line - 1)) }
        return video.rtxPayloadType == payloadType ? (video, .retransmission(source: line - 1)) : nil
    }

    /// What was negotiated of a video source: 0 the camera, then the further ones.
    func video(_ source: Int) -> NegotiatedVideo? {
        let negotiated = configuration.negotiated
        guard source > 0 else { return negotiated.video }
        return negotiated.furtherVideos.indices.contains(source - 1) ? negotiated.furtherVideos[source - 1] : nil
    }

    private func layer(_ name: Span<UInt8>, of kind: IncomingStream.Kind) -> Int? {
        guard let source = kind.source else { return nil }
        return video(source)?.layers.firstIndex { $0.rid.utf8.elementsEqual(name) }
    }
}

extension IncomingStream.Kind {
    /// Which video; nil for sound.
    var source: Int? {
        switch self {
        case .audio: nil
        case .video(let source), .retransmission(let source): source
        }
    }
    var isRetransmission: Bool { if case .retransmission = self { true } else { false } }
}

extension String.UTF8View {
    fileprivate func elementsEqual(_ bytes: Span<UInt8>) -> Bool {
        guard count == bytes.count else { return false }
        var place = 0
        for byte in self {
            guard bytes[place] == byte else { return false }
            place += 1
        }
        return true
    }
}
