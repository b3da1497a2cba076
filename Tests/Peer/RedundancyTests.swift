import Base
import RTP
import TestSupport
import Testing

@testable import Peer
@testable import SDP

struct RedundancyTests {
    /// The server sends a tone's worth of packets with redundancy; numbers of ours from the endpoint's sink.
    private func talk(_ pair: inout PeerPair, packets: Int) -> [[UInt8]] {
        var writer = RedundantAudioWriter()
        var sent: [[UInt8]] = []
        for tick in 0..<packets {
            let packet: [UInt8] = [0xfc, UInt8(tick), 7]
            var room = [UInt8](repeating: 0, count: RedundantAudioWriter.room)
            var span = room.mutableSpan
            let made = writer.write(packet.span, number: Int64(tick), samples: 960, into: &span)
            pair.server.sendAudio(
                room.span.extracting(0..<made.length), timestamp: UInt32(tick * 960), captured: pair.now, marker: false,
                redundancy: made.redundancy, now: pair.now, sink: &pair.atServer)
            sent.append(packet)
            pair.run(.milliseconds(20))
        }
        pair.run(.milliseconds(200))
        return sent
    }

    @Test(arguments: [UInt8(63), 127])
    func `who negotiated it is told of earlier packets before each, by number, time and bytes`(type: UInt8) throws {
        var pair = try PeerPair(seed: 5) { session, _ in session.audio?.redundantPayloadType = type }
        pair.connect()
        let sent = talk(&pair, packets: 40)
        let own = pair.atEndpoint.audio.filter { !$0.packet.isRedundant }
        #expect(own.map(\.payload) == sent && pair.endpoint.drops.total == 0 && pair.endpoint.statistics.audioPacketsReceived == 40)
        let first = try #require(own.first).packet
        let told = pair.atEndpoint.audio.filter { $0.packet.isRedundant }
        #expect(told.count == 38 + 36)
        for (packet, payload) in told {
            let number = Int(packet.sequenceNumber &- first.sequenceNumber)
            #expect(payload == sent[number] && packet.timestamp &- first.timestamp == UInt32(number * 960))
            #expect(packet.level == nil && packet.ssrc == first.ssrc)
        }
    }

    @Test func `who did not gets exactly the plain packets`() throws {
        var pair = try PeerPair(seed: 6)
        pair.connect()
        let sent = talk(&pair, packets: 40)
        #expect(pair.atEndpoint.audio.map(\.payload) == sent && pair.atEndpoint.audio.allSatisfy { !$0.packet.isRedundant })
        #expect(!pair.server.takesRedundantAudio)
    }

    private func datagram(_ payload: [UInt8]) -> [UInt8] { [0x80, 63, 0, 9, 0, 0, 0x20, 0, 0, 0, 0x07, 0xd0] + payload }

    @Test func `what is malformed is counted and not heard, and a first packet may be one with redundancy`() throws {
        let pair = try PeerPair(seed: 7) { session, _ in session.audio?.redundantPayloadType = 63 }
        var sink = RecordingSink()
        for payload in [[0xef, 0, 0], [0xef, 0, 8, 9, 111, 1], [0], [0xef]] as [[UInt8]] {
            pair.server.receivePlainRTP(datagram(payload).span, now: pair.now, sink: &sink)
        }
        #expect(sink.audio.isEmpty && pair.server.drops[.rtpMalformed] == 4)
        pair.server.receivePlainRTP(datagram([0xef, 0x0f, 0x00, 2, 111, 0xfc, 1, 0xfc, 2, 3]).span, now: pair.now, sink: &sink)
        #expect(sink.audio.map(\.payload) == [[0xfc, 1], [0xfc, 2, 3]] && sink.audio.map(\.packet.sequenceNumber) == [8, 9])
    }
}
