import Base
import RTP
import TestSupport
import Testing

@testable import Peer

/// A sender with one stream of pictures and a thin way up: it is heard, and seen where there is room.
struct EndpointCongestionTests {
    @Test(arguments: [(64_000, 40), (128_000, 100)], 0..<4 as Range<UInt64>)
    func `a thin way up carries the sound alone`(_ line: (bits: Int, soundBytes: Int), seed: UInt64) throws {
        var meeting = try EndpointOverLine(seed: seed, soundBytes: line.soundBytes) {
            ($0.bitsPerSecond, $0.queue) = (line.bits, .milliseconds(300))
        }
        meeting.run(.seconds(60))
        #expect(meeting.heard(from: 5) >= 0.98, "\(meeting.heard(from: 5)) \(meeting.story)")
        for start in 2..<57 { #expect(meeting.offered(from: start, to: start + 3) <= line.bits * 12 / 10, "\(start): \(meeting.story)") }
        #expect(meeting.pictures(from: 10) == 0 && meeting.pair.endpoint.holdsPictures, "\(meeting.story)")
        let found = try #require(meeting.pair.endpoint.lineBitsPerSecond)
        #expect(found <= line.bits * 11 / 10)
    }

    @Test(arguments: [2_000_000, nil], 0..<4 as Range<UInt64>)
    func `a way up with room for them has the pictures from the first to the last`(bits: Int?, seed: UInt64) throws {
        var meeting = try EndpointOverLine(seed: seed) { ($0.bitsPerSecond, $0.queue) = (bits, .milliseconds(300)) }
        meeting.run(.seconds(60))
        #expect(meeting.pictures(from: 0) >= 60 * 25 - 10 && meeting.seconds.allSatisfy { $0.heldTicks == 0 }, "\(meeting.story)")
        #expect(meeting.heard(from: 0) > 0.99)
        // Nothing is known of a fast line but that it is one.
        if bits == nil { #expect(meeting.pair.endpoint.lineBitsPerSecond == nil) }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `pictures stop where a line becomes thin and are back within twenty seconds when it is not`(seed: UInt64) throws {
        var meeting = try EndpointOverLine(seed: seed) { ($0.bitsPerSecond, $0.queue) = (2_000_000, .milliseconds(300)) }
        meeting.run(.seconds(20))
        meeting.up.bitsPerSecond = 128_000
        meeting.run(.seconds(30))
        #expect(meeting.heard(from: 25, to: 50) >= 0.98 && meeting.pictures(from: 25, to: 50) == 0, "\(meeting.story)")
        #expect(meeting.offered(from: 23, to: 50) <= 128_000 * 11 / 10, "\(meeting.story)")
        meeting.up.bitsPerSecond = 2_000_000
        meeting.run(.seconds(40))
        #expect(meeting.pictures(from: 70) >= 20 * 25 - 5, "\(meeting.story)")
        #expect(meeting.heard(from: 50) >= 0.98)
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `a wide line that loses a tenth keeps its pictures, but for the seconds in which that is found out`(seed: UInt64) throws {
        var meeting = try EndpointOverLine(seed: seed) { ($0.loss, $0.delay) = (10, .milliseconds(75)) }
        meeting.down.delay = .milliseconds(75)
        meeting.run(.seconds(60))
        // The rest was lost, and not repaired in time for the next key frame.
        #expect(meeting.pictures(from: 15) >= 45 * 25 * 6 / 10, "\(meeting.story)")
        #expect(meeting.seconds.dropFirst(15).allSatisfy { $0.heldTicks == 0 }, "\(meeting.story)")
        #expect(meeting.heard(from: 0) > 0.85)
        let told = meeting.pair.endpoint.statistics
        #expect(abs(Double(told.packetsReportedLost) / Double(max(1, told.packetsReported)) - 0.1) < 0.02)
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `jitter in waves takes no pictures`(seed: UInt64) throws {
        func change(_ link: inout SimulatedLink<[UInt8]>) { (link.jitter, link.isOrdered, link.isWavy) = (.milliseconds(160), true, true) }
        var meeting = try EndpointOverLine(seed: seed, change)
        change(&meeting.down)
        meeting.run(.seconds(60))
        #expect(meeting.seconds.allSatisfy { $0.heldTicks == 0 }, "\(meeting.story)")
    }

    @Test func `whoever has no table sends whatever the line does`() throws {
        let pair = try PeerPair(seed: 1)
        #expect(pair.endpoint.control == nil && pair.server.control != nil)
        #expect(TierTable.ready(pictures: 0, sound: 1) == nil && TierTable.ready(pictures: .max, sound: .max) == nil)
        let greedy = try #require(TierTable.ready(pictures: 50_000_000, sound: 100_000))
        #expect(greedy.tiers.allSatisfy { Double($0.neededBitsPerSecond) < LineEstimate.most })
    }
}
