import Base
import ICE
import RTP
import TestSupport
import Testing

@testable import Peer
@testable import SDP

/// Two peers that send each other sound and pictures over a bad line, in virtual time. Their numbers go round early, and with them SRTP's index
/// (RFC 3711 §3.3.1).
private struct PeerConversation {
    struct Picture {
        var isKey: Bool
        var bytes: [UInt8]
    }

    var pair: PeerPair
    private var random: SeededGenerator
    private var tick = 0
    /// By sender: 0 the server, 1 the endpoint.
    private(set) var pictures: [[Picture]] = [[], []]
    private(set) var sounds = 0
    private var keysWanted = [-1, -1]

    static let firstSound: UInt16 = 65_400
    static let firstPicture: UInt16 = 65_200
    static let firstRepair: UInt16 = 65_500
    /// 48 kHz and 90 kHz go round after two seconds.
    static let soundOffset = UInt32.max - 96_000
    static let pictureOffset = UInt32.max - 180_000

    init(seed: UInt64, loss: Int, profile: SRTPProfile) throws {
        random = SeededGenerator(seed: seed)
        pair = try PeerPair(seed: seed, profiles: [profile], changing: PeerPair.unheeding)
        pair.pipe.loss = loss
        pair.pipe.duplication = 10
        pair.connect()
        for peer in [pair.server, pair.endpoint] { Self.turn(peer) }
        pair.pipe.keepsLost = true
    }

    /// Numbers and timestamps that go round soon.
    private static func turn(_ peer: Peer) {
        guard let audio = peer.configuration.negotiated.audio?.stream, var video = peer.configuration.negotiated.video?.stream else {
            return
        }
        peer.audioOut = OutgoingStream(audio, clockRate: 48_000, firstSequence: firstSound, timestampOffset: soundOffset, continuing: nil)
        peer.videoOut = OutgoingStream(
            video, clockRate: 90_000, firstSequence: firstPicture, timestampOffset: pictureOffset, continuing: nil)
        guard let ssrc = video.localRTXSSRC, let type = video.rtxPayloadType else { return }
        (video.localSSRC, video.payloadType) = (ssrc, type)
        peer.rtxOut = OutgoingStream(video, clockRate: 90_000, firstSequence: firstRepair, timestampOffset: pictureOffset, continuing: nil)
    }

    mutating func talk(_ duration: Duration) {
        let end = pair.now + duration
        while pair.now < end {
            let payload = [UInt8(sounds >> 8), UInt8(sounds & 255), 7]
            let stamp = UInt32(960 * sounds)
            pair.server.sendAudio(payload.span, timestamp: stamp, captured: pair.now, marker: false, now: pair.now, sink: &pair.atServer)
            pair.endpoint.sendAudio(
                payload.span, timestamp: stamp, captured: pair.now, marker: false, now: pair.now, sink: &pair.atEndpoint)
            sounds += 1
            if tick % 2 == 0 {
                let ours = picture(of: 0, wanted: pair.atServer.keyFramesWanted)
                pair.server.sendVideo(ours, now: pair.now, sink: &pair.atServer)
                let theirs = picture(of: 1, wanted: pair.atEndpoint.keyFramesWanted)
                pair.endpoint.sendVideo(theirs, now: pair.now, sink: &pair.atEndpoint)
            }
            tick += 1
            pair.run(.milliseconds(20))
        }
    }

    private mutating func picture(of side: Int, wanted: Int) -> PacketisedFrame {
        let isKey = keysWanted[side] != wanted
        keysWanted[side] = wanted
        let number = pictures[side].count
        var bytes = [UInt8](repeating: UInt8(number & 255), count: Int.random(in: 20...6_000, using: &random))
        bytes.replaceSubrange(0..<10, with: [isKey ? 0x10 : 0x11, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0x68, 1])
        pictures[side].append(Picture(isKey: isKey, bytes: bytes))
        return PacketisedFrame(bytes.span, isKeyFrame: isKey, timestamp: UInt32(3_600 * number), captured: pair.now)
    }

    /// Numbers of the sound packets that got lost on their way.
    func lostSounds(toServer: Bool) -> Int {
        let ssrc: UInt32 = toServer ? 2_000 : 1_000
        return pair.pipe.lost.count { $0.toServer == toServer && Self.isSound($0.bytes, ssrc) }
    }

    private static func isSound(_ bytes: [UInt8], _ ssrc: UInt32) -> Bool {
        bytes.count > 12 && bytes[0] >> 6 == 2 && bytes[1] & 0x7f == 111 && bytes.word(at: 8) == ssrc
    }
}

struct PeerConversationTests {
    private func expectSounds(_ heard: RecordingSink, _ talk: PeerConversation, toServer: Bool) {
        let numbers = heard.audio.map { Int($0.payload[0]) << 8 | Int($0.payload[1]) }
        // Each once, whatever was doubled, and none is missing but those that the line lost.
        #expect(Set(numbers).count == numbers.count && numbers.count == talk.sounds - talk.lostSounds(toServer: toServer))
        for (sound, number) in zip(heard.audio, numbers) {
            #expect(sound.packet.sequenceNumber == PeerConversation.firstSound &+ UInt16(number))
            #expect(sound.packet.timestamp == PeerConversation.soundOffset &+ UInt32(960 * number))
        }
    }

    private func expectPictures(_ seen: RecordingSink, _ sent: [PeerConversation.Picture], requests: UInt64, loss: Int) throws {
        let numbers = seen.video.map { Int($0.frame.timestamp &- PeerConversation.pictureOffset) / 3_600 }
        let first = try #require(numbers.first)
        #expect(sent[first].isKey && numbers.last == sent.count - 1)
        for (number, picture) in zip(numbers, seen.video) {
            #expect(picture.bytes == sent[number].bytes && picture.frame.isKey == sent[number].isKey)
        }
        for (earlier, later) in zip(numbers, numbers.dropFirst()) where later != earlier + 1 {
            #expect(later > earlier && sent[later].isKey)
        }
        // Where no key frame had to be asked for, every picture came.
        if requests == 0 { #expect(numbers == Array(0..<sent.count)) }
        // Repairs are enough where a packet in twenty is lost, and nearly so where it is one in ten.
        #expect(requests == 0 || loss == 10 && requests <= 2)
    }

    @Test(arguments: 0..<6 as Range<UInt64>, SRTPProfile.allCases)
    func `sound and pictures both ways come once, in order and unaltered over every wrap`(seed: UInt64, profile: SRTPProfile) throws {
        let loss = Int(seed % 3) * 5
        var talk = try PeerConversation(seed: seed, loss: loss, profile: profile)
        talk.talk(.seconds(8))
        talk.pair.pipe.loss = 0
        talk.talk(.seconds(2))
        talk.pair.run(.seconds(2))
        expectSounds(talk.pair.atServer, talk, toServer: true)
        expectSounds(talk.pair.atEndpoint, talk, toServer: false)
        let (server, endpoint) = (talk.pair.server, talk.pair.endpoint)
        try expectPictures(talk.pair.atServer, talk.pictures[1], requests: server.statistics.keyFramesRequested, loss: loss)
        try expectPictures(talk.pair.atEndpoint, talk.pictures[0], requests: endpoint.statistics.keyFramesRequested, loss: loss)
        #expect(server.videoOut.map { $0.nextSequence < 5_000 } == true && server.audioOut.map { $0.nextSequence < 5_000 } == true)
        if loss > 0 { #expect(endpoint.statistics.retransmissionsSent > 36 && server.statistics.retransmissionsSent > 36) }
        for peer in [server, endpoint] {
            // A wrong idea of the index would look like forgery; what was doubled is refused and nothing else.
            #expect(peer.drops[.srtpForged] == 0 && peer.drops[.srtpReplayed] > 50)
            // A doubled answer to a check is one that nobody waits for.
            #expect(peer.drops.total == peer.drops[.srtpReplayed] + peer.drops[.repairRefused] + peer.drops[.stunMalformed])
            #expect(peer.drops[.stunMalformed] < 5)
            #expect(peer.brokenVideos == 0 && peer.state == .connected)
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `when one ends nothing is left on either side`(seed: UInt64) throws {
        var talk = try PeerConversation(seed: seed, loss: Int(seed % 3) * 10, profile: .aeadAES128GCM)
        talk.talk(.seconds(2))
        talk.pair.endpoint.close(now: talk.pair.now, sink: &talk.pair.atEndpoint)
        talk.pair.run(.seconds(60))
        // A goodbye that got lost is noticed by the silence after it.
        let reason = try #require(talk.pair.atServer.ends.first)
        #expect(reason == .closedByPeer || reason == .consentLost && seed % 3 > 0)
        #expect(talk.pair.atServer.ends.count == 1 && talk.pair.atEndpoint.ends == [.closedHere])
        #expect(talk.pair.server.deadline == nil && talk.pair.endpoint.deadline == nil && talk.pair.pipe.nextArrival == nil)
        let (server, endpoint) = (talk.pair.server.statistics.packetsSent, talk.pair.endpoint.statistics.packetsSent)
        talk.talk(.milliseconds(100))
        talk.pair.run(.seconds(10))
        #expect(talk.pair.server.statistics.packetsSent == server && talk.pair.endpoint.statistics.packetsSent == endpoint)
        #expect(talk.pair.pipe.nextArrival == nil && talk.pair.server.srtp == nil && talk.pair.endpoint.srtp == nil)
    }
}
