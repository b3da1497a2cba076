import ICE

/// Makes the answer's text out of what was decided.
struct AnswerWriter {
    typealias Line = SessionDescription.Line
    let offer: SessionDescription
    let session: NegotiatedSession
    let parameters: LocalParameters

    func answer(_ codecs: [Codec?]) -> SessionDescription {
        var lines = [
            Line("v", "0"), Line("o", "- \(parameters.sessionID) \(session.localVersion) IN IP4 127.0.0.1"), Line("s", "-"),
            Line("t", "0 0"),
            Line("a", "ice-lite"),
        ]
        let accepted = codecs.indices.filter { codecs[$0] != nil }
        if let group = offer.bundle {
            // In the offer's order, so that its tagged m-line stays the tagged one where it can.
            let mids = group.filter(accepted.contains).map { offer.media[$0].mid }
            lines.append(Line("a", (["group:BUNDLE"] + mids).joined(separator: " ")))
        }
        if offer.lines.has("extmap-allow-mixed") { lines.append(Line("a", "extmap-allow-mixed")) }
        lines.append(Line("a", "msid-semantic: WMS *"))
        let media = offer.media.indices.map { index in
            guard let codec = codecs[index], let stream = session.stream(at: index) else { return refused(offer.media[index]) }
            return section(offer.media[index], codec, stream)
        }
        return SessionDescription(lines: lines, media: media)
    }

    private func refused(_ offered: SessionDescription.Media) -> SessionDescription.Media {
        var section = offered
        (section.port, section.portCount, section.number) = (0, nil, 0)
        section.lines = [Line("c", "IN IP4 0.0.0.0")]
        if !offered.mid.isEmpty { section.lines.append(Line("a", "mid:\(offered.mid)")) }
        if offered.kind == "audio" || offered.kind == "video" { section.lines.append(Line("a", "inactive")) }
        return section
    }

    private func section(
        _ offered: SessionDescription.Media, _ codec: Codec, _ stream: NegotiatedStream
    ) -> SessionDescription.Media {
        let home = parameters.candidates.first
        let family = home?.family == .ipv6 ? "IP6" : "IP4"
        var section = offered
        (section.port, section.portCount, section.number) = (home?.port ?? 9, nil, 0)
        let redundancy = offered.kind == "audio" ? session.audio?.redundantPayloadType : nil
        // Plain sound first: who prefers redundancy would send each sound twice over lines that may be thin.
        section.formats = [codec.payloadType, stream.rtxPayloadType, redundancy].compactMap { $0 }.map { "\($0)" }
        section.lines = [Line("c", "IN \(family) \(home?.host ?? "0.0.0.0")")]
        let layers = layers(of: stream)
        let limit = layers.isEmpty ? parameters.maxReceiveBitsPerSecond : parameters.maxSimulcastBitsPerSecond
        if offered.kind == "video", stream.receives, let limit {
            section.lines.append(Line("b", "TIAS:\(limit)"))
        }
        var words = offered.mid.isEmpty ? [] : ["mid:\(offered.mid)"]
        words += [
            "ice-ufrag:\(parameters.credentials.ufrag)", "ice-pwd:\(parameters.credentials.password)",
            "fingerprint:\(parameters.fingerprint.attributeValue)", "setup:passive", "rtcp-mux",
        ]
        if stream.reducedSizeRTCP { words.append("rtcp-rsize") }
        words.append(Direction(sends: stream.sends, receives: stream.receives).rawValue)
        words += StreamLines.codec(codec, stream, redundancy: redundancy, isAudio: offered.kind == "audio")
        words += offered.extensions().map { "extmap:\($0.answer)" }
        words += simulcast(layers)
        if stream.sends { words += StreamLines.sources(stream, parameters, isAudio: offered.kind == "audio") }
        // In each m-line: which one of a bundle carries them is read differently (some stacks take the last).
        let candidates = Candidate.all(of: parameters.candidates, withTCP: parameters.takesTCP)
        words += candidates.map { "candidate:\($0.value)" } + ["end-of-candidates"]
        section.lines += words.map { Line("a", $0) }
        return section
    }

    private func layers(of stream: NegotiatedStream) -> [NegotiatedVideo.Layer] {
        let videos = [session.video].compactMap { $0 } + session.furtherVideos
        return videos.first { $0.stream.mediaLine == stream.mediaLine }?.layers ?? []
    }

    private func simulcast(_ layers: [NegotiatedVideo.Layer]) -> [String] {
        guard !layers.isEmpty else { return [] }
        return layers.map { "rid:\($0.rid) recv" } + [
            "simulcast:recv " + layers.map { ($0.isPaused ? "~" : "") + $0.rid }.joined(separator: ";")
        ]
    }
}

/// Attributes that offers and answers share.
enum StreamLines {
    /// - Parameter redundancy: the payload type of RFC 2198.
    static func codec(_ codec: Codec, _ stream: NegotiatedStream, redundancy: UInt8? = nil, isAudio: Bool) -> [String] {
        let type = codec.payloadType
        var words = ["rtpmap:\(type) " + (isAudio ? "opus/48000/2" : "VP8/90000")]
        if isAudio { words.append("fmtp:\(type) minptime=10;useinbandfec=1;usedtx=1") }
        let feedback: [(FeedbackFlags, String)] = [
            (.remb, "goog-remb"), (.transportWide, "transport-cc"), (.fullIntraRequest, "ccm fir"), (.nack, "nack"),
            (.pictureLoss, "nack pli"),
        ]
        words += feedback.filter { stream.feedback.contains($0.0) }.map { "rtcp-fb:\(type) \($0.1)" }
        if let rtx = stream.rtxPayloadType { words += ["rtpmap:\(rtx) rtx/90000", "fmtp:\(rtx) apt=\(type)"] }
        if let redundancy { words += ["rtpmap:\(redundancy) red/48000/2", "fmtp:\(redundancy) \(type)/\(type)"] }
        return words
    }

    static func sources(_ stream: NegotiatedStream, _ parameters: LocalParameters, isAudio: Bool) -> [String] {
        let msid = "\(parameters.streamID) \((isAudio ? parameters.audio : parameters.video).trackID)"
        var words = ["msid:\(msid)"]
        if let rtx = stream.localRTXSSRC { words.append("ssrc-group:FID \(stream.localSSRC) \(rtx)") }
        for ssrc in [stream.localSSRC, stream.localRTXSSRC].compactMap({ $0 }) {
            words += ["ssrc:\(ssrc) cname:\(parameters.cname)", "ssrc:\(ssrc) msid:\(msid)"]
        }
        return words
    }
}
