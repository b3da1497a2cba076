import Base
import RTP
import SDP

extension Peer {
    static let reportInterval = Duration.seconds(1)
    static let keyFrameInterval = Duration.seconds(1)

    // MARK: In

    /// A compound (RFC 3550 §6.1), or a lone feedback message (RFC 5506). One that lies about a length has no effect at all.
    package func receivePlainRTCP(_ packet: Span<UInt8>, now: Instant, sink: inout some PeerSink) {
        let datagram = packet.bytes
        do throws(PacketError) {
            var at = 0
            while at < datagram.byteCount {
                let header = try RTCPHeader(parsing: datagram, at: at)
                try Self.check(header, in: datagram)
                at = header.end
            }
            at = 0
            while at < datagram.byteCount, !isClosed {
                let header = try RTCPHeader(parsing: datagram, at: at)
                try take(header, in: datagram, now: now, sink: &sink)
                at = header.end
            }
        } catch { drops.count(.rtcpMalformed) }
    }

    /// That a message has the room for what it says it carries.
    private static func check(_ header: RTCPHeader, in datagram: RawSpan) throws(PacketError) {
        switch header.packetType {
        case RTCPHeader.PacketType.senderReport:
            _ = try SenderReport(parsing: datagram, header: header)
            _ = try ReportBlocks(of: header)
        case RTCPHeader.PacketType.receiverReport: _ = try ReportBlocks(of: header)
        case RTCPHeader.PacketType.bye: try Bye.forEachSource(of: header, in: datagram) { _ in }
        case RTCPHeader.PacketType.transportFeedback, RTCPHeader.PacketType.payloadFeedback:
            _ = try FeedbackHeader(parsing: datagram, header: header)
        default: break
        }
    }

    private func take(_ header: RTCPHeader, in datagram: RawSpan, now: Instant, sink: inout some PeerSink) throws(PacketError) {
        switch header.packetType {
        case RTCPHeader.PacketType.senderReport:
            let report = try SenderReport(parsing: datagram, header: header)
            if let index = incoming.firstIndex(where: { $0.ssrc == report.ssrc }) {
                incoming[index].reception.receivedSenderReport(report.ntp, now: now)
            }
            try takeBlocks(header, in: datagram, now: now)
        case RTCPHeader.PacketType.receiverReport: try takeBlocks(header, in: datagram, now: now)
        case RTCPHeader.PacketType.bye: try takeGoodbye(header, in: datagram, sink: &sink)
        case RTCPHeader.PacketType.transportFeedback:
            let feedback = try FeedbackHeader(parsing: datagram, header: header)
            if header.count == NegativeAcknowledgement.format {
                try takeNACK(datagram, feedback, now: now, sink: &sink)
            } else if header.count == 15 {
                try takeTransportFeedback(datagram, feedback, now: now, sink: &sink)
            }
        case RTCPHeader.PacketType.payloadFeedback: try takePayloadFeedback(header, in: datagram, sink: &sink)
        default: break
        }
    }

    private func takeBlocks(_ header: RTCPHeader, in datagram: RawSpan, now: Instant) throws(PacketError) {
        let blocks = try ReportBlocks(of: header)
        for index in 0..<blocks.count {
            let block = try blocks.block(index, of: datagram)
            let isSound = block.ssrc == audioOut?.ssrc
            guard isSound || block.ssrc == videoOut?.ssrc else { continue }
            if let news = isSound ? reported.sound.take(block) : reported.picture.take(block) {
                reportedLoss.add(lost: news.lost, of: news.total, now: now)
                control?.heardReport()
                statistics.packetsReported &+= UInt64(news.total)
                statistics.packetsReportedLost &+= UInt64(news.lost)
            }
            if isSound || audioOut == nil { statistics.jitterDownMilliseconds = Double(block.jitter) / (isSound ? 48 : 90) }
            // A block that answers no report of ours gives nonsense; half a minute is nonsense.
            if let trip = block.roundTripMilliseconds(arrival: ntp(at: now).middle), trip < 30_000 {
                statistics.roundTripMilliseconds = trip
            }
        }
    }

    /// BYE ends a source, be it the only one: a track was replaced, or an SSRC changed after a collision (RFC 3550 §6.6, §8.2). The session lives on.
    private func takeGoodbye(_ header: RTCPHeader, in datagram: RawSpan, sink: inout some PeerSink) throws(PacketError) {
        try Bye.forEachSource(of: header, in: datagram) { ssrc in
            guard let known = incoming.firstIndex(where: { $0.ssrc == ssrc }), !incoming[known].hasLeft else { return }
            incoming[known].leave()
            guard case .video(let source) = incoming[known].kind, videos.indices.contains(source), videos[source]?.leave(ssrc) == true
            else { return }
            sink.ended(source: source)
        }
    }

    private func takePayloadFeedback(_ header: RTCPHeader, in datagram: RawSpan, sink: inout some PeerSink) throws(PacketError) {
        let feedback = try FeedbackHeader(parsing: datagram, header: header)
        guard let video = videoOut else { return }
        switch header.count {
        case PictureLossIndication.format: if feedback.media == video.ssrc { sink.wantsKeyFrame() }
        case FullIntraRequest.format:
            var isAsked = false
            try FullIntraRequest.forEachRequest(in: datagram, feedback) { ssrc, _ in isAsked = isAsked || ssrc == video.ssrc }
            if isAsked { sink.wantsKeyFrame() }
        case ReceiverEstimate.format:
            if let limit = try ReceiverEstimate.bitsPerSecond(in: datagram, feedback) { statistics.estimatedBitsPerSecond = limit }
        default: break
        }
    }

    // MARK: Out

    func ntp(at now: Instant) -> NTPTime { NTPTime(now, atStart: configuration.ntpAtStart) }

    /// Seals and sends the messages that `write` makes, with an empty receiver report before them where the other side wants whole compounds.
    func sendRTCP(isFeedback: Bool = true, sink: inout some PeerSink, _ write: (inout ByteWriter, inout MutableSpan<UInt8>) -> Void) {
        guard srtp != nil, let address = ice.address else { return }
        let needsReport = isFeedback && !takesReducedSize
        let sender = ownSSRC
        var sent = 0
        sink.send(to: address) { packet in
            var writer = ByteWriter()
            if needsReport {
                let start = ReceiverReport.begin(ssrc: sender, blocks: 0, with: &writer, to: &packet)
                RTCPHeader.finish(start, with: &writer, to: &packet)
            }
            let head = writer.count
            write(&writer, &packet)
            guard writer.count > head, !writer.overflowed else { return 0 }
            // Not sealed is not sent, and not counted as sent.
            sent = (try? srtp?.protectRTCP(&packet, length: writer.count)) ?? 0
            return sent
        }
        guard sent > 0 else { return }
        statistics.packetsSent &+= 1
        statistics.bytesSent &+= UInt64(sent)
    }

    /// RFC 5506, for all m-lines of the bundle.
    private var takesReducedSize: Bool {
        let negotiated = configuration.negotiated
        return (negotiated.audio?.stream.reducedSizeRTCP ?? true) && (negotiated.video?.stream.reducedSizeRTCP ?? true)
    }

    /// One compound a second: reports of what we send, blocks about what came, the name, and what the sender may send at most.
    func sendReports(now: Instant, sink: inout some PeerSink) {
        guard srtp != nil, now >= nextReport else { return }
        let passed = now - nextReport + Self.reportInterval
        nextReport = now + Self.reportInterval
        evaluateLine(now: now)
        followLayers(now: now, sink: &sink)
        reports.removeAll(keepingCapacity: true)
        for index in incoming.indices {
            guard let block = incoming[index].reception.reportBlock(ssrc: incoming[index].ssrc, now: now) else { continue }
            reports.append(block)
            if let news = incoming[index].told.take(block) { incomingLoss.add(lost: news.lost, of: news.total, now: now) }
        }
        let usual = evaluateIncoming(passed, now: now)
        let limit = takesEstimates ? wish.limit(usual: usual, most: configuration.receiveCap) : nil
        let (time, sender) = (ntp(at: now), ownSSRC)
        sendRTCP(isFeedback: false, sink: &sink) { writer, packet in
            audioOut?.writeSenderReport(now: now, ntp: time, with: &writer, to: &packet)
            videoOut?.writeSenderReport(now: now, ntp: time, with: &writer, to: &packet)
            let start = ReceiverReport.begin(ssrc: sender, blocks: UInt8(min(31, reports.count)), with: &writer, to: &packet)
            for index in 0..<min(31, reports.count) { reports[index].write(with: &writer, to: &packet) }
            RTCPHeader.finish(start, with: &writer, to: &packet)
            SourceDescription.write(ssrcs: ownSources, cname: cname, with: &writer, to: &packet)
            if let limit {
                ReceiverEstimate.write(sender: sender, bitsPerSecond: limit, media: videoSources, with: &writer, to: &packet)
            }
        }
    }

    /// So much of so little is lost that it must be too much for the line.
    private static let (drowningLoss, drowningRate) = (0.3, 150_000.0)

    /// What reports say of the line from the peer, and what it may send where it has no better way to know.
    private func evaluateIncoming(_ passed: Duration, now: Instant) -> Int? {
        statistics.lossUp = incomingLoss.fraction(now: now) ?? 0
        drowns = statistics.lossUp > Self.drowningLoss && Double(receivedBytes) * 8 / passed.seconds < Self.drowningRate
        let heard = incoming.first { $0.kind == .audio } ?? incoming.first
        statistics.jitterMilliseconds = heard?.reception.jitterMilliseconds ?? 0
        limits.evaluate(loss: incomingLoss.fraction(over: 2, now: now) ?? 0, bytes: receivedBytes, in: passed)
        receivedBytes = 0
        guard takesEstimates, configuration.negotiated.video?.stream.feedback.contains(.transportWide) == false else { return nil }
        return limits.bitsPerSecond
    }

    var videoSources: [UInt32] {
        incoming.compactMap { if case .video = $0.kind { $0.ssrc } else { nil } }
    }

    func sendGoodbye(sink: inout some PeerSink) {
        let ours = ownSources
        guard !ours.isEmpty else { return }
        let sender = ownSSRC
        sendRTCP(isFeedback: false, sink: &sink) { writer, packet in
            let start = ReceiverReport.begin(ssrc: sender, blocks: 0, with: &writer, to: &packet)
            RTCPHeader.finish(start, with: &writer, to: &packet)
            Bye.write(ssrcs: ours, with: &writer, to: &packet)
        }
    }

    var ownSSRC: UInt32 { audioOut?.ssrc ?? videoOut?.ssrc ?? configuration.negotiated.audio?.stream.localSSRC ?? 1 }
}
