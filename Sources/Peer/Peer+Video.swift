import Base
import ICE
import RTP
import SDP

extension Peer {
    static let mostLostInOneMessage = 64
    /// A picture this old is not waited for any more.
    private static let mostRepairAge = Duration.seconds(1)

    // MARK: In

    /// Inputs as negotiated: one that stays keeps its state.
    func makeVideoInputs() {
        var inputs: [VideoInput?] = []
        for source in 0...configuration.negotiated.furtherVideos.count {
            guard let video = video(source), video.stream.receives else {
                inputs.append(nil)
                continue
            }
            let present = videos.indices.contains(source) ? videos[source] : nil
            let stays = present?.mediaLine == video.stream.mediaLine
            inputs.append(stays ? present : VideoInput(mediaLine: video.stream.mediaLine, isLayered: !video.layers.isEmpty))
            if !stays, present != nil { forget(source: source) }
        }
        for source in videos.indices where source >= inputs.count || inputs[source] == nil { forget(source: source) }
        videos = inputs
    }

    /// The SSRCs of an m-line that is gone: a sender may share its screen many times in one session.
    private func forget(source: Int) {
        for stream in incoming where stream.kind.source == source { srtp?.forget(stream.ssrc) }
        incoming.removeAll { $0.kind.source == source }
    }

    func receiveVideo(_ packet: Span<UInt8>, _ header: RTPHeader, source: Int, now: Instant, sink: inout some PeerSink) {
        guard videos.indices.contains(source) else { return }
        let wasEmpty = videos[source]?.receiver == nil
        guard let fate = videos[source]?.insert(packet.extracting(header.payload), header, now: now), fate.isTaken else { return }
        takeFrames(source, now: now, sink: &sink)
        // A stream that took another's place without beginning with a key frame.
        if fate.isNew, !wasEmpty, videos[source]?.receiver?.assembler.needsKeyFrame == true {
            requestKeyFrame(source: source, now: now, sink: &sink)
        }
    }

    func receiveRetransmission(
        _ packet: Span<UInt8>, _ header: RTPHeader, of index: Int, source: Int, now: Instant, sink: inout some PeerSink
    ) {
        // Nothing behind the number: padding of a sender that probes the line.
        guard header.payload.count > Retransmission.headSize, mends(index, source),
            // Too short for a number: it mends nothing.
            let original = try? Retransmission.original(of: packet.bytes, payload: header.payload)
        else { return }
        videos[source]?.mend(
            packet.extracting(original.payload), sequence: original.sequence, timestamp: header.timestamp, marker: header.marker, now: now)
        takeFrames(source, now: now, sink: &sink)
    }

    /// Whether a retransmission stream repeats packets of the stream that we take: as the FID group or the repaired RID says; without either only where
    /// there are no layers that it could belong to.
    private func mends(_ index: Int, _ source: Int) -> Bool {
        guard let video = video(source), videos.indices.contains(source), let taken = videos[source]?.receiver?.ssrc else { return false }
        let stream = incoming[index]
        if let pair = video.stream.remoteSources.first(where: { $0.rtxSSRC == stream.ssrc }) { return pair.ssrc == taken }
        if let layer = stream.layer { return incoming.first { $0.ssrc == taken }?.layer == layer }
        return video.layers.isEmpty
    }

    private func takeFrames(_ source: Int, now: Instant, sink: inout some PeerSink) {
        while let video = videos[source]?.next(source: source, now: now, into: &frameBytes) {
            statistics.videoFramesReceived &+= 1
            // A reference of its own: a span of a property does not outlive a call that might change the property.
            let bytes = frameBytes
            sink.received(video, bytes: bytes.span)
        }
    }

    /// Asks for what is missing; for a key frame where that is of no use any more.
    func mendVideo(now: Instant, sink: inout some PeerSink) {
        for source in videos.indices {
            if videos[source]?.expire(now: now, roundTrip: roundTrip) == true { requestKeyFrame(source: source, now: now, sink: &sink) }
            lost.removeAll(keepingCapacity: true)
            videos[source]?.collectLost(now: now, roundTrip: roundTrip, into: &lost)
            // Into a line that drowns repairs are so much more water.
            guard !lost.isEmpty, !drowns, let ssrc = videos[source]?.receiver?.ssrc else { continue }
            guard video(source)?.stream.feedback.contains(.nack) == true else { continue }
            if lost.count > Self.mostLostInOneMessage { lost.removeSubrange(Self.mostLostInOneMessage...) }
            statistics.nacksSent &+= 1
            sendRTCP(sink: &sink) { writer, packet in
                NegativeAcknowledgement.write(sender: ownSSRC, media: ssrc, lost: lost, with: &writer, to: &packet)
            }
        }
    }

    /// Lines of the tile that shows a video: of a simulcast the lowest layer of at least so many is taken from its next key frame on.
    package func setWantedHeight(_ lines: Int, source: Int = 0, now: Instant, sink: inout some PeerSink) {
        guard videos.indices.contains(source) else { return }
        videos[source]?.wantedHeight = lines
        followLayers(now: now, sink: &sink)
    }

    /// Asks for a key frame of a layer that suits better than the present one.
    func followLayers(now: Instant, sink: inout some PeerSink) {
        for source in videos.indices {
            guard let ssrc = videos[source]?.awaited(now: now) else { continue }
            requestKeyFrame(of: ssrc, source: source, now: now, sink: &sink)
        }
    }

    /// Asks the peer for a key frame of its video `source` (PLI); gated to one a second.
    package func requestKeyFrame(source: Int = 0, now: Instant, sink: inout some PeerSink) {
        guard videos.indices.contains(source) else { return }
        let heard = incoming.first { $0.kind == .video(source: source) }?.ssrc
        guard let ssrc = videos[source]?.receiver?.ssrc ?? heard else { return }
        requestKeyFrame(of: ssrc, source: source, now: now, sink: &sink)
    }

    private func requestKeyFrame(of ssrc: UInt32, source: Int, now: Instant, sink: inout some PeerSink) {
        guard srtp != nil, videos[source]?.takeKeyFrameRequest(now: now) == true else { return }
        statistics.keyFramesRequested &+= 1
        sendRTCP(sink: &sink) { writer, packet in
            PictureLossIndication.write(sender: ownSSRC, media: ssrc, with: &writer, to: &packet)
        }
    }

    private var roundTrip: Duration { .nanoseconds(Int64((statistics.roundTripMilliseconds ?? 50) * 1_000_000)) }

    /// Until when the line counts as alive if nothing more comes.
    package var aliveUntil: Instant { signs.aliveUntil }

    /// A bit for each video source of which numbers or a key frame are missing, or nothing came yet.
    package var brokenVideos: Int {
        var bits = 0
        for source in videos.indices where videos[source]?.receiver?.isBroken ?? true { bits |= 1 << source }
        return bits
    }

    // MARK: Out

    /// A generic NACK about our picture: what is still there goes out again on the RTX stream.
    func takeNACK(_ message: RawSpan, _ feedback: FeedbackHeader, now: Instant, sink: inout some PeerSink) throws(PacketError) {
        guard feedback.media == videoOut?.ssrc else { return }
        statistics.nacksReceived &+= 1
        lost.removeAll(keepingCapacity: true)
        try NegativeAcknowledgement.forEachLost(in: message, feedback) { if lost.count < Self.mostLostInOneMessage { lost.append($0) } }
        for sequence in lost { retransmit(sequence, now: now, sink: &sink) }
    }

    private func retransmit(_ sequence: UInt16, now: Instant, sink: inout some PeerSink) {
        guard let stream = rtxOut, let answer = history?.take(sequence, roundTrip: control == nil ? roundTrip / 2 : roundTrip, now: now)
        else { return }
        let sent: PacketHistory.Sent
        switch answer {
        case .repeated(let found): sent = found
        case .underWay: return drops.count(.repairRefused)
        case .exhausted(let found): return replace(found.frame, sink: &sink)
        case .unknown: return
        }
        // On a line without room to spare: what a key frame has overtaken, or what comes long after its moment, mends nothing any more.
        guard !paces || sent.frame.captured >= lastKeyFrame && now - sent.frame.captured < Self.mostRepairAge + roundTrip * 2 else {
            return replace(sent.frame, sink: &sink)
        }
        // More than any header, extension and seal.
        let bytes = sent.frame.withPayload(sent.index) { $0.count } + OutgoingStream.largestHeader + SRTPSession.overhead
        guard mayRepair(bytes, now: now) else { return drops.count(.repairRefused) }
        rtxPayload.removeAll(keepingCapacity: true)
        rtxPayload += [UInt8(sequence >> 8), UInt8(sequence & 255)]
        sent.frame.withPayload(sent.index) { for index in $0.indices { rtxPayload.append($0[index]) } }
        let payload = rtxPayload
        let isSent = send(
            payload.span, on: stream, timestamp: sent.frame.timestamp, captured: sent.frame.captured,
            marker: sent.frame.isLast(sent.index), now: now,
            sink: &sink)
        if isSent {
            statistics.retransmissionsSent &+= 1
            statistics.retransmittedBytesSent &+= UInt64(bytes)
        }
    }

    /// No repair of it arrives in time. Its receiver has a picture that stands: browsers say so after three seconds only, and the key frame is due now.
    private func replace(_ frame: PacketisedFrame, sink: inout some PeerSink) {
        drops.count(.repairRefused)
        // Each is mended by the next one after it, which is wanted once: asked for again it is lost too.
        guard frame.captured >= lastKeyFrame, frame.captured > lastReplaced else { return }
        lastReplaced = lastPicture.captured
        sink.wantsKeyFrame()
    }
}
