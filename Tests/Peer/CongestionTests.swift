import Base
import Foundation
import RTP
import TestSupport
import Testing

@testable import Peer

/// What the sender makes of lines: the same program and the same packets as on the wire, a minute in about a second.
struct CongestionTests {
    private static func bytesOfQueue(_ meeting: MeetingOverLine, from start: Int) -> Duration {
        let waits = meeting.waits.dropFirst(meeting.waits.count * start / max(1, meeting.seconds.count)).sorted()
        return waits.isEmpty ? .zero : waits[waits.count / 2]
    }

    @Test(arguments: 0..<2 as Range<UInt64>)
    func `a wide line has the best picture within three seconds, and keeps it`(seed: UInt64) throws {
        var meeting = try MeetingOverLine(seed: seed)
        meeting.run(.seconds(30))
        #expect(meeting.tier(at: 3) == .high && meeting.tiers.last?.tier == .high, "\(meeting.story)")
        #expect(meeting.longestFreeze(from: 4) < .milliseconds(200), "\(meeting.story)")
        #expect(meeting.heard > 0.99)
    }

    @Test(arguments: [600_000, 256_000, 128_000, 64_000], 0..<2 as Range<UInt64>)
    func `a thin line is sent what it carries, and sound never stands behind pictures`(line: Int, seed: UInt64) throws {
        var meeting = try MeetingOverLine(seed: seed) { ($0.bitsPerSecond, $0.queue) = (line, .milliseconds(300)) }
        meeting.run(.seconds(60))
        let tiers: [Int: TierID] = [600_000: .medium, 256_000: .low, 128_000: .lower, 64_000: .slides]
        #expect(meeting.offered(from: 3, to: 60) <= line * 105 / 100, "\(meeting.story)")
        for start in 3..<57 { #expect(meeting.offered(from: start, to: start + 3) <= line * 12 / 10, "\(start): \(meeting.story)") }
        #expect(Self.bytesOfQueue(meeting, from: 3) <= .milliseconds(100), "\(meeting.story)")
        #expect(meeting.longestGap(from: 5) <= .milliseconds(250), "\(meeting.longestGap(from: 5)) \(meeting.story)")
        let most = meeting.seconds.dropFirst(10).filter { $0.tier == tiers[line] }.count
        #expect(most >= 35, "\(most) s: \(meeting.story)")
    }

    @Test(arguments: [(2, 1), (5, 1), (10, 1), (10, 3), (20, 1), (20, 3)], 0..<2 as Range<UInt64>)
    func `loss without a queue is no thin line`(_ line: (loss: Int, burst: Int), seed: UInt64) throws {
        let (loss, burst) = line
        var meeting = try MeetingOverLine(seed: seed) { ($0.loss, $0.burst) = (loss, burst) }
        meeting.run(.seconds(40))
        let least: TierID = loss < 15 ? .medium : .low
        let good = meeting.seconds.dropFirst(20).filter { $0.tier.map { $0 <= least } ?? false }.count
        #expect(good >= 19, "\(meeting.story)")
        let told = meeting.seconds.dropFirst(10).map(\.lossTold).reduce(0, +) / Double(meeting.seconds.count - 10)
        #expect(abs(told - Double(loss) / 100) < 0.02, "\(told)")
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `feedback that is lost itself tells of no loss and of no thin line`(seed: UInt64) throws {
        var meeting = try MeetingOverLine(seed: seed) {
            ($0.loss, $0.delay, $0.jitter, $0.isOrdered) = (10, .milliseconds(45), .milliseconds(30), true)
        }
        (meeting.up.loss, meeting.up.delay, meeting.up.jitter, meeting.up.isOrdered) = (10, .milliseconds(45), .milliseconds(30), true)
        meeting.run(.seconds(40))
        #expect(meeting.seconds.dropFirst(12).allSatisfy { $0.tier == .medium }, "\(meeting.story)")
        let told = meeting.seconds.dropFirst(10).map(\.lossTold).reduce(0, +) / Double(meeting.seconds.count - 10)
        #expect(abs(told - 0.1) < 0.015, "\(told)")
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `a line of 64 kbit per second has slides within eight seconds`(seed: UInt64) throws {
        var meeting = try MeetingOverLine(seed: seed) { ($0.bitsPerSecond, $0.queue) = (64_000, .milliseconds(300)) }
        meeting.up.bitsPerSecond = 64_000
        meeting.run(.seconds(30))
        #expect(meeting.seconds.dropFirst(8).allSatisfy { $0.tier == .slides }, "\(meeting.story)")
    }

    @Test(arguments: 0..<2 as Range<UInt64>)
    func `reordering and jitter are neither loss nor a queue`(seed: UInt64) throws {
        // Each packet by itself, in order, and in waves.
        let lines = [(30, false, false), (60, false, false), (80, true, false), (60, true, true), (160, true, true)]
        for (jitter, isOrdered, isWavy) in lines {
            func change(_ link: inout SimulatedLink<[UInt8]>) {
                (link.jitter, link.isOrdered, link.isWavy) = (.milliseconds(jitter), isOrdered, isWavy)
            }
            var meeting = try MeetingOverLine(seed: seed, change)
            change(&meeting.up)
            meeting.run(.seconds(40))
            // The worst of them looks like a queue for a moment now and then.
            let (high, least) = (meeting.seconds.dropFirst(18).filter { $0.tier == .high }.count, jitter == 160 ? 17 : 22)
            #expect(high >= least, "\(high): \(jitter) \(isOrdered) \(isWavy): \(meeting.story)")
            #expect(meeting.pair.server.statistics.lossDown == 0)
        }
    }

    @Test(arguments: 0..<2 as Range<UInt64>)
    func `a line that becomes thin is followed within two seconds, and back within twenty`(seed: UInt64) throws {
        var meeting = try MeetingOverLine(seed: seed) { ($0.bitsPerSecond, $0.queue) = (1_000_000, .milliseconds(300)) }
        meeting.run(.seconds(20))
        #expect(meeting.tier(at: 19) == .medium, "\(meeting.story)")
        meeting.down.bitsPerSecond = 200_000
        meeting.run(.seconds(30))
        #expect(meeting.offered(from: 22, to: 24) < 250_000, "\(meeting.story)")
        #expect(meeting.longestGap(from: 19, to: 50) <= .milliseconds(450), "\(meeting.story)")
        meeting.down.bitsPerSecond = 1_000_000
        meeting.run(.seconds(25))
        #expect(meeting.tier(at: 70) == .medium, "\(meeting.story)")
    }

    @Test(arguments: 0..<2 as Range<UInt64>)
    func `eight seconds of nothing are over two seconds after the line is back`(seed: UInt64) throws {
        var meeting = try MeetingOverLine(seed: seed)
        meeting.run(.seconds(10))
        let before = meeting.tier(at: 9)
        (meeting.down.isCut, meeting.up.isCut) = (true, true)
        meeting.run(.seconds(8))
        // To whom nothing arrives goes sound alone.
        #expect(meeting.offered(from: 14, to: 18) < 150_000, "\(meeting.story)")
        (meeting.down.isCut, meeting.up.isCut) = (false, false)
        let pictures = meeting.pictures.count
        meeting.run(.seconds(2))
        #expect(meeting.pictures.count > pictures + 5, "\(meeting.story)")
        meeting.run(.seconds(6))
        #expect(meeting.tier(at: 25) == before, "\(meeting.story)")
    }

    /// The endpoint asks each five seconds, by which the server finds it again: from at once to that.
    @Test(arguments: 0..<6 as Range<UInt64>)
    func `what went to an address that the receiver had left says nothing of its line`(seed: UInt64) throws {
        var meeting = try MeetingOverLine(seed: seed)
        meeting.run(.milliseconds(10_000 + 800 * Int(seed)))
        let (moved, changes, keys) = (meeting.pair.now, meeting.tiers.count, meeting.pair.atServer.keyFramesWanted)
        #expect(meeting.tier(at: 9) == .high)
        meeting.pair.mapping.port += 1
        meeting.run(.seconds(8))
        let back = try #require(meeting.pictures.first { $0 > moved + .milliseconds(50) })
        #expect(meeting.pair.atServer.keyFramesWanted > keys)
        #expect(back < moved + .milliseconds(5_300), "\(meeting.story)")
        // Pictures rest while nobody answers; then the same one goes on.
        #expect(meeting.tiers[changes...].allSatisfy { $0.tier ?? .high == .high }, "\(meeting.story)")
        let after = meeting.pictures.filter { $0 > back + .seconds(1) }
        #expect(after.count >= 40 && zip(after, after.dropFirst()).allSatisfy { $1 - $0 < .milliseconds(100) }, "\(meeting.story)")
    }

    /// So many, or those that are named: 200 in `make lines-soak`.
    private static let seeds: [UInt64] = {
        let named = (ProcessInfo.processInfo.environment["LINES_SEEDS"] ?? "4").split(separator: ",").compactMap { UInt64($0) }
        return named.count == 1 ? Array(0..<named[0]) : named
    }()

    @Test(arguments: seeds)
    func `whatever a line does nothing is stuck, and no more than it carries is sent for long`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &* 31)
        var meeting = try MeetingOverLine(seed: seed)
        var rates: [Int] = []
        var lines = ""
        for _ in 0..<4 {
            let rate = [64_000, 100_000, 128_000, 200_000, 256_000, 400_000, 600_000, 1_000_000, 2_000_000, 5_000_000].randomElement(
                using: &random)
            meeting.down.bitsPerSecond = rate
            meeting.down.queue = .milliseconds(Int.random(in: 50...500, using: &random))
            meeting.down.loss = Bool.random(using: &random) ? 0 : Int.random(in: 0...30, using: &random)
            meeting.down.burst = Int.random(in: 1...4, using: &random)
            meeting.down.delay = .milliseconds(Int.random(in: 1...300, using: &random))
            meeting.down.jitter = .milliseconds(Int.random(in: 0...60, using: &random))
            meeting.down.isOrdered = Bool.random(using: &random)
            meeting.up.loss = Int.random(in: 0...20, using: &random)
            meeting.down.duplication = Int.random(in: 0...5, using: &random)
            lines +=
                "[\((rate ?? 0) / 1_000)k \(meeting.down.loss)%x\(meeting.down.burst) d\(meeting.down.delay) j\(meeting.down.jitter) q\(meeting.down.queue ?? .zero) up\(meeting.up.loss)] "
            meeting.run(.seconds(15))
            rates += Array(repeating: rate ?? 0, count: 15)
        }
        // Some seconds to find out, then never for longer than three seconds more than a fifth above it.
        for part in 0..<4 {
            for start in part * 15 + 5..<part * 15 + 12 {
                #expect(meeting.offered(from: start, to: start + 3) <= rates[start] * 12 / 10, "\(start): \(lines)\(meeting.story)")
            }
        }
        let line = try #require(meeting.pair.server.control?.estimate.bitsPerSecond)
        #expect(line >= LineEstimate.least && line <= LineEstimate.most)
        // When all is well again so is the picture.
        (meeting.down.bitsPerSecond, meeting.down.loss, meeting.up.loss) = (nil, 0, 0)
        (meeting.down.jitter, meeting.down.duplication, meeting.down.delay) = (.zero, 0, .milliseconds(20))
        meeting.run(.seconds(75))
        #expect(meeting.tiers.last?.tier == .high, "\(lines)\(meeting.story)")
    }
}
