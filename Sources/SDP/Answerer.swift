import ICE

/// Answers an offer as an ICE-lite, passive, bundled peer with Opus and VP8 (RFC 9429 §5.3, RFC 9143, RFC 8842).
///
/// One transport carries everything. Without a BUNDLE group only one m-line can have it: the first usable audio, else the first usable;
/// the others get port 0, and `NegotiatedSession.mediaLines` says why.
package struct Answerer: Sendable {
    package var parameters: LocalParameters
    package init(parameters: LocalParameters) { self.parameters = parameters }

    /// Whether `offer` has other ICE credentials than before; then the answer needs a fresh pair of ours, to be put into `parameters`.
    package static func isICERestart(_ offer: SessionDescription, after previous: NegotiatedSession) throws(SDPError) -> Bool {
        try offer.checkMediaLines()
        guard let line = previous.mediaLines.firstIndex(where: { $0.refusal == nil }), line < offer.media.count else { return false }
        let transport = try RemoteTransport(offer, line: line, tag: offer.bundle?.first ?? line)
        return transport.credentials != previous.remoteCredentials
    }

    /// - Parameter previous: what was agreed before, for a later offer of the same session.
    /// - Throws: `SDPError`; nothing is kept then.
    package func answer(
        _ offer: SessionDescription, after previous: NegotiatedSession? = nil
    ) throws(SDPError) -> (answer: SessionDescription, session: NegotiatedSession) {
        try offer.checkMediaLines()
        if let previous { try check(offer, follows: previous) }
        let choices = try choose(offer, after: previous)
        guard let first = choices.firstIndex(where: { $0.codec != nil }) else { throw refusal(choices) }
        try checkWhole(offer, choices)
        let tag = offer.bundle?.first ?? first
        let transport = try RemoteTransport(offer, line: first, tag: tag)
        guard transport.setup != .passive else { throw .unsupported(mediaLine: first, reason: .peerIsPassive) }
        guard !transport.isLite else { throw .mismatch(mediaLine: first, reason: .peerIsLite) }
        let isRestart = previous.map { $0.remoteCredentials != transport.credentials } ?? false
        if let previous, !isRestart, previous.remoteFingerprints != transport.fingerprints {
            throw .mismatch(mediaLine: first, reason: .fingerprintChanged)
        }
        var session = NegotiatedSession(
            kind: .participant, remoteCredentials: transport.credentials, remoteCandidates: transport.candidates, remoteIsLite: false,
            remoteFingerprints: transport.fingerprints, remoteSetup: transport.setup ?? .active, isDTLSClient: false,
            mediaLines: zip(offer.media, choices).map { .init(kind: $0.kind, mid: $0.mid, refusal: $1.reason) }, isICERestart: isRestart,
            localVersion: (previous?.localVersion ?? 0) + 1)
        try session.fill(offer, choices.map(\.codec), parameters)
        return (AnswerWriter(offer: offer, session: session, parameters: parameters).answer(choices.map(\.codec)), session)
    }

    /// What becomes of an m-line: a codec, or a reason.
    struct Choice {
        var codec: Codec?
        var reason: UnsupportedReason?
    }

    private func choose(_ offer: SessionDescription, after previous: NegotiatedSession?) throws(SDPError) -> [Choice] {
        let bundle = offer.bundle
        var choices: [Choice] = []
        var hasAudio = false
        var hasVideo = false
        for (index, media) in offer.media.enumerated() {
            var choice = Choice(codec: nil, reason: media.refusal())
            if choice.reason == nil, let bundle, !bundle.contains(index) { choice.reason = .notBundled }
            if choice.reason == nil { choice.codec = try media.commonCodec() }
            if choice.reason == nil, choice.codec == nil { choice.reason = .noCommonCodec }
            if choice.reason == nil {
                let direction = media.lines.direction ?? offer.lines.direction ?? .sendrecv
                if media.kind == "audio" {
                    if hasAudio { choice = Choice(reason: .furtherAudio) }
                    hasAudio = true
                } else {
                    // One that was taken before and pauses stays: port 0 would end it for good.
                    let wasTaken = previous.map { $0.mediaLines.indices.contains(index) && $0.mediaLines[index].refusal == nil } ?? false
                    if hasVideo, !parameters.acceptsFurtherVideo || !direction.sends && !wasTaken {
                        choice = Choice(reason: .furtherVideo)
                    }
                    hasVideo = true
                }
            }
            choices.append(choice)
        }
        if bundle == nil { keepOne(offer, &choices) }
        return choices
    }

    /// Who only sends has no other way to learn that part of it is not taken: a WHIP session is whole or refused (RFC 9725 §4.2).
    private func checkWhole(_ offer: SessionDescription, _ choices: [Choice]) throws(SDPError) {
        let media = offer.media.map { $0.lines.direction ?? offer.lines.direction ?? .sendrecv }
        let carriers = offer.media.indices.filter {
            ["audio", "video"].contains(offer.media[$0].kind) && choices[$0].reason != .offeredDisabled
        }
        guard !carriers.contains(where: { media[$0].receives }) else { return }
        for index in carriers where media[index].sends {
            guard let reason = choices[index].reason else { continue }
            throw reason == .plainRTP ? .insecure(mediaLine: index, reason: .plainRTP) : .unsupported(mediaLine: index, reason: reason)
        }
    }

    private func keepOne(_ offer: SessionDescription, _ choices: inout [Choice]) {
        let usable = choices.indices.filter { choices[$0].codec != nil }
        guard let kept = usable.first(where: { offer.media[$0].kind == "audio" }) ?? usable.first else { return }
        for index in usable where index != kept { choices[index] = Choice(reason: .notBundled) }
    }

    /// The reason worth telling when no m-line is left: of the first audio or video.
    private func refusal(_ choices: [Choice]) -> SDPError {
        let index = choices.firstIndex { $0.reason != .kind } ?? 0
        let reason = choices[index].reason ?? .noCommonCodec
        return reason == .plainRTP ? .insecure(mediaLine: index, reason: .plainRTP) : .unsupported(mediaLine: index, reason: reason)
    }

    private func check(_ offer: SessionDescription, follows previous: NegotiatedSession) throws(SDPError) {
        guard offer.media.count >= previous.mediaLines.count else {
            throw .mismatch(mediaLine: offer.media.count, reason: .mediaLinesRemoved)
        }
        for (index, line) in previous.mediaLines.enumerated() where line.refusal == nil {
            guard offer.media[index].kind == line.kind, offer.media[index].mid == line.mid else {
                throw .mismatch(mediaLine: index, reason: .mediaLineChanged)
            }
        }
    }
}

extension NegotiatedSession {
    /// Takes the streams out of the peer's description. A codec for each m-line, nil where it is refused.
    /// - Throws: `.malformed` where an m-line's layers cannot be read.
    mutating func fill(_ remote: SessionDescription, _ codecs: [Codec?], _ parameters: LocalParameters) throws(SDPError) {
        var (isSent, isReceived) = (false, false)
        for (index, media) in remote.media.enumerated() {
            guard let codec = codecs[index] else { continue }
            let isFurther = media.kind == "video" && video != nil
            let stream = media.stream(index, codec, parameters, sessionLines: remote.lines, isFurther: isFurther)
            isSent = isSent || stream.sends
            isReceived = isReceived || stream.receives
            if media.kind == "audio" {
                audio = NegotiatedAudio(stream, codec)
                audio?.redundantPayloadType = try media.redundancy(of: codec)
                audio?.maxPacketMilliseconds = media.lines.attributes("maxptime").first.flatMap { UInt16($0.0) }.map(Int.init)
            } else {
                let one = NegotiatedVideo(stream: stream, layers: stream.receives ? try media.layers(payloadType: codec.payloadType) : [])
                if isFurther { furtherVideos.append(one) } else { video = one }
            }
        }
        kind = isSent == isReceived ? .participant : isReceived ? .publisher : .viewer
    }

    func stream(at index: Int) -> NegotiatedStream? {
        ([audio?.stream, video?.stream] + furtherVideos.map(\.stream)).compactMap { $0 }.first { $0.mediaLine == index }
    }
}
