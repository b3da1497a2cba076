/// How the tiles of a meeting share the canvas.
package enum LayoutKind: Sendable, CaseIterable {
    /// One picture alone.
    case one
    /// Tiles in cells, up to five by five: equal ones, and where cells are to spare the first ones larger (`GridArrangement`).
    case grid
    /// The first tile large, up to `Layout.mostInStrip` small ones beside it.
    case speaker
}

/// From a number of tiles and a canvas to rectangles: a pure function. Everything is even, inside the canvas and without overlap; tiles
/// come in the order of their participants, row by row.
package enum Layout {
    /// No layout shows more than this.
    package static let mostVisible = 25
    package static let mostInStrip = 12
    /// Between tiles and at the edges.
    static let gap = 4

    /// How many of `count` participants are shown.
    package static func visibleCount(_ kind: LayoutKind, count: Int) -> Int {
        switch kind {
        case .one: min(max(count, 0), 1)
        case .grid: min(max(count, 0), mostVisible)
        case .speaker: min(max(count, 0), 1 + mostInStrip)
        }
    }

    /// - Returns: a rectangle for each visible tile, the speaker's first; every tile is 16:9 or, for one alone, the canvas.
    package static func tiles(_ kind: LayoutKind, count: Int, canvasWidth: Int, canvasHeight: Int) -> [Rectangle] {
        let shown = visibleCount(kind, count: count)
        let canvas = Rectangle(x: 0, y: 0, width: canvasWidth & ~1, height: canvasHeight & ~1)
        guard shown > 0 else { return [] }
        guard shown > 1 else { return [canvas] }
        return kind == .speaker ? speaker(small: shown - 1, canvas) : GridArrangement(count: shown, canvas: canvas)?.tiles(in: canvas) ?? []
    }

    /// Where the first of `count` tiles begins, so that the row is in the middle.
    static func start(of count: Int, _ side: Int, in whole: Int) -> Int {
        (whole - count * side - (count - 1) * gap) / 2 & ~1
    }

    /// The largest 16:9 cell of which so many fit with gaps around.
    static func cellSize(columns: Int, rows: Int, in canvas: Rectangle) -> (width: Int, height: Int) {
        let widest = max(2, (canvas.width - (columns + 1) * gap) / columns & ~1)
        let highest = max(2, (canvas.height - (rows + 1) * gap) / rows & ~1)
        let fit = Rectangle(x: 0, y: 0, width: widest, height: highest).fitting(width: 16, height: 9)
        return (fit.width, fit.height)
    }

    /// The canvas in `units × units` cells of its own proportions: the speaker takes all but the last column and row, the small ones go
    /// down the column, then along the row. So the large one stays large: four units hold seven small tiles, seven hold thirteen.
    private static func speaker(small count: Int, _ canvas: Rectangle) -> [Rectangle] {
        let units = max(4, (count + 2) / 2)
        let cell = cellSize(columns: units, rows: units, in: canvas)
        let (stepX, stepY) = (cell.width + gap, cell.height + gap)
        let left = start(of: units, cell.width, in: canvas.width)
        // Without a bottom row the rest is moved to the middle.
        let rows = count < units ? units - 1 : units
        let top = start(of: rows, cell.height, in: canvas.height)
        let box = Rectangle(x: left, y: top, width: stepX * (units - 1) - gap, height: stepY * (units - 1) - gap)
        let column = min(count, count < units ? units - 1 : units)
        let side = (0..<column).map {
            Rectangle(x: left + stepX * (units - 1), y: top + stepY * $0, width: cell.width, height: cell.height)
        }
        let bottom = (0..<(count - column)).map {
            Rectangle(x: left + stepX * $0, y: top + stepY * (units - 1), width: cell.width, height: cell.height)
        }
        return [box] + side + bottom
    }
}
