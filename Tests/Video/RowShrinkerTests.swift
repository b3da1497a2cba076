import Testing

@testable import Video

struct RowShrinkerTests {
    @Test(arguments: [(640, 418), (640, 320), (320, 314), (320, 250), (16, 8), (638, 636), (160, 157), (100, 53)])
    func `a row made shorter is what interpolation by the formula makes`(from: Int, to: Int) throws {
        let shrinker = try #require(RowShrinker(from: from, to: to))
        let rows = 3
        var source = [UInt8](repeating: 0, count: from * rows + 64)
        for index in source.indices { source[index] = UInt8(truncatingIfNeeded: index &* index &* 7 &+ index / 3) }
        var target = [UInt8](repeating: 0xaa, count: to * rows + 1)
        target.withUnsafeMutableBufferPointer { target in
            source.withUnsafeBufferPointer { source in
                if let from = source.baseAddress, let to = target.baseAddress {
                    shrinker.shrink(from, Int32(shrinker.from), into: to, Int32(shrinker.to), rows: rows)
                }
            }
        }
        #expect(target[to * rows] == 0xaa)
        for row in 0..<rows {
            for pixel in 0..<to {
                let place = max(0, (Double(pixel) + 0.5) * Double(from) / Double(to) - 0.5)
                let first = min(Int(place), from - 2)
                let weight = min(1, place - Double(first))
                let wanted = Double(source[row * from + first]) * (1 - weight) + Double(source[row * from + first + 1]) * weight
                #expect(abs(Double(target[row * to + pixel]) - wanted) < 5)
            }
        }
    }

    @Test(arguments: [(640, 641), (640, 640), (640, 319), (8, 6)])
    func `other ratios are left to libyuv`(from: Int, to: Int) { #expect(RowShrinker(from: from, to: to) == nil) }

    @Test(arguments: [(244, 138), (250, 138), (240, 136), (160, 136)])
    func `a tile shows the middle of its picture`(width: Int, height: Int) throws {
        let source = Picture(width: 640, height: 360)
        for x in stride(from: 0, to: 640, by: 4) {
            source.fill(Rectangle(x: x, y: 0, width: 4, height: 360), with: YUVColour(y: UInt8(20 + x / 4), u: 128, v: 128))
        }
        let fit = TileFit(width: 640, height: 360, tileWidth: width, tileHeight: height)
        let target = Picture(width: fit.place.width, height: fit.place.height)
        var reducer = Reducer()
        reducer.reduce(source.view, part: fit.part, into: target)
        for x in 0..<target.width {
            let place = Double(fit.part.x) + (Double(x) + 0.5) * Double(fit.part.width) / Double(target.width)
            let luma = Double(try #require(target.pixel(x, height / 2)).y)
            #expect(abs(luma - (20 + place / 4 - 0.5)) < 1.5)
        }
    }
}
