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

    @Test func `the grid goes row by row, the first tiles two by two cells where cells are to spare`() {
        for count in 2...25 {
            let tiles = Layout.tiles(.grid, count: count, canvasWidth: 1_280, canvasHeight: 720)
            #expect(zip(tiles, tiles.dropFirst()).allSatisfy { $0.y < $1.y || $0.y == $1.y && $0.maxX + Layout.gap == $1.x })
            let cell = tiles[count - 1]
            let large = tiles.prefix { $0.width > cell.width }
            #expect(large.allSatisfy { $0.width == 2 * cell.width + Layout.gap && $0.height == 2 * cell.height + Layout.gap })
            #expect(tiles.dropFirst(large.count).allSatisfy { $0.width == cell.width && $0.height == cell.height })
            // A row of equal tiles stands in the middle, a short one too.
            for row in Dictionary(grouping: tiles.filter { $0.y > (large.last?.maxY ?? -1) }, by: \.y).values {
                let (left, right) = (row.map(\.x).min() ?? 0, row.map(\.maxX).max() ?? 0)
                #expect(abs(left - (1_280 - right)) <= 2)
            }
        }
        let sizes = [4: 0, 5: 1, 6: 1, 7: 3, 8: 0, 9: 0, 10: 2, 13: 1, 16: 0, 17: 2, 19: 2, 25: 0]
        for (count, large) in sizes {
            let tiles = Layout.tiles(.grid, count: count, canvasWidth: 1_280, canvasHeight: 720)
            #expect(tiles.count { $0.width > (tiles.last?.width ?? 0) } == large)
        }
        #expect(Layout.tiles(.grid, count: 25, canvasWidth: 1_280, canvasHeight: 720).filter { $0.y < 100 }.count == 5)
    }

    private func covered(_ tiles: [Rectangle]) -> Int { tiles.reduce(0) { $0 + $1.width * $1.height } }

    /// Of equal tiles the largest that a grid of any number of columns has, reckoned without the layout's help.
    private func equalCell(_ count: Int, _ canvas: (width: Int, height: Int)) -> (width: Int, height: Int) {
        var best = (width: 0, height: 0)
        for columns in 1...count {
            let rows = (count + columns - 1) / columns
            let widest = (canvas.width - (columns + 1) * Layout.gap) / columns & ~1
            let highest = (canvas.height - (rows + 1) * Layout.gap) / rows & ~1
            let width = min(widest, highest * 16 / 9 & ~1)
            if width > best.width { best = (width, min(highest, width * 9 / 16 & ~1)) }
        }
        return best
    }

    @Test(arguments: [(1_280, 720), (640, 360), (1_920, 1_080), (960, 720), (720, 1_280)], 2...40)
    func `a grid covers at least what the best one of equal tiles does`(canvas: (width: Int, height: Int), count: Int) {
        let tiles = Layout.tiles(.grid, count: count, canvasWidth: canvas.width, canvasHeight: canvas.height)
        let equal = equalCell(tiles.count, canvas)
        #expect(covered(tiles) >= tiles.count * equal.width * equal.height)
        #expect(tiles.allSatisfy { $0.width * 100 >= equal.width * 72 })
    }

    /// Two tiles of 16:9 beside each other are the exception: nothing of their size fills the bands above and below.
    @Test(arguments: [1] + Array(3...25))
    func `no whole row or column of cells is empty, and from four tiles on nearly all is covered`(count: Int) throws {
        let tiles = Layout.tiles(.grid, count: count, canvasWidth: 1_280, canvasHeight: 720)
        let (width, height) = (try #require(tiles.map(\.width).min()), try #require(tiles.map(\.height).min()))
        let rows = (0..<720).count { y in !tiles.contains { $0.y <= y && y < $0.maxY } }
        let columns = (0..<1_280).count { x in !tiles.contains { $0.x <= x && x < $0.maxX } }
        #expect(rows < height && columns < width)
        #expect(Double(covered(tiles)) / (1_280 * 720) > (count == 3 ? 0.72 : 0.8))
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
