import RTP
import SDP

extension Peer {
    static let reportInterval = Duration.seconds(1)
    static let keyFrameInterval = Duration.seconds(1)

    // MARK: In

    /// A compound (RFC 3550 §6.1), or a lone feedback message (RFC 5506). One that lies about a length has no effect at all.
    package func receivePlainRTCP(_ packet: Span<UInt8>, now: Instant, sink: inout some PeerSink) {
        var at = 0
        while at < packet.count {
            guard let end = Self.end(ofMessageAt: at, in: packet) else { return drops.count(.rtcpMalformed) }
            at = end
        }
        at = 0
        while at < packet.count, let end = Self.end(ofMessageAt: at, in: packet), !isClosed {
            take(packet.extracting(at..<end), now: now, sink: &sink)
            at = end
        }
    }

    private static func end(ofMessageAt start: Int, in packet: Span<UInt8>) -> Int? {
        guard start + 8 <= packet.count, packet[start] >> 6 == 2 else { return nil }
        let end = start + 4 + 4 * (Int(packet[start + 2]) << 8 | Int(packet[start + 3]))
        guard end <= packet.count, end >= start + 8 else { return nil }
        let blocks = Int(packet[start] & 31)
        switch packet[start + 1] {
        case 200: return start + 28 + 24 * blocks <= end ? end : nil
        case 201: return start + 8 + 24 * blocks <= end ? end : nil
        case 203: return start + 4 + 4 * blocks <= end ? end : nil
        case 205, 206: return start + 12 <= end ? end : nil
        default: return end
        }
    }

    private func take(_ message: Span<UInt8>, now: Instant, sink: inout some PeerSink) {
        let count = Int(message[0] & 31)
        switch message[1] {
        case 200:
            let ssrc = message.word(at: 4)
            let middle = message.word(at: 8) << 16 | message.word(at: 12) >> 16
            if let index = incoming.firstIndex(where: { $0.ssrc == ssrc }) { incoming[index].received(report: middle, now: now) }
            for block in 0..<count { takeBlock(message, at: 28 + 24 * block, now: now) }
        case 201: for block in 0..<count { takeBlock(message, at: 8 + 24 * block, now: now) }
        case 203: takeGoodbye(message, count, sink: &sink)
        case 205 where count == 1: takeNACK(message, now: now, sink: &sink)
        case 205 where count == 15: takeTransportFeedback(message, now: now)
        case 206 where count == 15: takeReceiverEstimate(message)
        case 206: takePayloadFeedback(message, format: count, sink: &sink)
        default: break
        }
    }

    /// RFC 3550 §6.4.1: round trip = now − LSR − DLSR, all in 1/65536 s.
    private func takeBlock(_ message: Span<UInt8>, at offset: Int, now: Instant) {
        let ssrc = message.word(at: offset)
        guard ssrc == audioOut?.ssrc || ssrc == videoOut?.ssrc else { return }
        statistics.lossDown = Double(message[offset + 4]) / 256
        let (last, delay) = (message.word(at: offset + 16), message.word(at: offset + 20))
        guard last != 0 else { return }
        let trip = UInt32(truncatingIfNeeded: ntp(at: now) >> 16) &- last &- delay
        // A block that answers no report of ours gives nonsense; half a minute is nonsense.
        if trip < 30 << 16 { statistics.roundTripMilliseconds = Double(trip) * 1_000 / 65_536 }
    }

    /// The session ends when every source that sent has said goodbye: one that drops its camera says so for that alone.
    private func takeGoodbye(_ message: Span<UInt8>, _ count: Int, sink: inout some PeerSink) {
        for index in 0..<count {
            let ssrc = message.word(at: 4 + 4 * index)
            for known in incoming.indices where incoming[known].ssrc == ssrc { incoming[known].leave() }
        }
        // Retransmission streams say no goodbye of their own.
        let media = incoming.filter { if case .retransmission = $0.kind { false } else { true } }
        if !media.isEmpty, media.allSatisfy(\.hasLeft) { end(.closedByPeer, sink: &sink) }
    }

    /// PLI is format 1, FIR format 4 (RFC 4585 §6.3.1, RFC 5104 §4.3.1).
    private func takePayloadFeedback(_ message: Span<UInt8>, format: Int, sink: inout some PeerSink) {
        guard let video = videoOut else { return }
        switch format {
        case 1 where message.word(at: 8) == video.ssrc: sink.wantsKeyFrame()
        case 4 where message.count >= 20 && message.word(at: 12) == video.ssrc: sink.wantsKeyFrame()
        default: break
        }
    }

    // MARK: Out

    /// 32.32 fixed point, RFC 5905.
    func ntp(at now: Instant) -> UInt64 {
        let (seconds, rest) = now.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return configuration.ntpAtStart &+ UInt64(truncatingIfNeeded: seconds) << 32 &+ (UInt64(truncatingIfNeeded: rest) << 32)
            / 1_000_000_000
    }

    /// One compound a second: reports of what we send, blocks about what came, the name.
    func sendReports(now: Instant, sink: inout some PeerSink) {
        guard srtp != nil, now >= nextReport else { return }
        nextReport = now + Self.reportInterval
        evaluateLine(now: now)
        let time = ntp(at: now)
        audioOut?.writeSenderReport(now: now, ntp: time, into: &rtcp)
        videoOut?.writeSenderReport(now: now, ntp: time, into: &rtcp)
        writeReceiverReport(now: now)
        for ssrc in [audioOut?.ssrc, videoOut?.ssrc] { if let ssrc { writeName(ssrc) } }
        sendRTCP(sink: &sink)
    }

    private func writeReceiverReport(now: Instant) {
        let start = rtcp.count
        rtcp += [0x80, 201, 0, 1]
        rtcp.append(word: ownSSRC)
        var (lost, weight) = (0.0, 0)
        for index in incoming.indices.prefix(31) {
            lost += incoming[index].writeReport(now: now, into: &rtcp)
            weight += 1
        }
        rtcp[start] |= UInt8(weight)
        rtcp[start + 3] = UInt8(1 + 6 * weight)
        statistics.lossUp = weight == 0 ? 0 : lost / Double(weight)
        let heard = incoming.first { $0.kind == .audio } ?? incoming.first
        statistics.jitterMilliseconds = heard?.jitterMilliseconds ?? 0
    }

    /// SDES with CNAME alone (RFC 3550 §6.5.1).
    private func writeName(_ ssrc: UInt32) {
        let name = configuration.cname.utf8.prefix(64)
        let items = 2 + name.count
        let padding = 4 - items % 4  // at least one zero ends the chunk
        rtcp += [0x81, 202, 0, UInt8(1 + (items + padding) / 4)]
        rtcp.append(word: ssrc)
        rtcp += [1, UInt8(name.count)]
        rtcp += name
        for _ in 0..<padding { rtcp.append(0) }
    }

    func sendGoodbye(sink: inout some PeerSink) {
        rtcp += [0x80, 201, 0, 1]
        rtcp.append(word: ownSSRC)
        let ours = [audioOut?.ssrc, videoOut?.ssrc].compactMap { $0 }
        rtcp += [0x80 | UInt8(ours.count), 203, 0, UInt8(ours.count)]
        for ssrc in ours { rtcp.append(word: ssrc) }
        if ours.isEmpty { rtcp.removeAll() }
        sendRTCP(sink: &sink)
    }

    var ownSSRC: UInt32 { audioOut?.ssrc ?? videoOut?.ssrc ?? configuration.negotiated.audio?.stream.localSSRC ?? 1 }

    /// Asks the peer for a key frame of its video `source` (PLI); gated to one a second.
    package func requestKeyFrame(source: Int = 0, now: Instant, sink: inout some PeerSink) {
        guard srtp != nil, now >= mayRequestKeyFrame, let video = incoming.first(where: { $0.kind == .video(source: source) }) else {
            return
        }
        mayRequestKeyFrame = now + Self.keyFrameInterval
        rtcp += [0x80, 201, 0, 1]
        rtcp.append(word: ownSSRC)
        rtcp += [0x81, 206, 0, 2]
        rtcp.append(word: ownSSRC)
        rtcp.append(word: video.ssrc)
        statistics.keyFramesRequested &+= 1
        sendRTCP(sink: &sink)
    }
}
