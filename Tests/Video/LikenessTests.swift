import TestSupport
import Testing

@testable import Video

struct LikenessTests {
    /// Luma by place, chroma grey.
    private func picture(_ width: Int = 64, _ height: Int = 48, _ luma: (_ x: Int, _ y: Int) -> UInt8) -> Picture {
        let picture = Picture(width: width, height: height)
        let planes = picture.planes
        for y in 0..<height { for x in 0..<width { planes.y[y * Int(planes.strideY) + x] = luma(x, y) } }
        return picture
    }

    private func isNear(_ value: Double, _ expected: Double) -> Bool { abs(value - expected) < 1e-6 }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `a picture is like itself, and less the more noise there is`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let one = picture { _, _ in UInt8.random(in: 0...255, using: &random) }
        #expect(one.ssim(against: one) == 1)
        var last = (ssim: 1.0, psnr: one.psnr(against: one))
        for strength in [1, 4, 16, 64] {
            let noisy = picture { x, y in
                UInt8(clamping: Int(one.pixel(x, y)?.y ?? 0) + Int.random(in: -strength...strength, using: &random))
            }
            let now = (ssim: one.ssim(against: noisy), psnr: one.psnr(against: noisy))
            #expect(now.ssim < last.ssim && now.psnr < last.psnr)
            #expect(isNear(now.ssim, noisy.ssim(against: one)))
            last = now
        }
    }

    // By hand: (2·ab + C1)/(a² + b² + C1) for flat pictures, times (2·cov + C2)/(var + var + C2); C1 6.5025, C2 58.5225.
    @Test func `known pairs have known values`() {
        let (flat, lighter) = (picture { _, _ in 100 }, picture { _, _ in 110 })
        #expect(isNear(flat.ssim(against: lighter), 22_006.5025 / 22_106.5025))
        #expect(isNear(flat.psnr(against: lighter), 28.130_803_608_679_1))
        let board = picture { x, y in (x + y) % 2 == 0 ? 0 : 255 }
        let inverse = picture { x, y in (x + y) % 2 == 0 ? 255 : 0 }
        #expect(isNear(board.ssim(against: inverse), -32_453.9775 / 32_571.0225))
        #expect(board.psnr(against: inverse) == 0)
        let strong = picture { x, y in (x + y) % 2 == 0 ? 64 : 192 }
        let weak = picture { x, y in (x + y) % 2 == 0 ? 96 : 160 }
        #expect(isNear(strong.ssim(against: weak), 4_154.5225 / 5_178.5225))
    }

    @Test func `what lies outside the part does not count`() {
        let one = picture { x, y in UInt8((3 * x + 7 * y) & 255) }
        let other = picture { x, y in x < 32 ? UInt8((3 * x + 7 * y) & 255) : 0 }
        let (left, right) = (Rectangle(x: 0, y: 0, width: 32, height: 48), Rectangle(x: 32, y: 0, width: 32, height: 48))
        #expect(one.ssim(against: other, in: left) == 1 && one.ssim(against: other, in: right) < 0.5)
        #expect(one.psnr(against: other, in: left) > 70 && one.psnr(against: other, in: right) < 20)
    }

    @Test func `other sizes and parts outside are not alike at all`() {
        let one = picture { _, _ in 100 }
        #expect(one.ssim(against: picture(32, 48) { _, _ in 100 }) == 0)
        #expect(one.psnr(against: picture(32, 48) { _, _ in 100 }) == 0)
        #expect(one.ssim(against: one, in: Rectangle(x: 100, y: 0, width: 8, height: 8)) == 0)
        #expect(one.ssim(against: one, in: Rectangle(x: 0, y: 0, width: 6, height: 48)) == 0)
    }
}
