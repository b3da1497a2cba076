/// How the tiles of a grid stand in cells of 16:9: most take one cell, and where cells are to spare the first ones take two by two. Found by looking at every
/// number of columns and rows.
///
/// Of the arrangements the one is taken in which the sides of all tiles are longest together, which is large where the canvas is covered and where no tile
/// is small for another's sake. Cells never become much smaller than those of a grid of equal tiles.
struct GridArrangement: Equatable {
    let count: Int
    let columns: Int
    let rows: Int
    /// Tiles of two by two cells: the first ones.
    let large: Int
    /// Of one cell in pixels, even.
    let cellWidth: Int
    let cellHeight: Int

    /// Of the width that cells would have with equal tiles, in percent.
    private static let leastCell = 72
    /// By how much, in percent, an arrangement of smaller cells must be better.
    private static let leastGain = 5
    /// What gaps and even sides take from cells does not make them smaller: of the widest, in percent.
    private static let nearlyWidest = 94

    /// - Returns: nil where there is nothing to arrange, or not a cell of two pixels fits.
    init?(count: Int, canvas: Rectangle) {
        guard count > 0 else { return nil }
        let all = (1...count).flatMap { columns in
            (1...count).compactMap { Self(count: count, columns: columns, rows: $0, canvas: canvas) }
        }
        guard let widest = all.map(\.cellWidth).max() else { return nil }
        let equal = all.filter { $0.cellWidth == widest }.map(\.coveredByEqualTiles).max() ?? 0
        let best = all.filter { $0.cellWidth * 100 >= widest * Self.leastCell && $0.covered >= equal }.max { one, other in
            let (less, more) = (one.score(widest), other.score(widest))
            return less < more || less == more && one.columns * one.rows > other.columns * other.rows
        }
        guard let best else { return nil }
        self = best
    }

    private init?(count: Int, columns: Int, rows: Int, canvas: Rectangle) {
        guard columns * rows >= count else { return nil }
        self.count = count
        self.columns = columns
        self.rows = rows
        // A tile of four cells takes three of those to spare.
        large = min((columns * rows - count) / 3, columns / 2 * (rows / 2))
        (cellWidth, cellHeight) = Layout.cellSize(columns: columns, rows: rows, in: canvas)
    }

    private var sides: Int { count * cellWidth + large * (cellWidth + Layout.gap) }
    private func score(_ widest: Int) -> Int { sides * (cellWidth * 100 >= widest * Self.nearlyWidest ? 100 + Self.leastGain : 100) }

    private var coveredByEqualTiles: Int { count * cellWidth * cellHeight }
    /// Pixels that tiles cover.
    private var covered: Int {
        (count - large) * cellWidth * cellHeight + large * (2 * cellWidth + Layout.gap) * (2 * cellHeight + Layout.gap)
    }

    /// A rectangle for each tile, the large ones first, all row by row; a short last row is centred, and so is the whole.
    func tiles(in canvas: Rectangle) -> [Rectangle] {
        var isTaken = Array(repeating: false, count: columns * rows)
        let left = Layout.start(of: columns, cellWidth, in: canvas.width)
        let top = Layout.start(of: rows, cellHeight, in: canvas.height)
        var tiles: [Rectangle] = []
        for index in 0..<count {
            let side = index < large ? 2 : 1
            guard let place = place(side, isTaken) else { break }
            for y in 0..<side { for x in 0..<side { isTaken[(place.row + y) * columns + place.column + x] = true } }
            tiles.append(
                Rectangle(
                    x: left + place.column * (cellWidth + Layout.gap), y: top + place.row * (cellHeight + Layout.gap),
                    width: side * cellWidth + (side - 1) * Layout.gap, height: side * cellHeight + (side - 1) * Layout.gap))
        }
        centreLastRow(&tiles, isTaken, in: canvas)
        return tiles
    }

    /// The first free place for a tile of `side` by `side` cells.
    private func place(_ side: Int, _ isTaken: [Bool]) -> (column: Int, row: Int)? {
        for row in 0..<max(0, rows - side + 1) {
            for column in 0..<max(0, columns - side + 1) {
                let isFree = (0..<side).allSatisfy { y in (0..<side).allSatisfy { !isTaken[(row + y) * columns + column + $0] } }
                if isFree { return (column, row) }
            }
        }
        return nil
    }

    private func centreLastRow(_ tiles: inout [Rectangle], _ isTaken: [Bool], in canvas: Rectangle) {
        let inRow = isTaken.suffix(columns).count { $0 }
        guard inRow < columns, inRow > 0, tiles.count >= inRow else { return }
        let row = tiles.suffix(inRow)
        // One that reaches in from the row above stays, and so do its neighbours.
        guard row.allSatisfy({ $0.height == cellHeight && $0.y == row.first?.y }) else { return }
        let left = Layout.start(of: inRow, cellWidth, in: canvas.width)
        for (column, index) in row.indices.enumerated() { tiles[index].x = left + column * (cellWidth + Layout.gap) }
    }
}
