import Base
import Foundation
import Net
import RTP
import SDP
import TestSupport
import Testing
import Video

@testable import MCU

/// What a sender of too many, too large or too dear frames gets.
struct FrameAllowanceTests {
    private let start = Instant(sinceStart: .seconds(5))
    private static let cap = 1_200_000

    /// Frames at a steady rate.
    /// - Returns: what passed, as (when, bytes, isKey).
    private func send(
        _ allowance: inout FrameAllowance, _ seconds: Double, perSecond rate: Double, from begin: Double = 0, bytes: (Int) -> Int,
        isKey: (Int) -> Bool
    ) -> [(at: Double, bytes: Int, isKey: Bool)] {
        (0..<Int(seconds * rate)).compactMap { number in
            let at = begin + Double(number) / rate
            let now = start + .nanoseconds(Int64(at * 1e9))
            let verdict = allowance.admit(isKey: isKey(number), bytes: bytes(number), now: now)
            return verdict == .passes ? (at, bytes(number), isKey(number)) : nil
        }
    }

    @Test(arguments: [
        (25.0, 6_000, 60_000, 100), (30, 5_000, 120_000, 30), (60, 2_400, 30_000, 60), (25, 700, 900, 1), (5, 20_000, 250_000, 50),
    ])
    func `who keeps to what it was told loses nothing`(of: (rate: Double, bytes: Int, key: Int, every: Int)) {
        var allowance = FrameAllowance(receiveCap: Self.cap)
        let passed = send(
            &allowance, 20, perSecond: of.rate, bytes: { $0 % of.every == 0 ? of.key : of.bytes }, isKey: { $0 % of.every == 0 })
        #expect(passed.count == Int(20 * of.rate))
    }

    @Test func `a flood of frames gets little through, is shut out after ten seconds, and is seen again when it is over`() {
        var allowance = FrameAllowance(receiveCap: Self.cap)
        let passed = send(&allowance, 9.9, perSecond: 300, bytes: { _ in 500 }, isKey: { $0 % 30 == 0 })
        #expect(passed.count < 130 && passed.allSatisfy { $0.at < 0.5 })
        #expect(!allowance.isShutOut(start + .milliseconds(9_900)))
        _ = send(&allowance, 0.6, perSecond: 300, from: 9.9, bytes: { _ in 500 }, isKey: { $0 % 30 == 0 })
        #expect(allowance.isShutOut(start + .milliseconds(10_500)))
        // At a usual rate again: nothing but a key frame helps, and it is a picture again three seconds later.
        let after = send(&allowance, 1.5, perSecond: 25, from: 10.5, bytes: { _ in 3_000 }, isKey: { $0 == 30 })
        #expect(after.first?.isKey == true && after.count == 7 && allowance.isShutOut(start + .seconds(12)))
        #expect(send(&allowance, 3, perSecond: 25, from: 12, bytes: { _ in 3_000 }, isKey: { _ in false }).count == 75)
        #expect(!allowance.isShutOut(start + .milliseconds(13_600)))
    }

    @Test func `large key frames pass twice a second, small ones count as any frame`() {
        var allowance = FrameAllowance(receiveCap: Self.cap)
        let passed = send(&allowance, 10, perSecond: 25, bytes: { _ in 8_000 }, isKey: { _ in true })
        #expect((20...23).contains(passed.count))
        var other = FrameAllowance(receiveCap: Self.cap)
        #expect(send(&other, 10, perSecond: 25, bytes: { _ in 1_000 }, isKey: { _ in true }).count == 250)
    }

    @Test func `who is asked to send less is asked once a second`() {
        var allowance = FrameAllowance(receiveCap: Self.cap)
        var asked = 0
        for number in 0..<3_000 {
            let now = start + .microseconds(3_333 * number)
            _ = allowance.admit(isKey: number % 100 == 0, bytes: 2_000, now: now)
            if allowance.takeRequest(now: now) { asked += 1 }
        }
        #expect((9...11).contains(asked))
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `whatever comes, a second holds no more than the limits and their burst`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var allowance = FrameAllowance(receiveCap: Self.cap)
        var passed: [(at: Double, bytes: Int, isKey: Bool)] = []
        var at = 0.0
        for _ in 0..<3_000 {
            at += Double.random(in: 0...(Bool.random(using: &random) ? 0.002 : 0.08), using: &random)
            let (isKey, bytes) = (Int.random(in: 0..<10, using: &random) == 0, Int.random(in: 1...60_000, using: &random))
            let now = start + .nanoseconds(Int64(at * 1e9))
            if allowance.admit(isKey: isKey, bytes: bytes, now: now) == .passes { passed.append((at, bytes, isKey)) }
        }
        for (index, first) in passed.enumerated() {
            let second = passed[index...].prefix { $0.at < first.at + 1 }
            #expect(second.count <= 120)
            #expect(second.count { $0.isKey && $0.bytes >= FrameAllowance.smallKeyFrame } <= 5)
            #expect(second.reduce(0) { $0 + $1.bytes } <= 2 * Self.cap / 4 + 60_000)
        }
    }

    // MARK: Time

    /// Frames that take so long each, so many of them in each beat of 40 ms.
    @Test(arguments: [(0.5, 1, 1.0), (3, 1, 1), (5, 3, 0.67), (7, 2, 0.6), (50, 1, 0.17), (30, 4, 0.29)])
    func `a sender's frames take a fifth of the time and no more, and no beat more than one of them beyond that`(
        of: (milliseconds: Double, perBeat: Int, share: Double)
    ) {
        var budget = DecodeBudget()
        let cost = Duration.nanoseconds(Int64(of.milliseconds * 1e6))
        var (begun, total, worst) = (0, Duration.zero, Duration.zero)
        for beat in 0..<500 {
            budget.begin(now: start + .milliseconds(40 * beat))
            var (isFirst, spent, count) = (true, Duration.zero, 0)
            while count < of.perBeat, budget.allows(isFirst: isFirst) {
                budget.spend(cost)
                (isFirst, spent, count) = (false, spent + cost, count + 1)
            }
            begun += count > 0 ? 1 : 0
            total = total + spent
            worst = max(worst, spent)
        }
        #expect(total <= .milliseconds(8 * 500 + 8) + cost)
        #expect(worst <= max(cost, .milliseconds(8) + cost))
        #expect(Double(begun) / 500 > of.share * 0.8)
    }

    /// A moving picture of 720 lines.
    private static func frames(_ count: Int) throws -> [[UInt8]] {
        let pattern = TestPattern(.moving(name: "Hà Giang"), width: 1_280, height: 720)
        let pool = PicturePool(capacity: 4)
        var encoder = try VP8Encoder(width: 1_280, height: 720, framesPerSecond: 25, bitsPerSecond: 1_500_000)
        return try (0..<count).map { number in
            var bytes: [UInt8] = []
            _ = try encoder.encode(
                pattern.picture(number, pool: pool), forceKey: number == 0, timestamp: Int64(number) * 3_600, duration: 3_600, into: &bytes)
            return bytes
        }
    }

    /// Real frames of 720 lines, 300 a second for eleven seconds, at a composer that is run by hand.
    @Test func `three hundred frames a second are a name card and a notice, not the meeting's time`() async throws {
        let frames = try Self.frames(30)
        let core = MediaCore(configuration: MediaServerConfiguration())
        defer { core.close() }
        let bridge = Bridge(meeting: UUID(), core: core)
        let attacker = try PictureGateTests.member(sends: true)
        bridge.add(attacker)
        let source = try #require(bridge.members.first?.video)
        let events = core.events.stream()
        var (work, arrived) = (Duration.zero, 0)
        let begin = Instant(nanoseconds: MediaClock.now().nanoseconds)
        for beat in 0..<275 {
            let now = begin + .milliseconds(40 * beat)
            for part in 0..<12 {
                let frame = frames[arrived % frames.count]
                source.receive(
                    frame.span, isKey: frame[0] & 1 == 0, size: (1_280, 720), arrival: now - .milliseconds(40) + .microseconds(3_333 * part)
                )
                arrived += 1
            }
            let before = MediaClock.work()
            source.run(now: now)
            work = work + (MediaClock.work() - before)
            _ = source.picture(notOlderThan: .seconds(2), now: now)
        }
        #expect(work < .milliseconds(275 * 8))
        #expect(source.counters.excess > 3_000)
        #expect(source.picture(notOlderThan: .seconds(60), now: begin + .seconds(11)) == nil)
        core.events.finish()
        var told: [MediaEvent] = []
        for await event in events { told.append(event) }
        #expect(told == [.videoExcess(meeting: bridge.meeting, session: attacker.session, true)])
    }
}
