extension SessionDescription.Media {
    /// Why this m-line cannot be used, whatever its codecs.
    func refusal() -> UnsupportedReason? {
        guard kind == "audio" || kind == "video" else { return .kind }
        // Port 0 with bundle-only is a JSEP way to offer, not a refusal (RFC 9143 §6).
        guard port != 0 || lines.has("bundle-only") else { return .offeredDisabled }
        switch protocolName.uppercased() {
        case "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP": break
        case "RTP/AVP", "RTP/AVPF": return .plainRTP
        default: return .protocolName
        }
        return lines.has("rtcp-mux") ? nil : .noRTCPMux
    }

    /// Opus for audio, VP8 for video; the first of them.
    func commonCodec() throws(SDPError) -> Codec? {
        let all = try codecs()
        if kind == "audio" { return all.first { $0.name == "opus" && $0.clockRate == 48_000 && $0.channels == 2 } }
        return all.first { $0.name == "vp8" && $0.clockRate == 90_000 }
    }

    /// The payload type of RFC 2198 whose blocks are all of `codec`, as a=fmtp says; nil where there is none.
    func redundancy(of codec: Codec) throws(SDPError) -> UInt8? {
        try codecs().first { other in
            guard other.name == "red", other.clockRate == codec.clockRate, other.channels == codec.channels, other.parameters.count == 1,
                let blocks = other.parameters.first, blocks.value.isEmpty
            else { return false }
            return blocks.key.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { $0 == String(codec.payloadType) }
        }?.payloadType
    }

    /// This m-line of the peer as we see it. `sessionLines` give direction and bandwidth where it has none.
    func stream(_ index: Int, _ codec: Codec, _ parameters: LocalParameters, sessionLines: Lines, isFurther: Bool) -> NegotiatedStream {
        let direction = lines.direction ?? sessionLines.direction ?? .sendrecv
        let source = kind == "audio" ? parameters.audio : parameters.video
        let ids = extensionIDs()
        return NegotiatedStream(
            mediaLine: index, mid: mid, payloadType: codec.payloadType, rtxPayloadType: kind == "video" ? codec.rtxPayloadType : nil,
            feedback: kind == "video" ? codec.feedback : codec.feedback.intersection(.transportWide), sendExtensions: ids.send,
            receiveExtensions: ids.receive, receives: direction.sends && parameters.canReceive,
            sends: direction.receives && parameters.canSend && !isFurther, remoteSources: sources(), localSSRC: source.ssrc,
            localRTXSSRC: kind == "video" && codec.rtxPayloadType != nil ? source.rtxSSRC : nil,
            maxBitsPerSecond: lines.bitsPerSecond ?? sessionLines.bitsPerSecond, reducedSizeRTCP: lines.has("rtcp-rsize"))
    }
}

extension NegotiatedAudio {
    init(_ stream: NegotiatedStream, _ codec: Codec) {
        self.stream = stream
        useInbandFEC = codec.parameters["useinbandfec"] == "1"
        useDTX = codec.parameters["usedtx"] == "1"
        isStereo = codec.parameters["stereo"] == "1"
        maxAverageBitsPerSecond = codec.parameters["maxaveragebitrate"].flatMap { UInt32($0) }.map(Int.init)
        maxPlaybackRate = codec.parameters["maxplaybackrate"].flatMap { UInt32($0) }.map(Int.init)
    }
}
