import RTP
import Testing

@testable import Peer
@testable import SDP

struct VideoSourceTests {
    /// A key frame of one packet, as it comes out of SRTP.
    private func packet(ssrc: UInt32, payloadType: UInt8 = 96, sequence: UInt16, original: UInt16? = nil) -> [UInt8] {
        var frame = [UInt8](repeating: 7, count: 100)
        frame.replaceSubrange(0..<10, with: [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01])
        var room = [UInt8](repeating: 0, count: 300)
        var writer = ByteWriter()
        var span = room.mutableSpan
        let header = RTPHeader(
            marker: true, payloadType: payloadType, sequenceNumber: sequence, timestamp: UInt32(original ?? sequence) * 3_600, ssrc: ssrc)
        header.write(HeaderExtensionWriter(), with: &writer, to: &span)
        if let original { writer.append(original, to: &span) }
        writer.append(VP8Descriptor.shortForm(startsFrame: true), to: &span)
        writer.append(frame.span, to: &span)
        return Array(room.prefix(writer.count))
    }

    @Test func `a sender that begins anew under another SSRC is seen again, but a second one beside the first is not mixed in`() throws {
        var pair = try PeerPair(seed: 1)
        func give(_ bytes: [UInt8], _ pair: inout PeerPair) { pair.server.receivePlainRTP(bytes.span, now: pair.now, sink: &pair.atServer) }
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

    @Test func `a retransmission mends the stream that it belongs to, and no other`() throws {
        var pair = try PeerPair(seed: 2)
        func give(_ bytes: [UInt8], _ pair: inout PeerPair) { pair.server.receivePlainRTP(bytes.span, now: pair.now, sink: &pair.atServer) }
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
        func give(_ bytes: [UInt8], _ pair: inout PeerPair) { pair.server.receivePlainRTP(bytes.span, now: pair.now, sink: &pair.atServer) }
        give(packet(ssrc: 1, sequence: 1), &pair)
        give(packet(ssrc: 9, payloadType: 97, sequence: 5, original: 2), &pair)
        #expect(pair.atServer.video.count == 1)
    }
}
