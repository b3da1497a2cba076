import Base
import Foundation
import Net
import Peer
import RTP
import SDP
import TestSupport
import Testing
import Video

@testable import MCU

/// Which pictures a receiver is sent when its tier changes.
struct PictureGateTests {
    private let start = Instant(sinceStart: .seconds(5))
    private func beat(_ number: Int) -> Instant { start + .milliseconds(40 * number) }
    private func stream(_ tier: Int) -> PictureStream { PictureStream(TierID(index: tier)) }

    @Test(arguments: [true, false])
    func `of the beat in which a tier begins, its key frame is sent and nothing of the old tier, whichever comes first`(oldFirst: Bool) {
        var gate = PictureGate(wanted: stream(0))
        #expect(gate.admit(stream(0), isKey: true, keys: StreamSet(stream(0)), captured: beat(0)) == .begins)
        gate.wanted = stream(1)
        #expect(gate.admit(stream(0), isKey: false, keys: .none, captured: beat(1)) == .passes)
        if oldFirst { #expect(gate.admit(stream(0), isKey: false, keys: StreamSet(stream(1)), captured: beat(2)) == .stays) }
        #expect(gate.admit(stream(1), isKey: true, keys: StreamSet(stream(1)), captured: beat(2)) == .begins)
        if !oldFirst { #expect(gate.admit(stream(0), isKey: false, keys: StreamSet(stream(1)), captured: beat(2)) == .stays) }
        #expect(gate.admit(stream(0), isKey: false, keys: .none, captured: beat(3)) == .stays)
        #expect(gate.admit(stream(1), isKey: false, keys: .none, captured: beat(3)) == .passes)
    }

    @Test func `a key frame that nobody announced does not follow a picture of the same beat, and another is asked for`() {
        var gate = PictureGate(wanted: stream(2))
        _ = gate.admit(stream(2), isKey: true, keys: StreamSet(stream(2)), captured: beat(0))
        gate.wanted = stream(1)
        #expect(gate.admit(stream(2), isKey: false, keys: .none, captured: beat(2)) == .passes)
        #expect(gate.admit(stream(1), isKey: true, keys: .none, captured: beat(2)) == .asks)
        #expect(gate.stream == stream(2))
        #expect(gate.admit(stream(1), isKey: true, keys: StreamSet(stream(1)), captured: beat(30)) == .begins)
    }

    @Test func `an announced key frame that does not come is asked for again`() {
        var gate = PictureGate(wanted: stream(0))
        _ = gate.admit(stream(0), isKey: true, keys: StreamSet(stream(0)), captured: beat(0))
        gate.wanted = stream(1)
        #expect(gate.admit(stream(0), isKey: false, keys: StreamSet(stream(1)), captured: beat(1)) == .stays)
        // The old tier's next picture builds on one that was not sent.
        #expect(gate.admit(stream(0), isKey: false, keys: .none, captured: beat(2)) == .stays)
        #expect(gate.admit(stream(1), isKey: false, keys: .none, captured: beat(2)) == .asks)
        #expect(gate.admit(stream(1), isKey: true, keys: StreamSet(stream(1)), captured: beat(25)) == .begins)
    }

    /// Three streams, tiers of one view or of two, encoded in any order, key frames announced or not, and a receiver that changes its mind.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `whatever the encoders do, moments rise from picture to picture and nothing builds on what was not sent`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let streams = (0..<3).map { PictureStream(seed % 2 == 0 || $0 == 0 ? .programme : .wall, TierID(index: $0)) }
        var gate = PictureGate(wanted: streams[0])
        var (last, lastTier, sent) = (Instant.start, -1, 0)
        var lastBeats = [-1, -1, -1]
        for number in 0..<2_000 {
            if Int.random(in: 0..<40, using: &random) == 0 { gate.wanted = streams[Int.random(in: 0..<3, using: &random)] }
            let made = (0..<3).filter { $0 < 2 || number % 2 == 0 }.shuffled(using: &random)
            let keys = made.filter { _ in Int.random(in: 0..<20, using: &random) == 0 }
            let announced = keys.filter { _ in Int.random(in: 0..<8, using: &random) > 0 }.reduce(into: StreamSet.none) {
                $0.insert(streams[$1])
            }
            for tier in made {
                let isKey = keys.contains(tier)
                let before = lastBeats[tier]
                lastBeats[tier] = number
                switch gate.admit(streams[tier], isKey: isKey, keys: announced, captured: beat(number)) {
                case .stays, .asks: continue
                case .begins: #expect(isKey)
                case .passes: #expect(isKey || lastTier == tier && last == beat(before))
                }
                #expect(beat(number) > last)
                (last, lastTier, sent) = (beat(number), tier, sent + 1)
            }
        }
        #expect(sent > 1_000)
    }

    // MARK: What the composer announces

    /// Somebody with sound and picture.
    /// - Parameter speaks: sends sound too; who sends nothing is a viewer.
    static func member(sends: Bool, speaks: Bool = true) throws -> Participant {
        let sound = speaks ? MediaServerTests.offer : MediaServerTests.offer.replacingOccurrences(of: "a=sendrecv", with: "a=recvonly")
        let offer = try SessionDescription(
            parsing: sound.replacingOccurrences(of: "BUNDLE 0", with: "BUNDLE 0 1")
                + (sends ? Self.picture.replacingOccurrences(of: "recvonly", with: "sendrecv") : Self.picture))
        let fingerprint = try #require(Fingerprint(bytes: [UInt8](repeating: 1, count: 32)))
        let parameters = LocalParameters(
            credentials: .random(), fingerprint: fingerprint, candidates: [], sessionID: 1, cname: "c", streamID: "s",
            audio: .init(ssrc: 1, trackID: "a"), video: .init(ssrc: 2, rtxSSRC: 3, trackID: "v"))
        let (_, negotiated) = try Answerer(parameters: parameters).answer(offer, after: nil)
        let one = Participant(
            session: UUID(), kind: sends ? .participant : .viewer, name: "Hà Giang", joined: .start, negotiated: negotiated)
        one.isConnected = true
        return one
    }

    private static let picture = """
        m=video 9 UDP/TLS/RTP/SAVPF 96\r
        c=IN IP4 0.0.0.0\r
        a=ice-ufrag:Enxy\r
        a=ice-pwd:13wIrjubsg2mfmQAmj08f2oT\r
        a=fingerprint:sha-256 BE:AA:4D:06:9E:B0:46:C8:20:05:23:66:46:E5:55:A8:BC:99:CB:5C:58:5F:0D:9B:81:20:16:E1:C4:DC:5B:F6\r
        a=setup:actpass\r
        a=mid:1\r
        a=recvonly\r
        a=rtcp-mux\r
        a=rtpmap:96 VP8/90000\r

        """

    /// A composer run by hand, and a receiver behind a gate that takes its pictures in both orders of one beat.
    @Test(arguments: [false, true])
    func `a change of tier asked of the composer shows each moment once`(isReversed: Bool) throws {
        let core = MediaCore(configuration: MediaServerConfiguration())
        defer { core.close() }
        let bridge = Bridge(meeting: UUID(), core: core)
        let one = try Self.member(sends: false)
        bridge.add(one)
        var gate = PictureGate(wanted: stream(0))
        one.streams = StreamSet(stream(0))
        bridge.wantsKeyFrame(stream(0))
        var (moments, tiers, batch): ([Instant], [TierID], [MediaCommand]) = ([], [], [])
        let first = Instant(nanoseconds: MediaClock.now().nanoseconds / 40_000_000 * 40_000_000)
        for number in 0..<130 {
            if number % 50 == 20 {
                gate.wanted = stream((gate.wanted.tier.index + 1) % 3)
                one.streams = StreamSet(gate.wanted, and: gate.stream)
                bridge.streamsChanged()
                bridge.wantsKeyFrame(gate.wanted)
            }
            bridge.composer.beat(captured: first + .milliseconds(40 * number), bridge: bridge)
            bridge.composer.run()
            core.workers[0].drain(into: &batch)
            let pictures = batch.compactMap { command -> (PictureStream, StreamSet, PacketisedFrame)? in
                if case .video(_, let stream, let keys, let frame) = command { (stream, keys, frame) } else { nil }
            }
            batch.removeAll()
            for (stream, keys, frame) in isReversed ? pictures.reversed() : pictures {
                let verdict = gate.admit(stream, isKey: frame.isKeyFrame, keys: keys, captured: frame.captured)
                if verdict == .begins {
                    one.streams = StreamSet(stream)
                    bridge.streamsChanged()
                }
                if verdict == .asks { bridge.wantsKeyFrame(stream) }
                guard verdict == .begins || verdict == .passes else { continue }
                moments.append(frame.captured)
                if tiers.last != stream.tier { tiers.append(stream.tier) }
            }
        }
        #expect(zip(moments, moments.dropFirst()).allSatisfy { $0 < $1 })
        #expect(tiers == [.high, .medium, .low])
        #expect(moments.count > 30)
    }
}
