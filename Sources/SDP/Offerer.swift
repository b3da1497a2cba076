import ICE

/// Offers as a browser does, for the headless endpoint: bundled, rtcp-mux, actpass; Opus, VP8 with RTX, and the extensions that we know.
package struct Offerer: Sendable {
    package var parameters: LocalParameters
    /// nil leaves the m-line out.
    package var audio: Direction?
    package var video: Direction?
    package var version: UInt64 = 1
    /// Of sound with redundancy, as browsers have it.
    static let redundantPayloadType: UInt8 = 63

    package init(parameters: LocalParameters, audio: Direction?, video: Direction?) {
        (self.parameters, self.audio, self.video) = (parameters, audio, video)
    }

    /// The offer; audio is the first m-line where both are there.
    package func offer() -> SessionDescription {
        typealias Line = SessionDescription.Line
        var media: [SessionDescription.Media] = []
        if let audio { media.append(section("audio", mid: media.count, audio)) }
        if let video { media.append(section("video", mid: media.count, video)) }
        let group = (["group:BUNDLE"] + media.map(\.mid)).joined(separator: " ")
        let origin = "- \(parameters.sessionID) \(version) IN IP4 127.0.0.1"
        let lines = [
            Line("v", "0"), Line("o", origin), Line("s", "-"), Line("t", "0 0"), Line("a", group), Line("a", "extmap-allow-mixed"),
            Line("a", "msid-semantic: WMS *"),
        ]
        return SessionDescription(lines: lines, media: media)
    }

    private func section(_ kind: String, mid: Int, _ direction: Direction) -> SessionDescription.Media {
        let isAudio = kind == "audio"
        let type: UInt8 = isAudio ? 111 : 96
        let codec = Codec(
            payloadType: type, name: isAudio ? "opus" : "vp8", clockRate: isAudio ? 48_000 : 90_000, channels: isAudio ? 2 : 1,
            parameters: [:],
            rtxPayloadType: isAudio ? nil : 97,
            feedback: isAudio ? [.transportWide] : [.nack, .pictureLoss, .fullIntraRequest, .remb, .transportWide])
        var section = SessionDescription.Media(
            kind: kind, port: 9, portCount: nil, protocolName: "UDP/TLS/RTP/SAVPF",
            formats: isAudio ? ["111", "\(Self.redundantPayloadType)"] : ["96", "97"])
        var stream = section.stream(mid, codec, parameters, sessionLines: [], isFurther: false)
        stream.feedback = codec.feedback
        var words = [
            "mid:\(mid)", "ice-ufrag:\(parameters.credentials.ufrag)", "ice-pwd:\(parameters.credentials.password)", "ice-options:trickle",
            "fingerprint:\(parameters.fingerprint.attributeValue)", "setup:actpass", "rtcp-mux", "rtcp-rsize", direction.rawValue,
        ]
        words += StreamLines.codec(codec, stream, redundancy: isAudio ? Self.redundantPayloadType : nil, isAudio: isAudio)
        words += KnownExtension.offered(isAudio: isAudio).map { "extmap:\($0.1) \($0.0.rawValue)" }
        if direction.sends { words += StreamLines.sources(stream, parameters, isAudio: isAudio) }
        words += parameters.candidates.enumerated().map { "candidate:\(Candidate(host: $1, index: $0).value)" }
        section.lines = [.init("c", "IN IP4 0.0.0.0")]
        if !isAudio, direction.receives, let limit = parameters.maxReceiveBitsPerSecond {
            section.lines.append(.init("b", "TIAS:\(limit)"))
        }
        section.lines += words.map { .init("a", $0) }
        return section
    }

    /// Reads the answer to `offer()`.
    /// - Throws: `SDPError`, `.mismatch` where it does not follow the offer.
    package func session(from answer: SessionDescription) throws(SDPError) -> NegotiatedSession {
        let offer = offer()
        guard answer.media.count == offer.media.count else { throw .mismatch(mediaLine: answer.media.count, reason: .mediaLinesRemoved) }
        var codecs: [Codec?] = []
        for (index, media) in answer.media.enumerated() {
            guard media.kind == offer.media[index].kind, media.port == 0 || media.mid == offer.media[index].mid else {
                throw .mismatch(mediaLine: index, reason: .mediaLineChanged)
            }
            codecs.append(media.port == 0 ? nil : try codec(media, offered: offer.media[index], index))
        }
        guard let first = codecs.firstIndex(where: { $0 != nil }) else { throw .unsupported(mediaLine: 0, reason: .refusedByPeer) }
        let transport = try RemoteTransport(answer, line: first, tag: answer.bundle?.first ?? first)
        guard let setup = transport.setup, setup != .actpass else { throw .mismatch(mediaLine: first, reason: .setup) }
        var session = NegotiatedSession(
            kind: .participant, remoteCredentials: transport.credentials, remoteCandidates: transport.candidates,
            remoteIsLite: transport.isLite,
            remoteFingerprints: transport.fingerprints, remoteSetup: setup, isDTLSClient: setup == .passive,
            mediaLines: zip(answer.media, codecs).map { .init(kind: $0.kind, mid: $0.mid, refusal: $1 == nil ? .refusedByPeer : nil) },
            localVersion: version)
        try session.fill(answer, codecs, parameters)
        // Another number was not offered.
        if session.audio?.redundantPayloadType != Self.redundantPayloadType { session.audio?.redundantPayloadType = nil }
        return session
    }

    private func codec(_ media: SessionDescription.Media, offered: SessionDescription.Media, _ index: Int) throws(SDPError) -> Codec {
        if let reason = media.refusal() { throw .unsupported(mediaLine: index, reason: reason) }
        guard let codec = try media.commonCodec() else { throw .unsupported(mediaLine: index, reason: .noCommonCodec) }
        guard offered.formats.first == "\(codec.payloadType)" else { throw .mismatch(mediaLine: index, reason: .payloadType) }
        return codec
    }
}

extension KnownExtension {
    /// The numbers that we offer; an id means one thing in the whole bundle (RFC 9143 §8).
    static func offered(isAudio: Bool) -> [(KnownExtension, UInt8)] {
        let common: [(KnownExtension, UInt8)] = [(.absoluteSendTime, 2), (.transportSequence, 3), (.mid, 4)]
        return isAudio ? [(.audioLevel, 1)] + common : common
    }
}
