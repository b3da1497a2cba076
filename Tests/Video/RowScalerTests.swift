import Testing

@testable import Video

struct RowScalerTests {
    @Test(arguments: [
        (640, 418), (640, 320), (320, 314), (320, 250), (16, 8), (638, 636), (160, 157), (100, 53), (320, 1280), (160, 960), (2, 8),
        (630, 640), (7, 40),
    ])
    func `a row made shorter or longer is what interpolation by the formula makes`(from: Int, to: Int) throws {
        let scaler = try #require(RowScaler(from: from, to: to))
        let rows = 3
        var source = [UInt8](repeating: 0, count: from * rows + 64)
        for index in source.indices { source[index] = UInt8(truncatingIfNeeded: index &* index &* 7 &+ index / 3) }
        var target = [UInt8](repeating: 0xaa, count: to * rows + 1)
        target.withUnsafeMutableBufferPointer { target in
            source.withUnsafeBufferPointer { source in
                if let from = source.baseAddress, let to = target.baseAddress {
                    scaler.scale(from, Int32(scaler.from), into: to, Int32(scaler.to), rows: rows)
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

    @Test(arguments: [(640, 640), (640, 319), (8, 6), (1, 8)])
    func `other ratios are left to libyuv`(from: Int, to: Int) { #expect(RowScaler(from: from, to: to) == nil) }

    @Test(arguments: [(244, 138), (250, 138), (240, 136), (160, 136), (960, 540), (1_280, 718)])
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

    @Test func `pictures scaled in turn by one scaler are each as scaled alone, and nothing beside their place is touched`() throws {
        let source = Picture(width: 320, height: 180)
        for x in stride(from: 0, to: 320, by: 8) {
            source.fill(Rectangle(x: x, y: 0, width: 8, height: 180), with: YUVColour(y: UInt8(20 + x / 2), u: UInt8(60 + x / 8), v: 100))
        }
        let ground = YUVColour(y: 5, u: 6, v: 7)
        // More pairs of widths than are kept, longer and shorter, so that the first ones are made anew and the scratch picture grows.
        let widths = (0..<40).map { 160 + $0 * 18 } + [160, 178]
        var shared = PictureScaler()
        for width in widths {
            let place = Rectangle(x: 8, y: 6, width: width, height: width / 4 * 2)
            let (one, other) = (Picture(width: 900, height: 500), Picture(width: 900, height: 500))
            var alone = PictureScaler()
            for picture in [one, other] { picture.fill(picture.bounds, with: ground) }
            shared.scale(source.view, part: source.bounds, to: place, of: one)
            alone.scale(source.view, part: source.bounds, to: place, of: other)
            for (x, y) in [(7, 6), (8, 5), (place.maxX, 6), (8, place.maxY)] { #expect(one.pixel(x, y) == ground) }
            for x in stride(from: 0, to: 900, by: 3) { #expect(one.pixel(x, 40) == other.pixel(x, 40)) }
            let middle = try #require(one.pixel(place.x + width / 2, 40))
            #expect(abs(Int(middle.y) - 100) <= 4 && abs(Int(middle.u) - 80) <= 2 && middle.v == 100)
        }
    }
}
