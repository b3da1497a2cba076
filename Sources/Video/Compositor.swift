import Foundation
import RTP

/// What one tile shows.
package struct TileContent: Sendable {
    package var id: UUID
    package var name: String
    /// The newest picture; nil is a name card.
    package var picture: Picture?
    package var isSpeaking: Bool
    package var isMuted: Bool
    /// Stands on the name card below the name: why there is no picture, where there should be one.
    package var note: String

    package init(id: UUID, name: String, picture: Picture?, isSpeaking: Bool, isMuted: Bool, note: String = "") {
        self.id = id
        self.name = name
        self.picture = picture
        self.isSpeaking = isSpeaking
        self.isMuted = isMuted
        self.note = note
    }

    /// Whether drawing both gives the same pixels.
    func looksLike(_ other: TileContent) -> Bool {
        picture === other.picture && isSpeaking == other.isSpeaking && isMuted == other.isMuted && name == other.name
            && (picture != nil || note == other.note)
    }
}

/// Composes the picture of a meeting: one canvas, of which only what changed is drawn again. Not thread-safe: one owner at a time.
package final class Compositor {
    private let canvas: Picture
    private let labels = LabelRenderer()
    private var rectangles: [Rectangle] = []
    /// What stands on the canvas in each rectangle; nil is nothing.
    private var drawn: [TileContent?] = []
    private var drawnWaiting: String?
    private var arrangement: (kind: LayoutKind, count: Int)?
    /// The canvas in the sizes of the smaller tiers.
    private var smaller: [Picture?] = Array(repeating: nil, count: TierTable.most)
    private var scaler = PictureScaler()

    /// - Parameter width: of the canvas, even, as `height`.
    package init(width: Int = 1_280, height: Int = 720) {
        canvas = Picture(width: width, height: height)
        clear()
    }

    /// Draws what changed since the last call.
    /// - Parameter tiles: in the order of the layout, the speaker first; more than the layout shows are left out.
    /// - Parameter waitingText: stands alone while there is no tile.
    /// - Returns: the canvas, which stays as it is until the next call, and whether anything on it is new.
    package func compose(_ tiles: [TileContent], layout: LayoutKind, waitingText: String) -> (canvas: Picture, isChanged: Bool) {
        labels.nextRound()
        var isChanged = arrange(layout, count: tiles.count)
        if rectangles.isEmpty {
            isChanged = drawWaiting(waitingText) || isChanged
        } else {
            for index in rectangles.indices {
                if let before = drawn[index], before.looksLike(tiles[index]) { continue }
                draw(tiles[index], in: rectangles[index])
                drawn[index] = tiles[index]
                isChanged = true
            }
        }
        return (canvas, isChanged)
    }

    /// Sides of the canvas.
    package var size: (width: Int, height: Int) { (canvas.width, canvas.height) }

    /// Sides of a tile of the last picture; nil where it is not shown.
    package func size(ofTile index: Int) -> (width: Int, height: Int)? {
        rectangles.indices.contains(index) ? (rectangles[index].width, rectangles[index].height) : nil
    }

    /// The canvas in a tier's size; the canvas itself where it has that size. Valid until the next call for that tier.
    package func scaled(to tier: Tier) -> Picture {
        guard canvas.width != tier.width || canvas.height != tier.height else { return canvas }
        let picture = smaller[tier.id.index] ?? Picture(width: tier.width, height: tier.height)
        smaller[tier.id.index] = picture
        picture.scale(from: canvas.view, part: canvas.bounds, into: picture.bounds)
        return picture
    }

    /// - Returns: whether the rectangles are others than before; the canvas is then empty.
    private func arrange(_ kind: LayoutKind, count: Int) -> Bool {
        let count = Layout.visibleCount(kind, count: count)
        if let arrangement, arrangement == (kind, count) { return false }
        arrangement = (kind, count)
        rectangles = Layout.tiles(kind, count: count, canvasWidth: canvas.width, canvasHeight: canvas.height)
        drawn = Array(repeating: nil, count: rectangles.count)
        drawnWaiting = nil
        clear()
        return true
    }

    private func clear() { canvas.fill(canvas.bounds, with: YUVColour(rgb: Palette.canvas)) }

    private func drawWaiting(_ text: String) -> Bool {
        guard drawnWaiting != text else { return false }
        drawnWaiting = text
        labels.waiting(text, width: canvas.width, height: canvas.height)?.blend(into: canvas, x: 0, y: 0, bounds: canvas.bounds)
        return true
    }

    private func draw(_ tile: TileContent, in rectangle: Rectangle) {
        if let picture = tile.picture {
            draw(picture, in: rectangle)
        } else {
            labels.card(tile.name, note: tile.note, width: rectangle.width, height: rectangle.height)?
                .blend(into: canvas, x: rectangle.x, y: rectangle.y, bounds: rectangle)
        }
        // A card says the name already, and larger.
        let name = tile.picture == nil ? "" : tile.name
        let label = labels.label(name, isMuted: tile.isMuted, tileWidth: rectangle.width, tileHeight: rectangle.height)
        if let label {
            let margin = LabelRenderer.margin(tileHeight: rectangle.height)
            label.blend(into: canvas, x: rectangle.x + margin, y: rectangle.maxY - margin - label.height, bounds: rectangle)
        }
        if tile.isSpeaking { drawBorder(rectangle) }
    }

    private func draw(_ picture: Picture, in tile: Rectangle) {
        let fit = TileFit(width: picture.width, height: picture.height, tileWidth: tile.width, tileHeight: tile.height)
        if fit.hasBars { canvas.fill(tile, with: .black) }
        let place = Rectangle(x: tile.x + fit.place.x, y: tile.y + fit.place.y, width: fit.place.width, height: fit.place.height)
        scaler.scale(picture.view, part: fit.part, to: place, of: canvas)
    }

    /// The thickness of the border of who speaks.
    static func border(tileHeight: Int) -> Int { tileHeight >= 480 ? 6 : tileHeight >= 100 ? 4 : 2 }

    private func drawBorder(_ tile: Rectangle) {
        let (thick, colour) = (Self.border(tileHeight: tile.height), YUVColour(rgb: Palette.accent))
        canvas.fill(Rectangle(x: tile.x, y: tile.y, width: tile.width, height: thick), with: colour)
        canvas.fill(Rectangle(x: tile.x, y: tile.maxY - thick, width: tile.width, height: thick), with: colour)
        canvas.fill(Rectangle(x: tile.x, y: tile.y, width: thick, height: tile.height), with: colour)
        canvas.fill(Rectangle(x: tile.maxX - thick, y: tile.y, width: thick, height: tile.height), with: colour)
    }
}
