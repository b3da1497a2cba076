import Base
import TestSupport
import Testing

@testable import RTP

struct FrameAssemblerTests {
    private let start = Instant(sinceStart: .seconds(1))
    private var bytes: [UInt8] = []

    /// A frame that begins as VP8 frames do, and its packets.
    private func frame(_ number: Int, isKey: Bool, size: Int) -> PacketisedFrame {
        var data = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: max(size, 10))
        data[0] = isKey ? 0x10 : 0x11
        if isKey { data.replaceSubrange(3..<10, with: [0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]) }
        return PacketisedFrame(data.span, isKeyFrame: isKey, timestamp: UInt32(number * 3_600), captured: start)
    }

    private func insert(_ frame: PacketisedFrame, _ index: Int, at sequence: Int64, into assembler: inout FrameAssembler, now: Instant) {
        frame.withPayload(index) {
            assembler.insert($0, sequence: sequence, timestamp: frame.timestamp, marker: frame.isLast(index), now: now)
        }
    }

    @Test(arguments: [0, 1, 1_178, 1_179, 1_180, 5_000, 100_000])
    mutating func `a frame comes out as it went in, whatever its size`(size: Int) throws {
        var assembler = FrameAssembler()
        let frame = frame(7, isKey: true, size: size)
        for index in 0..<frame.count { insert(frame, index, at: Int64(100 + index), into: &assembler, now: start) }
        let next = assembler.next(now: start, into: &bytes)
        let out = try #require(next)
        #expect(out.isKey && out.width == 640 && out.height == 360 && bytes.count == max(size, 10) && out.packets == frame.count)
        #expect((0..<frame.count).allSatisfy { frame.withPayload($0) { $0.count } <= PacketisedFrame.largestPayload })
    }

    @Test(arguments: [1, 10, 1_179, 1_180, 2_358, 2_359, 7_777, 60_000])
    func `a frame is cut into equal packets, but for the last, and loses no byte`(size: Int) {
        let frame = frame(1, isKey: false, size: size)
        let sizes = (0..<frame.count).map { frame.withPayload($0) { $0.count } }
        #expect(Set(sizes.dropLast()).count <= 1 && sizes.allSatisfy { $0 <= sizes[0] && $0 <= PacketisedFrame.largestPayload })
        #expect(sizes.reduce(0, +) - frame.count == frame.encodedBytes && frame.encodedBytes >= size)
    }

    @Test(arguments: [1, 10, 1_179, 1_180, 2_358, 2_359, 7_777, 60_000])
    mutating func `a frame for a meeting is cut into packets that are equal to the last, with no more than a few zeros behind it`(size: Int)
        throws
    {
        var pool = PacketisedFramePool()
        let data = (0..<max(size, 10)).map { UInt8(truncatingIfNeeded: $0 * 7 + 1) }
        let frame = pool.make(data.span, isKeyFrame: false, timestamp: 0, captured: start)
        let sizes = (0..<frame.count).map { frame.withPayload($0) { $0.count } }
        #expect(Set(sizes) == [frame.payloadBytes] && sizes[0] <= PacketisedFrame.largestPayload && frame.encodedBytes == data.count)
        var assembled: [UInt8] = []
        for index in 0..<frame.count { frame.withPayload(index) { payload in assembled += (1..<payload.count).map { payload[$0] } } }
        #expect(Array(assembled.prefix(data.count)) == data && assembled.dropFirst(data.count).allSatisfy { $0 == 0 })
        #expect(assembled.count - data.count < frame.count)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    mutating func `out of order, with holes that are mended late or never, every frame that comes out is whole and decodable`(seed: UInt64)
    {
        var random = SeededGenerator(seed: seed)
        var assembler = FrameAssembler()
        var sequence = Int64.random(in: 65_000...66_000, using: &random)
        var waiting: [(at: Instant, sequence: Int64, frame: PacketisedFrame, index: Int)] = []
        var wantsKey = true
        var expected: Int? = nil
        var out = 0
        for number in 0..<400 {
            let now = start + .milliseconds(40 * number)
            let frame = frame(number, isKey: wantsKey || number == 0, size: Int.random(in: 50...8_000, using: &random))
            wantsKey = false
            for index in 0..<frame.count {
                let delay = Int.random(in: 0..<20, using: &random)
                let fate = Int.random(in: 0..<100, using: &random)
                // 3 of 100 come after a retransmission, 1 never.
                if fate > 0 { waiting.append((now + .milliseconds(fate < 4 ? 150 : delay), sequence, frame, index)) }
                sequence += 1
            }
            waiting.sort { $0.at < $1.at }
            while let first = waiting.first, first.at <= now {
                insert(first.frame, first.index, at: first.sequence, into: &assembler, now: now)
                waiting.removeFirst()
            }
            if assembler.expire(now: now) || assembler.needsKeyFrame { wantsKey = true }
            while let whole = assembler.next(now: now, into: &bytes) {
                let said = Int(whole.timestamp) / 3_600
                // Either the very next one, or a key frame.
                #expect(whole.isKey || said == expected)
                #expect(bytes.dropFirst(10).allSatisfy { $0 == UInt8(truncatingIfNeeded: said) })
                expected = said + 1
                out += 1
            }
        }
        #expect(out > 150)
    }

    @Test mutating func `a sender that stops in the middle of a frame loses that frame only`() {
        var assembler = FrameAssembler()
        let (torn, next) = (frame(1, isKey: true, size: 5_000), frame(2, isKey: true, size: 500))
        for index in 0..<2 { insert(torn, index, at: Int64(10 + index), into: &assembler, now: start) }
        for index in 0..<next.count { insert(next, index, at: Int64(12 + index), into: &assembler, now: start) }
        let out = assembler.next(now: start, into: &bytes)
        #expect(out?.timestamp == next.timestamp)
    }

    @Test mutating func `padding fills its number and nothing else`() {
        var assembler = FrameAssembler()
        insert(frame(0, isKey: true, size: 100), 0, at: 5, into: &assembler, now: start)
        #expect(assembler.next(now: start, into: &bytes) != nil)
        assembler.insert([UInt8]().span, sequence: 6, timestamp: 0, marker: false, now: start)
        insert(frame(1, isKey: false, size: 100), 0, at: 7, into: &assembler, now: start)
        #expect(assembler.next(now: start, into: &bytes)?.timestamp == 3_600)
    }
}

struct NackGeneratorTests {
    private let start = Instant(sinceStart: .seconds(1))

    @Test func `a hole is asked for after a moment, again after a round trip, and given up at last`() {
        var generator = NackGenerator()
        var asked: [UInt16] = []
        generator.received(65_534, now: start)
        generator.received(65_537, now: start)
        generator.collect(now: start, roundTrip: .milliseconds(40), into: &asked)
        #expect(asked.isEmpty)
        generator.collect(now: start + .milliseconds(10), roundTrip: .milliseconds(40), into: &asked)
        #expect(asked == [65_535, 0])
        generator.received(65_535, now: start + .milliseconds(20))
        generator.collect(now: start + .milliseconds(40), roundTrip: .milliseconds(40), into: &asked)
        #expect(asked == [65_535, 0])
        generator.collect(now: start + .milliseconds(61), roundTrip: .milliseconds(40), into: &asked)
        #expect(asked == [65_535, 0, 0])
        generator.collect(now: start + .seconds(2), roundTrip: .milliseconds(40), into: &asked)
        #expect(generator.takeGivenUp() && generator.deadline == nil && !generator.takeGivenUp())
    }

    @Test func `too large a hole is not asked for but given up`() {
        var generator = NackGenerator()
        generator.received(100, now: start)
        generator.received(100 + 1_000, now: start)
        #expect(generator.takeGivenUp() && generator.deadline == nil)
    }
}

struct TierSelectorTests {
    private let start = Instant(sinceStart: .seconds(1))

    @Test func `a line that fills up goes down within three seconds, and up again only after a while`() {
        var selector = TierSelector()
        var second = 0
        func now() -> Instant { start + .seconds(second) }
        for _ in 0..<3 {
            selector.evaluate(.init(loss: 0.2), now: now())
            second += 1
        }
        #expect(selector.tier == .medium)
        for _ in 0..<9 {
            selector.evaluate(.init(), now: now())
            second += 1
        }
        #expect(selector.tier == .medium)
        for _ in 0..<4 {
            selector.evaluate(.init(), now: now())
            second += 1
        }
        #expect(selector.tier == .high)
    }

    @Test func `a receiver that estimates little more than it is sent can climb again`() {
        var selector = TierSelector()
        for second in 0..<6 { selector.evaluate(.init(limitBitsPerSecond: 100_000), now: start + .seconds(second)) }
        #expect(selector.tier == .low)
        for second in 6..<40 {
            selector.evaluate(.init(limitBitsPerSecond: selector.need * 3 / 2), now: start + .seconds(second))
        }
        #expect(selector.tier == .high)
    }

    @Test func `a receiver is never given more than it takes`() {
        var selector = TierSelector(best: .medium)
        for second in 0..<100 { selector.evaluate(.init(), now: start + .seconds(second)) }
        #expect(selector.tier == .medium)
    }

    @Test func `one bad second is no reason`() {
        var selector = TierSelector()
        for second in 0..<60 { selector.evaluate(.init(loss: second % 5 == 0 ? 0.3 : 0), now: start + .seconds(second)) }
        #expect(selector.tier == .high)
    }
}
