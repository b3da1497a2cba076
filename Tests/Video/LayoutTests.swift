import TestSupport
import Testing

@testable import Video

struct LayoutTests {
    @Test(arguments: LayoutKind.allCases, [(1_280, 720), (640, 360), (1_920, 1_080), (960, 720), (720, 1_280)])
    func `for any number tiles are even, inside, apart, in order and near 16 to 9`(kind: LayoutKind, canvas: (width: Int, height: Int)) {
        let whole = Rectangle(x: 0, y: 0, width: canvas.width, height: canvas.height)
        for count in 0...40 {
            let tiles = Layout.tiles(kind, count: count, canvasWidth: canvas.width, canvasHeight: canvas.height)
            #expect(tiles.count == Layout.visibleCount(kind, count: count))
            for (index, tile) in tiles.enumerated() {
                #expect((tile.x | tile.y | tile.width | tile.height) & 1 == 0)
                #expect(tile.width >= 64 && tile.height >= 32 && tile.intersection(whole) == tile)
                #expect(tiles.count == 1 || abs(Double(tile.width) / Double(tile.height) - 16.0 / 9) < 0.12)
                for other in tiles[..<index] {
                    let common = tile.intersection(other)
                    #expect(common.width == 0 || common.height == 0)
                }
            }
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `whatever the canvas, nothing lies outside it`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let (width, height) = (Int.random(in: 160...4_000, using: &random), Int.random(in: 120...4_000, using: &random))
        let whole = Rectangle(x: 0, y: 0, width: width, height: height)
        for kind in LayoutKind.allCases {
            let tiles = Layout.tiles(kind, count: Int.random(in: 0...60, using: &random), canvasWidth: width, canvasHeight: height)
            #expect(tiles.allSatisfy { $0.intersection(whole) == $0 && ($0.x | $0.y | $0.width | $0.height) & 1 == 0 })
        }
    }

    @Test func `the grid goes row by row, with a short last row in the middle`() {
        for count in 2...25 {
            let tiles = Layout.tiles(.grid, count: count, canvasWidth: 1_280, canvasHeight: 720)
            #expect(zip(tiles, tiles.dropFirst()).allSatisfy { $0.y < $1.y || $0.y == $1.y && $0.maxX + Layout.gap == $1.x })
            #expect(Set(tiles.map(\.width)).count == 1 && Set(tiles.map(\.height)).count == 1)
            for row in Dictionary(grouping: tiles, by: \.y).values {
                let (left, right) = (row.map(\.x).min() ?? 0, row.map(\.maxX).max() ?? 0)
                #expect(abs(left - (1_280 - right)) <= 2)
            }
        }
        #expect(Layout.tiles(.grid, count: 25, canvasWidth: 1_280, canvasHeight: 720).filter { $0.y < 100 }.count == 5)
    }

    @Test func `the speaker's tile is several times as large as the others, and those are equal`() {
        for count in 2...13 {
            let tiles = Layout.tiles(.speaker, count: count, canvasWidth: 1_280, canvasHeight: 720)
            #expect(tiles.dropFirst().allSatisfy { $0.width == tiles[1].width && tiles[0].width >= 3 * $0.width })
            #expect(tiles[0].width >= 900)
        }
        #expect(Layout.tiles(.speaker, count: 1, canvasWidth: 1_280, canvasHeight: 720).first?.width == 1_280)
    }
}
