import Base
import Foundation
import ICE
import TestSupport
import Testing

@testable import SDP

enum Samples {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "vectors")
    static let names = [
        "chromium-156-audio-only", "chromium-156-audio-video-balanced", "chromium-156-audio-video", "chromium-156-receive-only",
        "chromium-156-simulcast", "chromium-156-with-screen", "firefox-153-audio-video", "firefox-153-receive-only",
        "firefox-153-simulcast",
        "gstreamer-like-audio-video", "safari-like-audio-video",
    ]

    static func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appending(path: "\(name).sdp")), as: UTF8.self)
    }

    static func parameters() throws -> LocalParameters {
        LocalParameters(
            credentials: ICECredentials(ufrag: "serverUf", password: "serverPasswordOf24Letter"),
            fingerprint: try #require(Fingerprint(bytes: [UInt8](repeating: 0xab, count: 32))),
            candidates: [TransportAddress(ipv4: 0xc000_0201, port: 5_000)], sessionID: 7, cname: "nc", streamID: "mix",
            audio: .init(ssrc: 11, trackID: "sound"), video: .init(ssrc: 21, rtxSSRC: 22, trackID: "picture"))
    }
}

struct AnswererTests {
    @Test(arguments: Samples.names)
    func `a sample printed and parsed again is the same`(name: String) throws {
        let offer = try SessionDescription(parsing: try Samples.text(name))
        #expect(try SessionDescription(parsing: offer.description) == offer)
    }

    @Test(arguments: Samples.names)
    func `the answer to a sample parses, keeps m-lines and mids, and is lite, passive and muxed`(name: String) throws {
        let offer = try SessionDescription(parsing: try Samples.text(name))
        let (made, session) = try Answerer(parameters: try Samples.parameters()).answer(offer)
        let answer = try SessionDescription(parsing: made.description)
        #expect(answer == made)
        #expect(answer.media.map(\.kind) == offer.media.map(\.kind) && answer.media.map(\.mid) == offer.media.map(\.mid))
        #expect(answer.lines.has("ice-lite") && session.remoteFingerprints.count == 1 && session.remoteSetup == .actpass)
        for media in answer.media where media.port != 0 {
            #expect(media.lines.attribute("setup") == "passive" && media.lines.has("rtcp-mux"))
            #expect(media.lines.attribute("ice-ufrag") == "serverUf")
        }
        let viewer = name.contains("receive-only")
        #expect(session.kind == (viewer ? .viewer : .participant))
        #expect(session.audio?.stream.sends == true && session.audio?.stream.receives == !viewer)
        #expect((session.video == nil) == name.contains("audio-only"))
        if name.contains("simulcast") {
            #expect(session.video?.layers.map(\.rid) == ["q", "h", "f"])
            #expect(answer.media[1].lines.attribute("simulcast") == "recv q;h;f")
        }
    }

    @Test func `what Chromium offers is read from our side`() throws {
        let offer = try SessionDescription(parsing: try Samples.text("chromium-156-with-screen"))
        var parameters = try Samples.parameters()
        let session = try Answerer(parameters: parameters).answer(offer).session
        let video = try #require(session.video?.stream)
        #expect(video.payloadType == 96 && video.rtxPayloadType == 97 && video.localSSRC == 21 && video.localRTXSSRC == 22)
        #expect(video.feedback == [.nack, .pictureLoss, .fullIntraRequest, .remb, .transportWide])
        #expect(video.remoteSources == [RemoteSource(ssrc: 4_073_933_860, rtxSSRC: 3_361_720_436)])
        #expect(
            video.receiveExtensions.mid == 4 && video.receiveExtensions.transportSequence == 3 && video.sendExtensions.absoluteSendTime == 2
        )
        #expect(session.furtherVideos.isEmpty && session.mediaLines[2].refusal == .furtherVideo && session.mediaLines[3].refusal == .kind)
        parameters.acceptsFurtherVideo = true
        let (answer, wider) = try Answerer(parameters: parameters).answer(offer)
        #expect(
            wider.furtherVideos.map(\.stream.receives) == [true] && answer.media[2].lines.direction == .recvonly
                && answer.media[3].port == 0)
    }

    @Test(arguments: [
        ("a=fingerprint", "a=x", SDPError.insecure(mediaLine: 0, reason: .noFingerprint)),
        ("a=ice-", "a=x", .insecure(mediaLine: 0, reason: .noICECredentials)),
        ("setup:actpass", "setup:passive", .unsupported(mediaLine: 0, reason: .peerIsPassive)),
        ("opus/48000/2", "opus/8000/1", .unsupported(mediaLine: 0, reason: .noCommonCodec)),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", .insecure(mediaLine: 0, reason: .plainRTP)),
        ("a=rtcp-mux", "a=x", .unsupported(mediaLine: 0, reason: .noRTCPMux)),
        ("v=0", "v=1", .malformed(line: 1, reason: .missingVersion)),
        ("m=audio", "m=audio x", .malformed(line: 8, reason: .mediaLine)),
    ])
    func `an offer that cannot be taken is refused with its reason`(old: String, new: String, error: SDPError) throws {
        let text = try Samples.text("chromium-156-audio-only").replacingOccurrences(of: old, with: new)
        let answerer = Answerer(parameters: try Samples.parameters())
        #expect(throws: error) { try answerer.answer(try SessionDescription(parsing: text)) }
    }

    @Test(arguments: Samples.names)
    func `candidates and their end stand in each m-line that is taken`(name: String) throws {
        let offer = try SessionDescription(parsing: try Samples.text(name))
        let answer = try Answerer(parameters: try Samples.parameters()).answer(offer).answer
        for media in answer.media {
            #expect(media.lines.attributes("candidate").count == (media.port == 0 ? 0 : 1))
            #expect(media.lines.has("end-of-candidates") == (media.port != 0))
        }
    }

    @Test(arguments: Samples.names)
    func `who takes TCP says so behind the candidates of UDP, passive and less preferred`(name: String) throws {
        let offer = try SessionDescription(parsing: try Samples.text(name))
        var parameters = try Samples.parameters()
        parameters.takesTCP = true
        let answer = try Answerer(parameters: parameters).answer(offer).answer
        for media in answer.media where media.port != 0 {
            let candidates = try media.lines.attributes("candidate").map { try #require(Candidate(parsing: $0.value)) }
            #expect(candidates.map(\.transport) == ["udp", "tcp"])
            #expect(candidates[1].extensions == ["tcptype", "passive"] && candidates[1].port == candidates[0].port)
            #expect(candidates[1].priority < candidates[0].priority && candidates[1].foundation != candidates[0].foundation)
            // RFC 6544 §4.2: 2^24 × 126 + 2^8 × (2^13 × 4 + 8191) + 255.
            #expect(candidates[1].priority == 2_113_929_216 + 256 * (32_768 + 8_191) + 255 && candidates[1].address == nil)
        }
    }

    /// What a case file offers, with other words for some of its own.
    private func offer(_ name: String, _ changes: [(String, String)] = []) throws -> SessionDescription {
        let folder = Samples.folder.deletingLastPathComponent().deletingLastPathComponent().appending(path: "cases")
        var text = String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
        for (old, new) in changes { text = text.replacingOccurrences(of: old, with: new) }
        return try SessionDescription(parsing: text)
    }

    @Test func `who only sends is taken whole or refused by the m-line, who also receives is not`() throws {
        let answerer = Answerer(parameters: try Samples.parameters())
        let unsupported = SDPError.unsupported(mediaLine: 1, reason: .noCommonCodec)
        #expect(throws: unsupported) { try answerer.answer(try offer("h264-only-sendonly.sdp")) }
        #expect(throws: SDPError.unsupported(mediaLine: 0, reason: .noCommonCodec)) {
            try answerer.answer(try offer("h264-only-sendonly.sdp", [("opus/48000/2", "PCMU/8000"), ("H264", "VP8")]))
        }
        #expect(throws: SDPError.unsupported(mediaLine: 1, reason: .notBundled)) {
            try answerer.answer(try offer("h264-only-sendonly.sdp", [("BUNDLE 0 1", "BUNDLE 0"), ("H264", "VP8")]))
        }
        let whole = try answerer.answer(try offer("h264-only-sendonly.sdp", [("H264", "VP8")])).session
        #expect(whole.kind == .publisher && whole.mediaLines.allSatisfy { $0.refusal == nil })
        for direction in ["sendrecv", "recvonly"] {
            let session = try answerer.answer(try offer("h264-only-sendonly.sdp", [("sendonly", direction)])).session
            #expect(
                session.mediaLines.map(\.refusal) == [nil, .noCommonCodec]
                    && session.kind == (direction == "sendrecv" ? .participant : .viewer))
        }
        // Nothing of a publisher's later offer is half taken either.
        #expect(throws: unsupported) { try answerer.answer(try offer("h264-only-sendonly.sdp"), after: whole) }
    }

    @Test(arguments: [
        ("a=mid:0", "a=mid:0 x", 9, Malformation.mid), ("a=candidate:", "a=candidate:x ", 0, .candidate),
        ("a=setup:actpass", "a=setup:both", 0, .setup),
        ("a=rtpmap:111", "a=rtpmap:1111", 0, .rtpmap), ("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 G", 0, .fingerprint),
        ("a=ice-pwd:", "a=ice-pwd:! ", 0, .credentials),
    ])
    func `the line that is named is the one that is wrong`(old: String, new: String, line: Int, reason: Malformation) throws {
        var rows = try Samples.text("chromium-156-audio-only").components(separatedBy: "\r\n")
        if !rows.contains(where: { $0.hasPrefix(old) }) { rows.insert("a=candidate:1 1 udp 1 192.0.2.1 9 typ host", at: 12) }
        let place = try #require(rows.firstIndex { $0.hasPrefix(old) })
        rows[place] = rows[place].replacingOccurrences(of: old, with: new)
        let answerer = Answerer(parameters: try Samples.parameters())
        #expect(throws: SDPError.malformed(line: place + 1, reason: reason)) {
            try answerer.answer(try SessionDescription(parsing: rows.joined(separator: "\r\n")))
        }
    }

    @Test func `more layers than eight, or more a=rid than thirty-two, are refused`() throws {
        let answerer = Answerer(parameters: try Samples.parameters())
        func offer(layers: Int, rids: Int) throws -> SessionDescription {
            var rows = try Samples.text("chromium-156-simulcast").components(separatedBy: "\r\n").filter {
                !$0.hasPrefix("a=rid") && !$0.hasPrefix("a=simulcast")
            }
            rows.removeLast()
            rows +=
                (0..<rids).map { "a=rid:r\($0) send" } + ["a=simulcast:send " + (0..<layers).map { "r\($0)" }.joined(separator: ";"), ""]
            return try SessionDescription(parsing: rows.joined(separator: "\r\n"))
        }
        let session = try answerer.answer(try offer(layers: 8, rids: 32)).session
        #expect((session.video?.layers.count ?? 0) + session.furtherVideos.reduce(0) { $0 + $1.layers.count } == 8)
        for (layers, rids) in [(9, 32), (8, 33), (1_500, 5_000)] {
            let error = #expect(throws: SDPError.self) { try answerer.answer(try offer(layers: layers, rids: rids)) }
            guard case .malformed(_, .tooManyLayers) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test func `without BUNDLE only the sound is taken`() throws {
        let text = try Samples.text("chromium-156-audio-video").replacingOccurrences(of: "a=group:BUNDLE 0 1\r\n", with: "")
        let (answer, session) = try Answerer(parameters: try Samples.parameters()).answer(try SessionDescription(parsing: text))
        #expect(answer.media[0].port == 5_000 && answer.media[1].port == 0 && session.mediaLines[1].refusal == .notBundled)
    }

    @Test func `a later offer keeps its m-lines, and new credentials are a restart`() throws {
        let text = try Samples.text("chromium-156-audio-video")
        let offer = try SessionDescription(parsing: text)
        let answerer = Answerer(parameters: try Samples.parameters())
        let first = try answerer.answer(offer).session
        let second = try answerer.answer(offer, after: first).session
        #expect(!second.isICERestart && second.localVersion == 2)
        let ufrag = try #require(offer.media[0].lines.attribute("ice-ufrag"))
        let restarted = try SessionDescription(parsing: text.replacingOccurrences(of: "ice-ufrag:\(ufrag)", with: "ice-ufrag:other"))
        #expect(try Answerer.isICERestart(restarted, after: first) && !Answerer.isICERestart(offer, after: first))
        #expect(try answerer.answer(restarted, after: first).session.isICERestart)
        var shorter = offer
        shorter.media.removeLast()
        #expect(throws: SDPError.mismatch(mediaLine: 1, reason: .mediaLinesRemoved)) { try answerer.answer(shorter, after: first) }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `torn, shuffled and altered offers are answered or refused, never worse`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var rows = try Samples.text(try #require(Samples.names.randomElement(using: &random))).components(separatedBy: "\r\n")
        if Bool.random(using: &random) { rows[2...].shuffle(using: &random) }
        for _ in 0..<5 {
            let index = Int.random(in: rows.indices, using: &random)
            rows[index] =
                String(rows[index].prefix(Int.random(in: 0...40, using: &random))) + (Bool.random(using: &random) ? ":;= 99999999999" : "")
        }
        guard let offer = try? SessionDescription(parsing: rows.joined(separator: "\r\n")) else { return }
        #expect(try SessionDescription(parsing: offer.description) == offer)
        guard let made = try? Answerer(parameters: try Samples.parameters()).answer(offer).answer else { return }
        #expect(try SessionDescription(parsing: made.description) == made)
    }

    @Test func `what is too much is refused by name`() {
        let head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n"
        #expect(throws: SDPError.tooLarge(limit: 262_144)) { try SessionDescription(parsing: String(repeating: "a", count: 262_145)) }
        #expect(throws: SDPError.malformed(line: 4, reason: .lineTooLong)) {
            try SessionDescription(parsing: head + "a=" + String(repeating: "x", count: 9_000))
        }
        #expect(throws: SDPError.malformed(line: 36, reason: .tooManyMediaLines)) {
            try SessionDescription(parsing: head + String(repeating: "m=audio 9 RTP/SAVPF 0\r\n", count: 33))
        }
    }
}
