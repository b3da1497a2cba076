import Base
import RTP
import TestSupport
import Testing

@testable import Peer
@testable import SDP

extension PeerPair {
    /// Both send a sound packet each 20 ms, and a picture of three packets each 40 ms where `video`.
    mutating func talk(ticks: Int, video: Bool = false) {
        for tick in 0..<ticks {
            let stamp = UInt32(tick * 960)
            let payload = [UInt8(tick & 255), 1, 2, 3]
            server.sendAudio(payload.span, timestamp: stamp, captured: now, marker: tick == 0, now: now, sink: &atServer)
            endpoint.sendAudio(payload.span, timestamp: stamp, captured: now, marker: tick == 0, now: now, sink: &atEndpoint)
            if video, tick % 2 == 0 {
                let part = [UInt8](repeating: 0x90, count: 900)
                for index in 0..<3 {
                    endpoint.sendVideo(
                        packet: part.span, timestamp: UInt32(tick * 1_800), captured: now, marker: index == 2, now: now, sink: &atEndpoint)
                }
            }
            run(.milliseconds(20))
        }
    }

    /// An RTCP packet sealed with the endpoint's keys. One packet only: its index starts anew.
    func sealed(rtcp plain: [UInt8]) throws -> [UInt8] {
        var session = try SRTPSession(keys: try #require(endpoint.dtls.keys))
        return try Self.sealed(rtcp: plain, by: &session)
    }

    static func sealed(rtcp plain: [UInt8], by session: inout SRTPSession) throws -> [UInt8] {
        var bytes = plain + [UInt8](repeating: 0, count: SRTPSession.overhead)
        var span = bytes.mutableSpan
        let count = try session.protectRTCP(&span, length: plain.count)
        return Array(bytes.prefix(count))
    }
}

struct PeerMediaTests {
    @Test(arguments: [[SRTPProfile.aeadAES128GCM], [.aes128CMSHA1_80]])
    func `sound goes both ways, numbered without a hole`(profiles: [SRTPProfile]) throws {
        var pair = try PeerPair(seed: 1, profiles: profiles)
        pair.connect()
        pair.talk(ticks: 100)
        pair.run(.milliseconds(200))
        #expect(pair.atServer.audio.count == 100 && pair.atEndpoint.audio.count == 100)
        let heard = pair.atServer.audio.sorted { $0.packet.sequenceNumber < $1.packet.sequenceNumber }
        #expect(heard.map { $0.payload[0] } == (0..<100).map { UInt8($0) })
        #expect(heard[0].packet.marker && !heard[1].packet.marker)
        #expect(heard[99].packet.sequenceNumber == heard[0].packet.sequenceNumber + 99)
        #expect(heard[99].packet.timestamp &- heard[0].packet.timestamp == 99 * 960)
        #expect(pair.server.drops.total == 0)
    }

    @Test(arguments: [[SRTPProfile.aeadAES128GCM], [.aes128CMSHA1_80]])
    func `sound that a renegotiation stopped goes on with the numbers that follow`(profiles: [SRTPProfile]) throws {
        var pair = try PeerPair(seed: 3, profiles: profiles)
        pair.connect()
        pair.talk(ticks: 50)
        let before = pair.server.configuration.negotiated
        var silent = before
        silent.audio?.stream.sends = false
        pair.server.apply(silent, now: pair.now, sink: &pair.atServer)
        pair.talk(ticks: 10)
        pair.run(.milliseconds(200))
        #expect(pair.atEndpoint.audio.count == 50)
        pair.server.apply(before, now: pair.now, sink: &pair.atServer)
        pair.talk(ticks: 50)
        pair.run(.milliseconds(200))
        let numbers = pair.atEndpoint.audio.map(\.packet.sequenceNumber).sorted()
        #expect(numbers.count == 100 && numbers.last.map { $0 &- numbers[0] } == 99)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `reports tell loss, jitter and the round trip`(seed: UInt64) throws {
        var pair = try PeerPair(seed: seed)
        pair.connect()
        pair.talk(ticks: 250)
        pair.pipe.loss = 20
        pair.talk(ticks: 500)
        let statistics = pair.server.statistics
        #expect(statistics.lossUp > 0.02 && statistics.lossUp < 0.45 && statistics.lossDown > 0.02 && statistics.lossDown < 0.45)
        let trip = try #require(statistics.roundTripMilliseconds)
        #expect(trip >= 40 && trip <= 70.1)  // twice 20 ms, and up to 15 ms late each way
        #expect(statistics.jitterMilliseconds > 0.5 && statistics.jitterMilliseconds < 15)
    }

    @Test func `sender reports tie sound and picture to one clock`() throws {
        var pair = try PeerPair(seed: 3)
        pair.connect()
        pair.talk(ticks: 20, video: true)
        var room = [UInt8](repeating: 0, count: 56)
        let at = pair.now + .milliseconds(7)
        var writer = ByteWriter()
        var span = room.mutableSpan
        for stream in [pair.endpoint.audioOut, pair.endpoint.videoOut] {
            stream?.writeSenderReport(now: at, ntp: pair.endpoint.ntp(at: at), with: &writer, to: &span)
        }
        let (sound, picture) = (Array(room[..<28]), Array(room[28...]))
        let (soundTime, pictureTime) = (sound.word(at: 12), picture.word(at: 12))
        #expect(soundTime == pictureTime)
        // The last sound was tick 19, 27 ms before; the last picture tick 18, 47 ms before.
        let seed = pair.endpoint.configuration.seed &* 0x9e37_79b9_7f4a_7c15
        let soundStamp = sound.word(at: 16) &- UInt32(truncatingIfNeeded: seed >> 32)
        let pictureStamp = picture.word(at: 16) &- UInt32(truncatingIfNeeded: seed >> 16)
        #expect(soundStamp == 19 * 960 + 27 * 48 && pictureStamp == 18 * 1_800 + 47 * 90)
    }

    @Test func `transport-wide feedback tells the sender what its line carries`() throws {
        var pair = try PeerPair(seed: 3)
        pair.connect()
        pair.pipe.jitter = .zero  // a packet that comes after the feedback that should have told of it counts as lost
        pair.run(.milliseconds(100))
        pair.talk(ticks: 200, video: true)
        #expect(pair.server.statistics.lossDown == 0 && pair.server.statistics.packetsSent > 200)
        #expect(pair.server.drops.total == 0 && pair.endpoint.drops.total == 0)
    }

    @Test func `a key frame is asked for at most once a second, and the other side is told`() throws {
        var pair = try PeerPair(seed: 3)
        pair.connect()
        pair.talk(ticks: 4, video: true)
        for _ in 0..<5 { pair.server.requestKeyFrame(now: pair.now, sink: &pair.atServer) }
        pair.run(.milliseconds(200))
        #expect(pair.atEndpoint.keyFramesWanted == 1)
        pair.run(.seconds(1))
        pair.server.requestKeyFrame(now: pair.now, sink: &pair.atServer)
        pair.run(.milliseconds(200))
        #expect(pair.atEndpoint.keyFramesWanted == 2)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `pictures come whole, and what is lost is sent again`(seed: UInt64) throws {
        var pair = try PeerPair(seed: seed)
        pair.connect()
        pair.pipe.loss = seed == 0 ? 0 : 5
        for number in 0..<100 {
            var bytes = [UInt8](repeating: UInt8(number), count: 3_000)
            bytes.replaceSubrange(0..<10, with: [number == 0 ? 0x10 : 0x11, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0x68, 1])
            let frame = PacketisedFrame(bytes.span, isKeyFrame: number == 0, timestamp: UInt32(number * 3_600), captured: pair.now)
            pair.endpoint.sendVideo(frame, now: pair.now, sink: &pair.atEndpoint)
            pair.run(.milliseconds(40))
        }
        pair.run(.milliseconds(800))
        #expect(pair.atServer.video.count >= (seed == 0 ? 100 : 60))
        #expect(pair.atServer.video.allSatisfy { $0.bytes.count == 3_000 && $0.frame.width == 640 && $0.frame.height == 360 })
        #expect(seed == 0 || pair.endpoint.statistics.retransmissionsSent > 0)
    }

    /// Timestamps of the packets of one SSRC, read from the datagrams; the marker ends a picture.
    @Test func `what was repeated three times and is asked for still is replaced by a key frame, once`() throws {
        var pair = try PeerPair(seed: 5)
        pair.connect()
        pair.isCut = true
        let wanted = pair.atServer.keyFramesWanted
        func show(_ number: UInt32) {
            let picture = [UInt8](repeating: 0x55, count: 2_000)
            let frame = PacketisedFrame(picture.span, isKeyFrame: number == 0, timestamp: number * 3_600, captured: pair.now)
            pair.server.sendVideo(frame, now: pair.now, sink: &pair.atServer)
            pair.run(.milliseconds(40))
        }
        func ask(times: Int) throws {
            let number = try #require(pair.server.videoOut?.nextSequence) &- 1
            let bytes: [UInt8] = [0x81, 205, 0, 3, 0, 0, 7, 0xd0, 0, 0, 3, 0xf2, UInt8(number >> 8), UInt8(number & 255), 0, 0]
            for _ in 0..<times {
                pair.server.receivePlainRTCP(bytes.span, now: pair.now, sink: &pair.atServer)
                pair.run(.milliseconds(400))
            }
        }
        for number in 0..<3 as Range<UInt32> { show(number) }
        try ask(times: 3)
        #expect(pair.server.statistics.retransmissionsSent == 3 && pair.atServer.keyFramesWanted == wanted)
        try ask(times: 4)
        #expect(pair.server.statistics.retransmissionsSent == 3 && pair.atServer.keyFramesWanted == wanted + 1)
        // Of a later picture it is another matter.
        show(3)
        try ask(times: 4)
        #expect(pair.atServer.keyFramesWanted == wanted + 2)
    }

    private func stamps(_ sent: [RecordingSink.Sent], ssrc: UInt32) -> [(stamp: UInt32, marker: Bool)] {
        sent.compactMap { one in
            guard one.bytes.count > 12, one.bytes[0] >> 6 == 2, !(192..<224).contains(one.bytes[1]), one.bytes.word(at: 8) == ssrc else {
                return nil
            }
            return (one.bytes.word(at: 4), one.bytes[1] & 0x80 != 0)
        }
    }

    @Test func `no two pictures or sounds have one timestamp, over a renegotiation too`() throws {
        var pair = try PeerPair(seed: 5, changing: PeerPair.unheeding)
        pair.connect()
        let bytes = [UInt8](repeating: 0x10, count: 2_500)
        var sent: [RecordingSink.Sent] = []
        let negotiated = pair.server.configuration.negotiated
        for number in 0..<20 {
            if number % 5 == 4 {
                var without = negotiated
                without.audio?.stream.sends = false
                without.video?.stream.sends = false
                pair.server.apply(without, now: pair.now, sink: &pair.atServer)
                pair.server.apply(negotiated, now: pair.now, sink: &pair.atServer)
            }
            // Twice for one moment, as two tiers have it, and once for the moment before.
            for moment in [number, number, number - 1] {
                let captured = Instant(sinceStart: .milliseconds(40 * (moment + 100)))
                let frame = PacketisedFrame(bytes.span, isKeyFrame: true, timestamp: UInt32(3_600 * (moment + 100)), captured: captured)
                pair.server.sendVideo(frame, now: pair.now, sink: &pair.atServer)
                pair.server.sendAudio(
                    bytes.span.extracting(first: 40), timestamp: UInt32(1_920 * (moment + 100)), captured: captured, marker: false,
                    now: pair.now, sink: &pair.atServer)
            }
            sent += pair.atServer.sent
            pair.run(.milliseconds(40))
        }
        let sound = stamps(sent, ssrc: 1_000).map(\.stamp)
        #expect(sound.count == 20 && zip(sound, sound.dropFirst()).allSatisfy { $1 &- $0 == 1_920 })
        let picture = stamps(sent, ssrc: 1_010)
        #expect(picture.count == 60 && picture.filter(\.marker).count == 20)
        #expect(zip(picture, picture.dropFirst()).allSatisfy { $1.stamp &- $0.stamp == ($0.marker ? 3_600 : 0) })
    }

    @Test(arguments: [
        [0x80, 201, 0, 9, 0, 0, 7, 208],  // longer than the datagram
        [0x81, 201, 0, 1, 0, 0, 7, 208],  // a block that is not there
        [0x80, 201, 0, 1, 0, 0, 7, 208, 0x9f, 203, 0, 1, 0, 0, 7, 208],  // a goodbye for thirty-one, with room for one
        [0x80, 201, 0, 1, 0, 0, 7, 208, 0x81, 206, 0, 1, 0, 0, 0, 0],  // feedback without a media source
    ])
    func `RTCP that lies about its length has no effect`(plain: [UInt8]) throws {
        var pair = try PeerPair(seed: 2)
        pair.connect()
        let bytes = try pair.sealed(rtcp: plain)
        PeerDropTests.expect(.rtcpMalformed, bytes, on: &pair)
        #expect(pair.server.state == .connected)
    }

    private func goodbye(_ ssrc: UInt32, _ pair: inout PeerPair) {
        var bytes: [UInt8] = [0x81, 203, 0, 1]
        bytes.append(word: ssrc)
        pair.server.receivePlainRTCP(bytes.span, now: pair.now, sink: &pair.atServer)
    }

    @Test func `BYE ends a source, be it the last one, and never the session`() throws {
        var pair = try PeerPair(seed: 2)
        pair.connect()
        pair.talk(ticks: 10, video: true)
        goodbye(2_010, &pair)
        goodbye(2_010, &pair)
        goodbye(2_000, &pair)
        goodbye(77, &pair)
        #expect(pair.server.state == .connected && pair.atServer.ends.isEmpty && pair.atServer.endedVideos == [0])
        // The same source goes on: it is heard.
        let sound = pair.atServer.audio.count
        pair.talk(ticks: 10)
        #expect(pair.atServer.audio.count == sound + 10)
        pair.run(.seconds(60))
        #expect(pair.server.state == .connected)
    }

    @Test func `after BYE another source takes the place at once, as often as it likes`() throws {
        // AES-CM, since what seals under GCM has a bound of its own.
        var pair = try PeerPair(seed: 2, profiles: [.aes128CMSHA1_80])
        pair.connect()
        var session = try SRTPSession(keys: try #require(pair.endpoint.dtls.keys))
        for change in 0..<UInt32(100) {
            let ssrc = 0x0101_0101 + change
            for sequence in 0..<3 as Range<UInt16> {
                var packet = SRTPSessionTests.packet(sequence: sequence, ssrc: ssrc)
                packet[1] = 111
                pair.deliver(try SRTPSessionTests.sealed(&session, packet), toServer: true)
            }
            goodbye(ssrc, &pair)
        }
        #expect(pair.atServer.audio.count == 300 && pair.server.incoming.count <= Peer.mostSources)
        // What was sealed for a source that is gone for good opens no more: it would be heard twice.
        var old = SRTPSessionTests.packet(sequence: 9, ssrc: 0x0101_0101)
        old[1] = 111
        PeerDropTests.expect(.tooManySources, try SRTPSessionTests.sealed(&session, old), on: &pair)
    }

    @Test func `the number of sources is bounded before they are opened`() throws {
        // AES-CM, since what seals under GCM has a bound of its own.
        var pair = try PeerPair(seed: 2, profiles: [.aes128CMSHA1_80])
        pair.connect()
        var session = try SRTPSession(keys: try #require(pair.endpoint.dtls.keys))
        for ssrc in 0..<UInt32(40) {
            var packet = SRTPSessionTests.packet(sequence: 1, ssrc: 5_000 + ssrc)
            packet[1] = 111
            pair.deliver(try SRTPSessionTests.sealed(&session, packet), toServer: true)
        }
        #expect(pair.server.incoming.count == Peer.mostSources)
        #expect(pair.server.drops[.tooManySources] == 40 - UInt64(Peer.mostSources))
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `whatever bytes come as plain packets or datagrams, nothing traps and the session stays`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var pair = try PeerPair(seed: 1)
        pair.connect()
        for _ in 0..<50 {
            var bytes = (0..<Int.random(in: 0..<80, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if !bytes.isEmpty { bytes[0] = [0x80, 0x90, 0xb0, 0xbf, 0, 20].randomElement(using: &generator) ?? 0 }
            pair.server.receivePlainRTP(bytes.span, now: pair.now, sink: &pair.atServer)
            pair.server.receivePlainRTCP(bytes.span, now: pair.now, sink: &pair.atServer)
            if bytes.first != 20 { pair.deliver(bytes, toServer: true) }
        }
        #expect(pair.server.state == .connected)
    }

    @Test func `a sender whose picture nobody sees is asked to stop, and to go on`() throws {
        var pair = try PeerPair(seed: 3)
        pair.connect()
        pair.talk(ticks: 20, video: true)
        #expect(!pair.endpoint.isAskedToPauseVideo)
        pair.server.setVideoWanted(false, now: pair.now, sink: &pair.atServer)
        pair.run(.milliseconds(100))
        #expect(pair.endpoint.isAskedToPauseVideo)
        // It is said again with each report, so one that gets lost does no harm.
        pair.talk(ticks: 200)
        #expect(pair.endpoint.isAskedToPauseVideo)
        pair.server.setVideoWanted(true, now: pair.now, sink: &pair.atServer)
        pair.run(.milliseconds(100))
        #expect(!pair.endpoint.isAskedToPauseVideo)
    }

    @Test func `an endpoint says how loud its sound is, the server does not`() throws {
        var pair = try PeerPair(seed: 4)
        pair.connect()
        let payload: [UInt8] = [1, 2, 3]
        for level in [-127, -40, 0] {
            pair.endpoint.sendAudio(
                payload.span, timestamp: 0, captured: pair.now, marker: false, level: level, now: pair.now, sink: &pair.atEndpoint)
            pair.server.sendAudio(payload.span, timestamp: 0, captured: pair.now, marker: false, now: pair.now, sink: &pair.atServer)
            pair.run(.milliseconds(50))
        }
        #expect(pair.atServer.audio.map(\.packet.level) == [-127, -40, 0])
        #expect(pair.atEndpoint.audio.allSatisfy { $0.packet.level == nil })
    }
}
