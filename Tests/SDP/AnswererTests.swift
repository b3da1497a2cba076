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
