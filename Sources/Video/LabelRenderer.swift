/// Draws names: labels on pictures, cards in place of pictures, the card of an empty meeting. What was drawn is kept while it is used.
package final class LabelRenderer {
    private struct Key: Hashable {
        enum Kind: Hashable { case label(isMuted: Bool), card, waiting }
        var kind: Kind
        var text: String
        var note = ""
        var width: Int
        var height: Int
    }

    private struct Kept {
        var overlay: Overlay
        /// The round in which it was asked for last.
        var used: Int
    }

    /// Pixels of drawings kept (about 24 MB); with more all are forgotten, which costs a few milliseconds once.
    private static let mostPixels = 8_000_000
    /// Rounds (pictures) after which a drawing that nobody asked for is forgotten: names come and go for as long as a meeting lasts.
    static let mostRounds = 500
    private var kept: [Key: Kept] = [:]
    private var keptPixels = 0
    private var round = 0

    package init() {}

    /// The height of label text in a tile, pixels.
    static func fontSize(tileHeight: Int) -> Double { min(28, max(11, Double(tileHeight) * 0.085)) }

    /// From the tile's left and bottom edge to its label; more than the border of who speaks.
    static func margin(tileHeight: Int) -> Int { Int(fontSize(tileHeight: tileHeight) * 0.5) + 1 & ~1 }

    /// The label of a tile, no wider than the tile without its margins: the name on a dark box, with the mark of who is muted. nil where
    /// there is nothing to say or no room.
    func label(_ name: String, isMuted: Bool, tileWidth: Int, tileHeight: Int) -> Overlay? {
        guard isMuted || !name.isEmpty, tileWidth >= 48, tileHeight >= 32 else { return nil }
        let key = Key(kind: .label(isMuted: isMuted), text: name, width: tileWidth, height: tileHeight)
        return cached(key) { Self.drawLabel($0, $1, isMuted: isMuted, tileWidth: tileWidth, tileHeight: tileHeight) }
    }

    /// A card of the tile's size with initials and name, for a site without a picture.
    /// - Parameter note: stands below the name where there is room for it; empty for none.
    func card(_ name: String, note: String = "", width: Int, height: Int) -> Overlay? {
        cached(Key(kind: .card, text: name, note: note, width: width, height: height)) {
            Self.drawCard($0, name: $1, note: note, width: width, height: height)
        }
    }

    /// The whole canvas while nobody is there to be shown.
    func waiting(_ text: String, width: Int, height: Int) -> Overlay? {
        cached(Key(kind: .waiting, text: text, width: width, height: height)) {
            Self.drawWaiting($0, text: $1, width: width, height: height)
        }
    }

    /// To be called with each picture.
    func nextRound() {
        round += 1
        guard round % Self.mostRounds == 0 else { return }
        kept = kept.filter { $0.value.used > round - Self.mostRounds }
        keptPixels = kept.values.reduce(0) { $0 + $1.overlay.width * $1.overlay.height }
    }

    /// Drawings that are kept.
    var keptCount: Int { kept.count }

    private func cached(_ key: Key, _ draw: (PangoFonts, _ cleaned: String) -> Overlay?) -> Overlay? {
        if let place = kept.index(forKey: key) {
            kept.values[place].used = round
            return kept.values[place].overlay
        }
        let cleaned = DisplayName.cleaned(key.text)
        guard let overlay = PangoFonts.withLock({ draw($0, cleaned) }) else { return nil }
        let pixels = overlay.width * overlay.height
        if keptPixels + pixels > Self.mostPixels {
            kept.removeAll(keepingCapacity: true)
            keptPixels = 0
        }
        kept[key] = Kept(overlay: overlay, used: round)
        keptPixels += pixels
        return overlay
    }

    private static func drawLabel(
        _ fonts: PangoFonts, _ name: String, isMuted: Bool, tileWidth: Int, tileHeight: Int
    ) -> Overlay? {
        let size = fontSize(tileHeight: tileHeight)
        let padding = size * 0.5
        let mark = isMuted ? size * 1.05 : 0
        let between = isMuted && !name.isEmpty ? size * 0.35 : 0
        let most = Double(tileWidth - 2 * margin(tileHeight: tileHeight)) - 2 * padding - mark - between
        guard most > size || name.isEmpty, let text = fonts.text(name, size: size, maxWidth: most) else { return nil }
        let textWidth = name.isEmpty ? 0 : min(text.width, most)
        let (width, height) = (textWidth + 2 * padding + mark + between, text.height + size * 0.36)
        guard let drawing = Drawing(width: Int(width.rounded(.up)) & ~1, height: Int(height.rounded(.up))) else { return nil }
        drawing.setColour(Palette.labelBox, alpha: 0.66)
        drawing.fillBox(x: 0, y: 0, width: Double(drawing.width), height: Double(drawing.height), radius: size * 0.28)
        if isMuted {
            let y = (Double(drawing.height) - mark) / 2
            drawing.strokeMutedMark(x: padding, y: y, size: mark, rgb: Palette.muted, shade: Palette.labelBox)
        }
        drawing.setColour(Palette.text)
        if !name.isEmpty { text.draw(in: drawing, x: padding + mark + between, y: (Double(drawing.height) - text.height) / 2) }
        return drawing.overlay()
    }

    private static func drawCard(_ fonts: PangoFonts, name: String, note: String, width: Int, height: Int) -> Overlay? {
        guard let drawing = Drawing(width: width, height: height) else { return nil }
        let colours = Palette.card(for: name)
        drawing.paint(colours.background)
        let (middle, side) = (Double(width) / 2, Double(min(height, width)))
        let nameSize = min(48, max(11, side * 0.105))
        let radius = side * 0.19
        let isLarge = side >= 80
        let nameY: Double
        if isLarge {
            let centre = Double(height) * 0.42
            drawing.setColour(colours.disc)
            drawing.fillCircle(x: middle, y: centre, radius: radius)
            drawing.setColour(Palette.text)
            let initials = fonts.text(DisplayName.initials(name), size: radius * 0.8, isBold: true, maxWidth: radius * 2)
            if let initials { initials.draw(in: drawing, x: middle - initials.width / 2, y: centre - initials.height / 2) }
            nameY = centre + radius + nameSize * 0.45
        } else {
            nameY = Double(height) / 2 - nameSize * (note.isEmpty ? 0.7 : 1.3)
        }
        drawing.setColour(Palette.text)
        if let text = fonts.text(name, size: nameSize, maxWidth: Double(width) * 0.9) {
            text.draw(in: drawing, x: middle - text.width / 2, y: nameY)
        }
        drawing.setColour(Palette.muted)
        if !note.isEmpty, let text = fonts.text(note, size: max(10, nameSize * 0.75), maxWidth: Double(width) * 0.9) {
            text.draw(in: drawing, x: middle - text.width / 2, y: nameY + nameSize * 1.5)
        }
        return drawing.overlay()
    }

    private static func drawWaiting(_ fonts: PangoFonts, text: String, width: Int, height: Int) -> Overlay? {
        guard let drawing = Drawing(width: width, height: height) else { return nil }
        drawing.paint(Palette.waiting)
        let (middle, centre) = (Double(width) / 2, Double(height) / 2)
        let size = max(11, Double(height) * 0.058)
        if let line = fonts.text(text, size: size, maxWidth: Double(width) * 0.9) {
            drawing.setColour(Palette.text)
            line.draw(in: drawing, x: middle - line.width / 2, y: centre - line.height / 2)
            drawing.setColour(Palette.accent)
            let bar = size * 2.2
            drawing.fillBox(x: middle - bar / 2, y: centre + line.height * 0.8, width: bar, height: size * 0.12, radius: size * 0.06)
        }
        return drawing.overlay()
    }
}

/// The colours of the composed picture, 0xRRGGBB.
enum Palette {
    static let canvas: UInt32 = 0x10151b
    static let accent: UInt32 = 0x34c97b
    static let text: UInt32 = 0xf4f6f8
    static let labelBox: UInt32 = 0x0b0f14
    static let muted: UInt32 = 0xff6b5f
    static let waiting: UInt32 = 0x17212c
    /// Calm and dark, far enough from each other to tell neighbours apart.
    private static let cards: [(background: UInt32, disc: UInt32)] = [
        (0x22344a, 0x3f6288), (0x2a3a33, 0x4c7461), (0x3d2f42, 0x77597f), (0x44342a, 0x86654f), (0x20383d, 0x3b717c), (0x3a2c32, 0x7a5766),
        (0x2c304c, 0x575f96), (0x38391f, 0x70733f),
    ]

    /// The same for the same name, everywhere and always (FNV-1a, not Swift's seeded hash).
    static func card(for name: String) -> (background: UInt32, disc: UInt32) {
        let hash = name.utf8.reduce(UInt32(0x811c_9dc5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        return cards[Int((hash ^ hash >> 15) >> 3 & 0xffff) % cards.count]
    }
}
