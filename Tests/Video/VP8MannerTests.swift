import TestSupport
import Testing

@testable import Video

/// What the head of a VP8 frame says of how it was encoded, RFC 6386: section 9.1 before the first partition, sections 9.2 to 9.6 in it.
private struct FrameHead {
    let isKey: Bool
    let version: Int
    let filterLevel: Int

    init(_ frame: [UInt8]) {
        isKey = frame[0] & 1 == 0
        version = Int(frame[0] >> 1 & 7)
        var bits = BoolReader(Array(frame[(isKey ? 10 : 3)...]))
        if isKey { _ = bits.literal(2) }  // colour space, clamping
        if bits.literal(1) == 1 { Self.skipSegments(&bits) }
        _ = bits.literal(1)  // which of the filters
        filterLevel = bits.literal(6)
    }

    /// Section 9.3: of each segment a quantiser and a filter level, then the likelihoods of its numbers.
    private static func skipSegments(_ bits: inout BoolReader) {
        let (hasMap, hasData) = (bits.literal(1) == 1, bits.literal(1) == 1)
        if hasData {
            _ = bits.literal(1)
            for length in [7, 7, 7, 7, 6, 6, 6, 6] where bits.literal(1) == 1 { _ = bits.literal(length + 1) }
        }
        if hasMap { for _ in 0..<3 where bits.literal(1) == 1 { _ = bits.literal(8) } }
    }
}

/// Bits of equal likelihood, RFC 6386, section 7.3.
private struct BoolReader {
    private let bytes: [UInt8]
    private var place = 2
    private var value: UInt32
    private var range: UInt32 = 255
    private var shifted = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        value = UInt32(bytes[0]) << 8 | UInt32(bytes[1])
    }

    mutating func literal(_ count: Int) -> Int { (0..<count).reduce(0) { bits, _ in bits << 1 | next() } }

    private mutating func next() -> Int {
        let split = 1 + ((range - 1) * 128) >> 8
        let bit = value >= split << 8 ? 1 : 0
        if bit == 1 {
            range -= split
            value -= split << 8
        } else {
            range = split
        }
        while range < 128 {
            value <<= 1
            range <<= 1
            shifted += 1
            guard shifted == 8 else { continue }
            shifted = 0
            value |= place < bytes.count ? UInt32(bytes[place]) : 0
            place += 1
        }
        return bit
    }
}

struct VP8MannerTests {
    /// Something moves that is too much for the rate, so that there are edges of blocks to soften.
    private func frames(_ manner: VP8Encoder.Manner, count: Int = 30) throws -> [[UInt8]] {
        let pool = PicturePool()
        let pattern = TestPattern(.moving(name: "Quảng Trị"), width: 320, height: 180)
        var encoder = try VP8Encoder(width: 320, height: 180, framesPerSecond: 25, bitsPerSecond: 60_000, manner: manner)
        var bytes: [UInt8] = []
        return try (0..<count).map { number in
            _ = try encoder.encode(
                pattern.picture(3 * number, pool: pool), forceKey: false, timestamp: Int64(number) * 3_600, duration: 3_600, into: &bytes)
            return bytes
        }
    }

    @Test(arguments: 0...3)
    func `the version of the bit stream is the manner's, in key frames and in others`(version: Int) throws {
        let heads = try frames(VP8Encoder.Manner(version: version, unseenError: 250)).map { FrameHead($0) }
        #expect(heads.map(\.version) == Array(repeating: version, count: heads.count))
    }

    @Test func `sharp has a loop filter, light has none`() throws {
        let sharp = try frames(.sharp).map { FrameHead($0) }
        #expect(sharp.first?.isKey == true && sharp.dropFirst().allSatisfy { !$0.isKey })
        #expect(sharp.count(where: { $0.filterLevel > 0 }) > sharp.count / 2)
        let light = try frames(.light).map { FrameHead($0) }
        #expect(light.allSatisfy { $0.filterLevel == 0 })
    }

    @Test func `a difference below the threshold is left as it is`() throws {
        let still = TestPattern(.moving(name: "Huế"), width: 320, height: 180).picture(0, pool: PicturePool())
        let noisy = Picture(width: 320, height: 180)
        func bits(_ unseenError: Int, later: Int) throws -> Int {
            var encoder = try VP8Encoder(
                width: 320, height: 180, framesPerSecond: 25, bitsPerSecond: 800_000,
                manner: VP8Encoder.Manner(version: 0, unseenError: unseenError))
            var random = SeededGenerator(seed: 1)
            var (bytes, sum): ([UInt8], Int) = ([], 0)
            for number in 0..<40 {
                noisy.copy(from: still)
                let planes = noisy.planes
                for y in 0..<180 {
                    for x in 0..<320 { planes.y[y * Int(planes.strideY) + x] &+= UInt8.random(in: 0...2, using: &random) }
                }
                _ = try encoder.encode(noisy, forceKey: false, timestamp: Int64(number) * 3_600, duration: 3_600, into: &bytes)
                if number >= 20 { sum += bytes.count }
                if number == 10 { encoder.setUnseenError(later) }
            }
            return sum
        }
        let fine = try bits(1, later: 1)
        #expect(try bits(5_000, later: 5_000) < fine / 2)
        // The same where it is changed in the middle, either way.
        #expect(try bits(1, later: 5_000) < fine / 2)
        #expect(try bits(5_000, later: 1) > fine / 2)
    }
}
