import ICE
import RTP
import SDP

extension Peer {
    static let mostLostInOneMessage = 64

    // MARK: In

    /// Of several video SSRCs (layers of a simulcast) the first that comes is taken, and another when it falls silent; the others only count.
    func receiveVideo(_ packet: Span<UInt8>, _ header: IncomingPacket, now: Instant, sink: inout some PeerSink) {
        if videoIn == nil || videoIn?.ssrc != header.ssrc && videoIn?.hasFallenSilent(now) == true {
            let isNew = videoIn != nil
            videoIn = VideoReceiver(ssrc: header.ssrc, now: now)
            if isNew { requestKeyFrame(now: now, sink: &sink) }
        }
        guard videoIn?.ssrc == header.ssrc else { return }
        videoIn?.insert(
            packet.extracting(header.payload), sequence: header.sequenceNumber, timestamp: header.timestamp, marker: header.marker, now: now
        )
        takeFrames(now: now, sink: &sink)
    }

    /// RFC 4588 §4: the original number stands before the original payload.
    func receiveRetransmission(_ packet: Span<UInt8>, _ header: IncomingPacket, now: Instant, sink: inout some PeerSink) {
        guard header.payload.count > Retransmission.headSize else { return }  // padding of a sender that probes the line
        guard mends(header.ssrc) else { return }
        let start = header.payload.lowerBound
        let sequence = UInt16(packet[start]) << 8 | UInt16(packet[start + 1])
        videoIn?.insert(
            packet.extracting((start + Retransmission.headSize)..<header.payload.upperBound), sequence: sequence,
            timestamp: header.timestamp,
            marker: header.marker, now: now)
        takeFrames(now: now, sink: &sink)
    }

    /// Whether a retransmission stream repeats packets of the stream that we take: as the FID group says; without one only where there are no layers
    /// that it could belong to.
    private func mends(_ ssrc: UInt32) -> Bool {
        guard let video = configuration.negotiated.video else { return false }
        if let pair = video.stream.remoteSources.first(where: { $0.rtxSSRC == ssrc }) { return pair.ssrc == videoIn?.ssrc }
        return video.layers.isEmpty
    }

    private func takeFrames(now: Instant, sink: inout some PeerSink) {
        while let frame = videoIn?.assembler.next(now: now, into: &frameBytes) {
            if frame.isKey {
                videoIn?.width = frame.width
                videoIn?.height = frame.height
            }
            statistics.videoFramesReceived &+= 1
            let video = ReceivedVideo(
                source: 0, timestamp: frame.timestamp, isKey: frame.isKey, width: videoIn?.width ?? 0, height: videoIn?.height ?? 0,
                arrival: now)
            sink.received(video, bytes: frameBytes.span)
        }
    }

    /// Asks for what is missing; for a key frame where that is of no use any more.
    func mendVideo(now: Instant, sink: inout some PeerSink) {
        guard videoIn != nil else { return }
        _ = videoIn?.assembler.expire(now: now)
        if videoIn?.nack.takeGivenUp() == true { videoIn?.assembler.giveUp() }
        if videoIn?.assembler.needsKeyFrame == true { requestKeyFrame(now: now, sink: &sink) }
        guard let due = videoIn?.nack.deadline, due <= now, let ssrc = videoIn?.ssrc else { return }
        lost.removeAll(keepingCapacity: true)
        videoIn?.nack.collect(now: now, roundTrip: roundTrip, into: &lost)
        guard !lost.isEmpty, configuration.negotiated.video?.stream.feedback.contains(.nack) == true else { return }
        sendNACK(ssrc, sink: &sink)
    }

    /// RFC 4585 §6.2.1, an entry for each number.
    private func sendNACK(_ ssrc: UInt32, sink: inout some PeerSink) {
        let count = min(lost.count, Self.mostLostInOneMessage)
        rtcp += [0x80, 201, 0, 1]
        rtcp.append(word: ownSSRC)
        rtcp += [0x81, 205, 0, UInt8(2 + count)]
        rtcp.append(word: ownSSRC)
        rtcp.append(word: ssrc)
        for number in lost.prefix(count) { rtcp.append(word: UInt32(number) << 16) }
        statistics.nacksSent &+= 1
        sendRTCP(sink: &sink)
    }

    private var roundTrip: Duration { .nanoseconds(Int64((statistics.roundTripMilliseconds ?? 50) * 1_000_000)) }

    // MARK: Out

    /// A picture, its packets one after the other. Kept for retransmission where that was negotiated.
    package func sendVideo(_ frame: PacketisedFrame, now: Instant, sink: inout some PeerSink) {
        guard videoOut != nil, srtp != nil else { return }
        for index in 0..<frame.count {
            if rtxOut != nil, let sequence = videoOut?.nextSequence {
                if history == nil { history = PacketHistory() }
                history?.add(frame, index: index, sequence: sequence, now: now)
            }
            frame.withPayload(index) {
                sendVideo(
                    packet: $0, timestamp: frame.timestamp, captured: frame.captured, marker: frame.isLast(index), now: now, sink: &sink)
            }
        }
    }

    /// A generic NACK about our picture: what is still there goes out again on the RTX stream.
    func takeNACK(_ message: Span<UInt8>, now: Instant, sink: inout some PeerSink) {
        guard message.word(at: 8) == videoOut?.ssrc else { return }
        var budget = Self.mostLostInOneMessage
        for at in stride(from: 12, to: message.count - 3, by: 4) {
            let entry = message.word(at: at)
            for bit in 0..<17 where budget > 0 && (bit == 0 || entry >> UInt32(bit - 1) & 1 == 1) {
                budget -= 1
                retransmit(UInt16(truncatingIfNeeded: entry >> 16) &+ UInt16(bit), now: now, sink: &sink)
            }
        }
    }

    private func retransmit(_ sequence: UInt16, now: Instant, sink: inout some PeerSink) {
        guard var stream = rtxOut, let sent = history?.take(sequence, roundTrip: roundTrip / 2, now: now) else { return }
        rtxPayload.removeAll(keepingCapacity: true)
        rtxPayload += [UInt8(sequence >> 8), UInt8(sequence & 255)]
        sent.frame.withPayload(sent.index) { for index in $0.indices { rtxPayload.append($0[index]) } }
        let isSent = send(
            rtxPayload.span, on: &stream, timestamp: sent.frame.timestamp, captured: sent.frame.captured,
            marker: sent.frame.isLast(sent.index), now: now,
            sink: &sink)
        if isSent { statistics.retransmissionsSent &+= 1 }
        rtxOut = stream
    }
}
