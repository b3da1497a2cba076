import Foundation
import TestSupport
import Testing

@testable import Video

struct VP8Tests {
    let pool = PicturePool()

    func encoder(_ width: Int, _ height: Int, bitsPerSecond: Int = 800_000) throws -> VP8Encoder {
        try VP8Encoder(width: width, height: height, framesPerSecond: 25, bitsPerSecond: bitsPerSecond)
    }

    @Test func `what is encoded is decoded to nearly the same picture, the first being the only key frame`() throws {
        let pattern = TestPattern(.moving(name: "Đắk Lắk"), width: 640, height: 360)
        var encoder = try encoder(640, 360)
        var decoder = try VP8Decoder()
        var bytes: [UInt8] = []
        for number in 0..<30 {
            let picture = pattern.picture(number, pool: pool)
            let isKey = try encoder.encode(picture, forceKey: false, timestamp: Int64(number) * 3_600, duration: 3_600, into: &bytes)
            #expect(isKey == (number == 0))
            let decoded = try #require(try decoder.decode(bytes.span, pool: pool))
            #expect(number < 10 || Pictures.psnr(picture, decoded) > 30)
        }
    }

    @Test func `a key frame comes when it is asked for`() throws {
        let pattern = TestPattern(.moving(name: "Huế"), width: 320, height: 180)
        var encoder = try encoder(320, 180)
        var bytes: [UInt8] = []
        for number in 0..<20 {
            let isKey = try encoder.encode(
                pattern.picture(number, pool: pool), forceKey: number == 7, timestamp: Int64(number) * 3_600, duration: 3_600, into: &bytes)
            #expect(isKey == (number == 0 || number == 7))
            #expect(bytes[0] & 1 == (isKey ? 0 : 1))
        }
    }

    @Test func `zeros behind a frame change nothing of its picture`() throws {
        let pattern = TestPattern(.moving(name: "Điện Biên"), width: 640, height: 360)
        var encoder = try encoder(640, 360)
        var plain = try VP8Decoder()
        var filled = try VP8Decoder()
        var bytes: [UInt8] = []
        for number in 0..<25 {
            _ = try encoder.encode(
                pattern.picture(number, pool: pool), forceKey: false, timestamp: Int64(number) * 3_600, duration: 3_600, into: &bytes)
            let longer = bytes + [UInt8](repeating: 0, count: number)
            let one = try #require(try plain.decode(bytes.span, pool: pool))
            let other = try #require(try filled.decode(longer.span, pool: pool))
            #expect(Pictures.psnr(one, other) == Pictures.psnr(one, one))
        }
    }

    @Test func `a picture that stands still becomes sharp on a thin line too`() throws {
        let still = TestPattern(.moving(name: "Lai Châu"), width: 640, height: 360).picture(3, pool: pool)
        var encoder = try encoder(640, 360, bitsPerSecond: 150_000)
        var decoder = try VP8Decoder()
        var (bytes, last): ([UInt8], Double) = ([], 0)
        for number in 0..<75 {
            _ = try encoder.encode(still, forceKey: false, timestamp: Int64(number) * 3_600, duration: 3_600, into: &bytes)
            #expect(bytes[0] >> 1 & 7 == 2)  // the version, RFC 6386, section 9.1
            last = Pictures.psnr(still, try #require(try decoder.decode(bytes.span, pool: pool)))
        }
        #expect(last > 42)
    }

    @Test(arguments: [150_000, 500_000])
    func `the rate stays near its target, and follows it`(bitsPerSecond: Int) throws {
        let pattern = TestPattern(.moving(name: "Cà Mau"), width: 640, height: 360)
        var encoder = try encoder(640, 360, bitsPerSecond: bitsPerSecond)
        var (bytes, before, after): ([UInt8], Int, Int) = ([], 0, 0)
        for number in 0..<200 {
            if number == 100 { try encoder.setBitrate(bitsPerSecond / 2) }
            let isKey = try encoder.encode(
                pattern.picture(number, pool: pool), forceKey: false, timestamp: Int64(number) * 3_600, duration: 3_600, into: &bytes)
            #expect(isKey == (number == 0))
            if (25..<100).contains(number) { before += 8 * bytes.count }
            if number >= 125 { after += 8 * bytes.count }
        }
        #expect(Double(before) / 3 < Double(bitsPerSecond) * 1.25)
        #expect(Double(after) / 3 < Double(bitsPerSecond) * 0.5 * 1.25)
    }

    @Test func `a stream may change its size in the middle`() throws {
        var decoder = try VP8Decoder()
        var bytes: [UInt8] = []
        for (width, height) in [(320, 180), (1_280, 720), (64, 64), (720, 1_280)] {
            var encoder = try encoder(width, height)
            _ = try encoder.encode(
                Pictures.colour(0x3366aa, width: width, height: height), forceKey: true, timestamp: 0, duration: 3_600, into: &bytes)
            let decoded = try #require(try decoder.decode(bytes.span, pool: pool))
            #expect(decoded.width == width && decoded.height == height)
            #expect(Pictures.isNear(decoded.pixel(width / 2, height / 2), YUVColour(rgb: 0x3366aa)))
        }
    }

    @Test func `a picture of another size than the encoder's is refused`() throws {
        var encoder = try encoder(320, 180)
        var bytes = [UInt8]()
        var refusal: VPXError?
        do {
            _ = try encoder.encode(Pictures.colour(0, width: 640, height: 360), forceKey: false, timestamp: 0, duration: 1, into: &bytes)
        } catch { refusal = error }
        #expect(refusal == .wrongSize(width: 640, height: 360))
    }

    @Test func `a key frame that claims a huge picture is refused before it is decoded`() throws {
        var decoder = try VP8Decoder()
        var frame: [UInt8] = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f] + [UInt8](repeating: 0, count: 100)
        #expect(refusal(of: frame, &decoder) == .pictureSize(width: 16_383, height: 16_383))
        frame.replaceSubrange(6..<10, with: [0x80, 0x07, 0xb1, 0x04])  // 1920 × 1201
        #expect(refusal(of: frame, &decoder) == .pictureSize(width: 1_920, height: 1_201))
        #expect(refusal(of: [], &decoder) == .emptyFrame)
        #expect(refusal(of: [0x11, 0, 0], &decoder) == .needsKeyFrame)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `whatever garbage comes, the next key frame is decoded`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var encoder = try encoder(160, 96)
        var decoder = try VP8Decoder()
        let picture = Pictures.colour(0x884422, width: 160, height: 96)
        var (key, damaged): ([UInt8], [UInt8]) = ([], [])
        for number in 0..<10 {
            _ = try encoder.encode(picture, forceKey: true, timestamp: Int64(number) * 3_600, duration: 3_600, into: &key)
            damaged = key
            for _ in 0..<Int.random(in: 1..<20, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random))
            _ = refusal(of: damaged, &decoder)
            let decoded = try #require(try decoder.decode(key.span, pool: pool))
            #expect(Pictures.isNear(decoded.pixel(80, 48), YUVColour(rgb: 0x884422)))
        }
    }

    private func refusal(of frame: [UInt8], _ decoder: inout VP8Decoder) -> VPXError? {
        do { _ = try decoder.decode(frame.span, pool: pool) } catch { return error }
        return nil
    }
}
