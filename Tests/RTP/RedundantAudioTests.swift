import Base
import TestSupport
import Testing

@testable import RTP

struct RedundantAudioTests {
    /// Of the blocks: offset and bytes; then the packet's own.
    private func read(_ bytes: [UInt8], type: UInt8 = 5) throws(PacketError) -> (blocks: [(Int, [UInt8])], own: [UInt8]) {
        let redundant = try RedundantAudio(parsing: bytes.span.bytes, payloadType: type)
        return (
            (0..<redundant.count).map { (redundant[$0].offset, Array(bytes[redundant[$0].payload])) }, Array(bytes[redundant.primary])
        )
    }

    private static func head(_ type: UInt8, _ offset: UInt32, _ length: UInt32) -> [UInt8] {
        let field = offset << 10 | length
        return [type | 0x80, UInt8(field >> 16), UInt8(field >> 8 & 255), UInt8(field & 255)]
    }

    /// RFC 2198 §5 has a primary of type 5 (DVI4) and a block of type 7 (LPC) 160 units before it; here both are of one type.
    @Test func `the example of the standard is read`() throws {
        let lpc = [UInt8](repeating: 9, count: 14), dvi = [UInt8](repeating: 1, count: 84)
        let found = try read(Self.head(5, 160, 14) + [5] + lpc + dvi)
        #expect(found.blocks.count == 1 && found.blocks[0] == (160, lpc) && found.own == dvi)
        let foreign = try read(Self.head(7, 160, 14) + [5] + lpc + dvi)
        #expect(foreign.blocks.isEmpty && foreign.own == dvi)
    }

    @Test func `blocks without a byte are left out, and a packet may have none, or no sound of its own`() throws {
        #expect(try read([5, 1, 2]).blocks.isEmpty && read([5, 1, 2]).own == [1, 2])
        let found = try read(Self.head(5, 1_920, 0) + Self.head(5, 960, 1) + [5, 8])
        #expect(found.blocks.count == 1 && found.blocks[0] == (960, [8]) && found.own.isEmpty)
        let most = try read((0..<4).flatMap { Self.head(5, 16_383 - $0, 1) } + [5, 1, 2, 3, 4, 9])
        #expect(most.blocks.map(\.0) == [16_383, 16_382, 16_381, 16_380] && most.own == [9])
    }

    private static let refused: [([UInt8], PacketError)] = [
        ([], PacketError.truncated(needed: 1, have: 0)), ([0x85, 0, 0], .truncated(needed: 5, have: 3)),
        (head(5, 960, 2) + [5, 1], .truncated(needed: 7, have: 6)),
        (head(5, 960, 1_023) + [5, 1], .truncated(needed: 1_028, have: 6)),
        (head(5, 960, 1) + [6, 1, 2], .contradiction(.redundancy)),
        ((0..<5).flatMap { _ in head(5, 960, 0) } + [5, 1], .tooMany(.redundancy)),
        ([UInt8](repeating: 0x85, count: 1_000), .tooMany(.redundancy)),
    ]

    @Test(arguments: refused)
    func `what claims more than there is, or is too many, is refused`(bytes: [UInt8], error: PacketError) {
        #expect(throws: error) { try read(bytes) }
    }

    @Test func `a block's place is known by its time, else by its order`() throws {
        let bytes = Self.head(5, 2_880, 1) + Self.head(5, 960, 1) + Self.head(5, 0, 1) + [5, 1, 2, 3, 4]
        let redundant = try RedundantAudio(parsing: bytes.span.bytes, payloadType: 5)
        #expect((0..<3).map { redundant.distance(of: $0, samples: 960) } == [3, 1, nil])
        #expect((0..<3).map { redundant.distance(of: $0, samples: 480) } == [6, 2, nil])
        #expect((0..<3).map { redundant.distance(of: $0, samples: 1_920) } == [3, 2, nil])
        #expect((0..<3).map { redundant.distance(of: $0, samples: 0) } == [3, 2, nil])
    }

    @Test(
        arguments: [
            ([0x00], 480), ([0x08], 960), ([0x18], 2_880), ([0x60], 480), ([0x68], 960), ([0x80], 120), ([0xf8], 960), ([0xfc], 960),
            ([0xfd], 1_920), ([0xfb, 3], 2_880), ([0xfb], 0), ([], 0), ([0x1b, 3], 0), ([0xfb, 0x46], 5_760),
        ] as [([UInt8], Int)])
    func `an Opus packet says how long it is`(packet: [UInt8], samples: Int) {
        #expect(RedundantAudio.samples(ofOpus: packet.span.bytes) == samples)
    }

    /// As a sender of redundancy makes it.
    private static func payload(_ writer: inout RedundantAudioWriter, _ packet: [UInt8], _ number: Int64) -> (Int, [UInt8]) {
        var room = [UInt8](repeating: 0xee, count: RedundantAudioWriter.room)
        var span = room.mutableSpan
        let made = writer.write(packet.span, number: number, samples: 960, into: &span)
        if made.redundancy > 0 { RedundantAudioWriter.setPayloadType(5, at: 0, in: &span) }
        return (made.redundancy, Array(room[..<made.length]))
    }

    @Test func `what is written is read, ends with the packet as it is, and leaves out what was left out`() throws {
        var writer = RedundantAudioWriter()
        var (redundancy, bytes) = Self.payload(&writer, [1, 1], 10)
        #expect(redundancy == 0 && bytes == [1, 1])
        (redundancy, bytes) = Self.payload(&writer, [2], 12)
        #expect(bytes[redundancy...].elementsEqual([2]))
        #expect(try read(bytes).blocks.map(\.0) == [1_920])
        (redundancy, bytes) = Self.payload(&writer, [4, 4, 4], 14)
        let found = try read(bytes)
        #expect(found.blocks.map(\.0) == [3_840, 1_920] && found.blocks.map(\.1) == [[1, 1], [2]] && found.own == [4, 4, 4])
        #expect(Self.payload(&writer, [5], 15).0 == 0)
        #expect(Self.payload(&writer, [5], 18).0 == RedundantAudio.head + RedundantAudio.lastHead + 3)
        #expect(Self.payload(&writer, [5], 1_000).0 == 0)
    }

    @Test(arguments: [100, 300, 400, 1_023, 1_024, 1_276])
    func `however long packets are, a payload with redundancy fits its datagram`(length: Int) throws {
        var writer = RedundantAudioWriter()
        for number in 0..<20 as Range<Int64> {
            let packet = [UInt8](repeating: UInt8(number), count: length)
            let (redundancy, bytes) = Self.payload(&writer, packet, number)
            #expect(Array(bytes[redundancy...]) == packet)
            #expect(redundancy == 0 || bytes.count <= RedundantAudioWriter.largestPayload)
            if redundancy > 0 { #expect(try read(bytes).blocks.last?.1 == [UInt8](repeating: UInt8(number - 2), count: length)) }
            if number >= 4 { #expect((redundancy > 0) == (length <= 500)) }
        }
    }

    /// A sender with redundancy over a line that loses `burst` packets of each fifteen, and a listener's buffer.
    private func heard(losing burst: Int, first: UInt16) throws -> (buffer: JitterBuffer, played: [Int]) {
        var writer = RedundantAudioWriter()
        var buffer = JitterBuffer()
        var played: [Int] = []
        var held = 0
        var room = [UInt8](repeating: 0, count: 1_500)
        for tick in 0..<600 {
            let now = Instant(sinceStart: .seconds(1) + .milliseconds(20 * tick))
            let (redundancy, bytes) = Self.payload(&writer, [0xfc, UInt8(tick >> 8), UInt8(tick & 255)], Int64(tick))
            if tick % 15 >= burst || tick < 15 {
                let (number, time) = (first &+ UInt16(tick), UInt32.max &- 100_000 &+ UInt32(tick * 960))
                if redundancy > 0 {
                    let redundant = try RedundantAudio(parsing: bytes.span.bytes, payloadType: 5)
                    for index in 0..<redundant.count {
                        let distance = try #require(redundant.distance(of: index, samples: 960))
                        buffer.insert(
                            redundant: bytes.span.extracting(redundant[index].payload), sequenceNumber: number &- distance,
                            timestamp: time &- UInt32(redundant[index].offset), now: now)
                    }
                }
                buffer.insert(bytes.span.extracting(droppingFirst: redundancy), sequenceNumber: number, timestamp: time, now: now)
            }
            // As a decoder that can make its sound longer by a quarter of a packet at a time: it asks for none when it has a tick's worth.
            guard held < 960 else {
                held -= 960
                continue
            }
            var span = room.mutableSpan
            let next = buffer.next(now: now + .milliseconds(7), held: held, into: &span)
            if buffer.excess < 0 {
                let longer = min(-buffer.excess, 240)
                buffer.shortened(by: -longer)
                held += longer
            }
            if case .packet(3) = next { played.append(Int(room[1]) << 8 | Int(room[2])) }
        }
        return (buffer, played)
    }

    @Test(arguments: [0, 1, 2, 3, 4], firstNumbers)
    func `a burst of up to four loses nothing once the delay has grown, on either side of a wrap`(burst: Int, first: UInt16) throws {
        let (buffer, played) = try heard(losing: burst, first: first)
        let settled = played.filter { $0 >= 150 }
        #expect(settled.count > 430 && zip(settled, settled.dropFirst()).allSatisfy { $1 == $0 + 1 })
        #expect(buffer.statistics.restored >= UInt64(36 * burst) && buffer.statistics.duplicate == 0)
        // What is told of again on a line that loses nothing is neither late nor twice, and costs no delay.
        if burst == 0 { #expect(buffer.statistics.restored == 0 && buffer.statistics.late == 0 && played.count > 590) }
    }

    @Test func `what is told of another source, of long ago, or across a pause is not believed`() {
        var buffer = JitterBuffer()
        let (now, bytes) = (Instant(sinceStart: .seconds(1)), [UInt8](repeating: 1, count: 3))
        buffer.insert(redundant: bytes.span, sequenceNumber: 9, timestamp: 8_640, now: now)
        buffer.insert(bytes.span, sequenceNumber: 10, timestamp: 9_600, now: now)
        buffer.insert(bytes.span, sequenceNumber: 14, timestamp: 13_440, now: now)
        buffer.insert(redundant: bytes.span, ssrc: 1, sequenceNumber: 12, timestamp: 11_520, now: now)
        buffer.insert(redundant: bytes.span, sequenceNumber: 12, timestamp: 10_560, now: now)
        buffer.insert(redundant: bytes.span, sequenceNumber: 40_000, timestamp: 11_520, now: now)
        buffer.insert(redundant: bytes.span.extracting(0..<0), sequenceNumber: 12, timestamp: 11_520, now: now)
        #expect(buffer.statistics.received == 2 && buffer.beginnings == 1)
        buffer.insert(redundant: bytes.span, sequenceNumber: 12, timestamp: 11_520, now: now)
        buffer.insert(redundant: bytes.span, sequenceNumber: 12, timestamp: 11_520, now: now)
        #expect(buffer.statistics.received == 3 && buffer.statistics.restored == 1)
    }
}
