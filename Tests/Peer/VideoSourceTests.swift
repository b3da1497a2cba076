import Base
import RTP
import Testing

@testable import Peer
@testable import SDP

struct VideoSourceTests {
    /// What tells a packet's stream besides its SSRC.
    private struct Names {
        var mid: String?
        var rid: String?
        var repairedRID: String?
    }

    /// A frame of one packet, as it comes out of SRTP.
    private func packet(
        ssrc: UInt32, payloadType: UInt8 = 96, sequence: UInt16, original: UInt16? = nil, height: UInt8 = 104, isKey: Bool = true,
        names: Names = Names()
    ) -> [UInt8] {
        var frame = [UInt8](repeating: 7, count: 100)
        // RFC 6386 §9.1: tag, start code, width and height in little endian.
        frame.replaceSubrange(0..<10, with: [isKey ? 0x10 : 0x11, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, height, 0])
        var room = [UInt8](repeating: 0, count: 300)
        var writer = ByteWriter()
        var span = room.mutableSpan
        let header = RTPHeader(
            marker: true, payloadType: payloadType, sequenceNumber: sequence, timestamp: UInt32(original ?? sequence) * 3_600, ssrc: ssrc)
        var extensions = HeaderExtensionWriter()
        for (id, name) in [(1, names.mid), (10, names.rid), (11, names.repairedRID)] as [(UInt8, String?)] {
            if let name { extensions.add(id, name: Array(name.utf8).span) }
        }
        header.write(extensions, with: &writer, to: &span)
        if let original { writer.append(original, to: &span) }
        writer.append(VP8Descriptor.shortForm(startsFrame: true), to: &span)
        writer.append(frame.span, to: &span)
        return Array(room.prefix(writer.count))
    }

    private func give(_ bytes: [UInt8], _ pair: inout PeerPair) {
        pair.server.receivePlainRTP(bytes.span, now: pair.now, sink: &pair.atServer)
    }

    /// A pair whose server receives three layers, known by RID alone, and a screen as second video.
    private func simulcast(seed: UInt64) throws -> PeerPair {
        try PeerPair(seed: seed) { negotiated, isServer in
            guard isServer else { return }
            negotiated.video?.layers = ["q", "h", "f"].map { .init(rid: $0, isPaused: false) }
            negotiated.video?.stream.remoteSources = []
            negotiated.video?.stream.receiveExtensions.streamID = 10
            negotiated.video?.stream.receiveExtensions.repairedStreamID = 11
            Self.addScreen(to: &negotiated)
        }
    }

    private static func addScreen(to negotiated: inout NegotiatedSession, mid: String = "2") {
        guard var screen = negotiated.video else { return }
        (screen.layers, screen.stream.mid, screen.stream.mediaLine, screen.stream.sends) = ([], mid, Int(mid) ?? 2, false)
        screen.stream.remoteSources = []
        negotiated.furtherVideos = [screen]
    }

    /// One frame of each layer: 90, 180 and 240 lines.
    private func giveLayers(_ sequence: UInt16, isKey: [Bool] = [true, true, true], _ pair: inout PeerPair) {
        for (index, rid) in ["q", "h", "f"].enumerated() {
            give(
                packet(
                    ssrc: UInt32(index + 1) * 10, sequence: sequence, height: [90, 180, 240][index], isKey: isKey[index],
                    names: Names(mid: "1", rid: rid)), &pair)
        }
        pair.now += .milliseconds(40)
    }

    @Test func `a sender that begins anew under another SSRC is seen again, but a second one beside the first is not mixed in`() throws {
        var pair = try PeerPair(seed: 1)
        for sequence in 0..<10 as Range<UInt16> {
            give(packet(ssrc: 2_010, sequence: sequence), &pair)
            give(packet(ssrc: 5_555, sequence: sequence + 400), &pair)
            pair.now += .milliseconds(40)
        }
        #expect(pair.atServer.video.count == 10)
        pair.now += .seconds(2)
        for sequence in 500..<510 as Range<UInt16> { give(packet(ssrc: 5_555, sequence: sequence), &pair) }
        #expect(pair.atServer.video.count == 20)
    }

    @Test func `after its sender's BYE another SSRC is seen at once`() throws {
        var pair = try PeerPair(seed: 1)
        for sequence in 0..<10 as Range<UInt16> { give(packet(ssrc: 2_010, sequence: sequence), &pair) }
        var bye: [UInt8] = [0x81, 203, 0, 1]
        bye.append(word: 2_010)
        pair.server.receivePlainRTCP(bye.span, now: pair.now, sink: &pair.atServer)
        #expect(pair.atServer.endedVideos == [0])
        // It goes on all the same, and says goodbye again.
        for sequence in 10..<15 as Range<UInt16> { give(packet(ssrc: 2_010, sequence: sequence, isKey: false), &pair) }
        #expect(pair.atServer.video.count == 15)
        pair.server.receivePlainRTCP(bye.span, now: pair.now, sink: &pair.atServer)
        #expect(pair.atServer.endedVideos == [0, 0])
        // A late repair of the old one changes nothing.
        give(packet(ssrc: 2_011, payloadType: 97, sequence: 77, original: 20), &pair)
        for sequence in 500..<510 as Range<UInt16> { give(packet(ssrc: 5_555, sequence: sequence), &pair) }
        #expect(pair.atServer.video.suffix(10).map(\.frame.timestamp) == (500..<510).map { UInt32($0) * 3_600 })
    }

    @Test func `a retransmission mends the stream that it belongs to, and no other`() throws {
        var pair = try PeerPair(seed: 2)
        give(packet(ssrc: 2_010, sequence: 1), &pair)
        give(packet(ssrc: 2_010, sequence: 3), &pair)
        #expect(pair.atServer.video.count == 1)
        give(packet(ssrc: 2_011, payloadType: 97, sequence: 77, original: 2), &pair)
        #expect(pair.atServer.video.map(\.frame.timestamp) == [3_600, 7_200, 10_800])
    }

    @Test func `with layers, retransmissions of a layer that is not taken stay out`() throws {
        var pair = try PeerPair(seed: 3) { negotiated, _ in
            negotiated.video?.layers = [.init(rid: "q", isPaused: false), .init(rid: "f", isPaused: false)]
            negotiated.video?.stream.remoteSources = []
        }
        give(packet(ssrc: 1, sequence: 1), &pair)
        give(packet(ssrc: 9, payloadType: 97, sequence: 5, original: 2), &pair)
        #expect(pair.atServer.video.count == 1)
    }

    // MARK: Layers

    @Test func `of a simulcast the lowest layer with the wanted lines is taken, at its key frame`() throws {
        var pair = try simulcast(seed: 4)
        pair.connect()
        pair.server.setWantedHeight(150, now: pair.now, sink: &pair.atServer)
        giveLayers(1, &pair)
        giveLayers(2, isKey: [false, false, false], &pair)
        // The first layer is taken until the second shows its key frame; from then on it alone.
        #expect(pair.atServer.video.map(\.frame.height) == [90, 180, 180])
        let asked = pair.server.statistics.keyFramesRequested
        pair.now += .milliseconds(900)
        giveLayers(3, isKey: [false, false, false], &pair)
        pair.server.setWantedHeight(60, now: pair.now, sink: &pair.atServer)
        #expect(pair.server.statistics.keyFramesRequested == asked + 1)
        giveLayers(4, isKey: [false, false, false], &pair)
        giveLayers(5, isKey: [true, false, false], &pair)
        giveLayers(6, isKey: [false, false, false], &pair)
        #expect(pair.atServer.video.map(\.frame.height) == [90, 180, 180, 180, 180, 90, 90])
        // More lines than there are: the highest.
        pair.now += .milliseconds(900)
        pair.server.setWantedHeight(720, now: pair.now, sink: &pair.atServer)
        giveLayers(7, &pair)
        #expect(pair.atServer.video.last?.frame.height == 240)
    }

    @Test func `a layer that the sender stops gives way to the best that is left`() throws {
        var pair = try simulcast(seed: 5)
        pair.server.setWantedHeight(240, now: pair.now, sink: &pair.atServer)
        giveLayers(1, &pair)
        #expect(pair.atServer.video.last?.frame.height == 240)
        for sequence in 2..<60 as Range<UInt16> {
            give(packet(ssrc: 10, sequence: sequence, height: 90, names: Names(mid: "1", rid: "q")), &pair)
            give(packet(ssrc: 20, sequence: sequence, height: 180, names: Names(mid: "1", rid: "h")), &pair)
            pair.now += .milliseconds(40)
        }
        #expect(pair.atServer.video.last?.frame.height == 180)
    }

    @Test func `a retransmission names the layer that it repairs`() throws {
        var pair = try simulcast(seed: 6)
        pair.server.setWantedHeight(90, now: pair.now, sink: &pair.atServer)
        giveLayers(1, &pair)
        giveLayers(3, &pair)
        let before = pair.atServer.video.count
        let repair = Names(mid: "1", repairedRID: "f")
        give(packet(ssrc: 31, payloadType: 97, sequence: 9, original: 2, height: 240, names: repair), &pair)
        #expect(pair.atServer.video.count == before)
        give(packet(ssrc: 11, payloadType: 97, sequence: 9, original: 2, height: 90, names: Names(mid: "1", repairedRID: "q")), &pair)
        #expect(pair.atServer.video.count == before + 2)
    }

    // MARK: The screen

    @Test func `a screen with the camera's payload type is told apart by its MID, and one that nobody offered is dropped`() throws {
        var pair = try simulcast(seed: 7)
        give(packet(ssrc: 70, sequence: 1, names: Names(mid: "2")), &pair)
        give(packet(ssrc: 71, sequence: 1, names: Names(mid: "1", rid: "q")), &pair)
        give(packet(ssrc: 72, sequence: 1, names: Names(mid: "9")), &pair)
        give(packet(ssrc: 70, sequence: 2), &pair)
        #expect(pair.atServer.video.map(\.frame.source) == [1, 0, 1])
        #expect(pair.server.drops[.unknownSource] == 1)
    }

    @Test func `a screen may be shared many times in one session`() throws {
        var pair = try simulcast(seed: 8)
        pair.connect()
        for round in 0..<40 {
            var negotiated = pair.server.configuration.negotiated
            Self.addScreen(to: &negotiated, mid: String(round + 2))
            pair.server.apply(negotiated, now: pair.now, sink: &pair.atServer)
            give(packet(ssrc: UInt32(1_000 + round), sequence: 1, names: Names(mid: String(round + 2))), &pair)
            negotiated.furtherVideos[0].stream.receives = false
            pair.server.apply(negotiated, now: pair.now, sink: &pair.atServer)
            give(packet(ssrc: UInt32(1_000 + round), sequence: 2, names: Names(mid: String(round + 2))), &pair)
        }
        #expect(pair.atServer.video.count == 40 && pair.server.incoming.isEmpty)
    }

    // MARK: REMB

    @Test func `a sender without transport-wide feedback is told what it may send, less after loss`() throws {
        var pair = try PeerPair(seed: 9) { negotiated, _ in negotiated.video?.stream.feedback = [.nack, .pictureLoss, .remb] }
        pair.connect()
        func second(keeping: (UInt16) -> Bool, from first: UInt16) {
            for sequence in first..<first + 100 {
                if keeping(sequence) { give(packet(ssrc: 2_010, sequence: sequence), &pair) }
                pair.run(.milliseconds(10))
            }
        }
        second(keeping: { _ in true }, from: 1)
        #expect(pair.endpoint.statistics.estimatedBitsPerSecond == 1_200_000)
        second(keeping: { $0 % 3 != 0 }, from: 101)
        second(keeping: { $0 % 3 != 0 }, from: 201)
        let limit = try #require(pair.endpoint.statistics.estimatedBitsPerSecond)
        #expect(limit < 200_000 && limit >= ReceiveSideEstimate.least)
        #expect(!pair.endpoint.isAskedToPauseVideo)
    }

    @Test func `a line that goes on losing brings a sender down to seventy thousand, which asks for no pause`() throws {
        var estimate = ReceiveSideEstimate(mostBitsPerSecond: PeerConfiguration.receiveCap)
        for _ in 0..<30 { estimate.evaluate(loss: 0.4, bytes: 5_000, in: .seconds(1)) }
        #expect(estimate.bitsPerSecond == 70_000 && ReceiveSideEstimate.least > VideoWish.pausedBitsPerSecond * 17 / 16)
        for _ in 0..<20 { estimate.lower() }
        #expect(estimate.bitsPerSecond == 70_000)
        // What then comes in is a beginning.
        for _ in 0..<60 { estimate.evaluate(loss: 0, bytes: estimate.bitsPerSecond / 8, in: .seconds(1)) }
        #expect(estimate.bitsPerSecond == PeerConfiguration.receiveCap)
    }
}
