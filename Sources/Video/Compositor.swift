import CYUV
import Foundation

/// What one tile shows.
package struct TileContent: Sendable {
    package var id: UUID
    package var name: String
    /// The newest picture; nil is a name card.
    package var picture: Picture?
    package var isSpeaking: Bool
    package var isMuted: Bool

    package init(id: UUID, name: String, picture: Picture?, isSpeaking: Bool, isMuted: Bool) {
        (self.id, self.name, self.picture, self.isSpeaking, self.isMuted) = (id, name, picture, isSpeaking, isMuted)
    }

    /// Whether drawing both gives the same pixels.
    func looksLike(_ other: TileContent) -> Bool {
        picture === other.picture && isSpeaking == other.isSpeaking && isMuted == other.isMuted && name == other.name
    }
}

/// Composes the picture of a meeting: one canvas, of which only what changed is drawn again. Not thread-safe: one owner at a time.
package final class Compositor {
    private let pool: PicturePool
    private let canvas: Picture
    private let labels = LabelRenderer()
    private var rectangles: [Rectangle] = []
    /// What stands on the canvas in each rectangle; nil is nothing.
    private var drawn: [TileContent?] = []
    private var drawnWaiting: String?
    private var arrangement: (kind: LayoutKind, count: Int)?
    private var published: Picture?

    /// - Parameter width: of the canvas, even, as `height`.
    package init(width: Int = 1_280, height: Int = 720, pool: PicturePool) {
        self.pool = pool
        canvas = Picture(width: width, height: height)
        clear()
    }

    /// Draws what changed since the last call.
    /// - Parameter tiles: in the order of the layout, the speaker first; more than the layout shows are left out.
    /// - Parameter waitingText: stands alone while there is no tile.
    /// - Returns: a picture that stays as it is, whatever is composed next; the same object again where nothing changed.
    package func compose(_ tiles: [TileContent], layout: LayoutKind, waitingText: String) -> Picture {
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
        if !isChanged, let published { return published }
        let picture = pool.take(width: canvas.width, height: canvas.height)
        picture.copy(from: canvas)
        published = picture
        return picture
    }

    /// Lines of a tile of the last picture; 0 where it is not shown.
    package func height(ofTile index: Int) -> Int { rectangles.indices.contains(index) ? rectangles[index].height : 0 }

    /// The canvas in a tier's size; the canvas itself where it has that size.
    package func scaled(_ canvas: Picture, to tier: VideoTier) -> Picture {
        guard canvas.width != tier.width || canvas.height != tier.height else { return canvas }
        let picture = pool.take(width: tier.width, height: tier.height)
        picture.scale(from: canvas, part: canvas.bounds, into: picture.bounds)
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
            labels.card(tile.name, width: rectangle.width, height: rectangle.height)?
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

    /// Fills the tile where the proportions nearly agree, by cutting the edges; else all of the picture between bars.
    private func draw(_ picture: Picture, in rectangle: Rectangle) {
        let (across, down) = (picture.width * rectangle.height, picture.height * rectangle.width)
        if max(across, down) * 100 <= min(across, down) * 115 {
            let part = picture.bounds.fitting(width: rectangle.width, height: rectangle.height)
            canvas.scale(from: picture, part: part, into: rectangle)
        } else {
            canvas.fill(rectangle, with: .black)
            canvas.scale(from: picture, part: picture.bounds, into: rectangle.fitting(width: picture.width, height: picture.height))
        }
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

extension Picture {
    var bounds: Rectangle { Rectangle(x: 0, y: 0, width: width, height: height) }

    /// Scales a part of a picture straight into a part of this one; both with even coordinates, inside.
    func scale(from source: Picture, part: Rectangle, into target: Rectangle) {
        guard part.intersection(source.bounds) == part, target.intersection(bounds) == target else { return }
        let (from, to) = (source.planes.at(part.x, part.y), planes.at(target.x, target.y))
        _ = I420Scale(
            from.y, from.strideY, from.u, from.strideUV, from.v, from.strideUV, Int32(part.width), Int32(part.height), to.y, to.strideY,
            to.u, to.strideUV, to.v, to.strideUV, Int32(target.width), Int32(target.height), kFilterBox)
    }
}
