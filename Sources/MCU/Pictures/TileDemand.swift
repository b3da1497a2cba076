import Base
import RTP

/// What one sender's picture is needed for: the tiles that show it, in every view, and so what its sender is asked for. Time is an argument.
struct TileDemand: Sendable {
    /// How long a view waits for a sender that is asked for more lines, before it shows it larger.
    static let growthPatience = Duration.milliseconds(800)

    private(set) var tiles = TileSizes()
    private var lines = WantedLines()
    /// Of a simulcast's layers the nearest to so many lines was asked for.
    private var layer = 0
    /// Of the largest picture that it has sent.
    private var mostLines = 0
    /// A larger tile that it is about to have, and since when.
    private var coming: (lines: Int, since: Instant)?

    /// What must be told now.
    struct Change: Equatable {
        /// To the peer, for its choice among layers.
        var layer: Int?
        /// To who sends it, over the channel: `wanted` is another.
        var isWish = false
    }

    /// Lines that its sender was asked for; nil before it was shown.
    var wanted: Int? { lines.told }

    /// A picture of so many lines came.
    mutating func arrived(_ lines: Int) { mostLines = max(mostLines, lines) }

    /// The other views no longer show it.
    mutating func keep(_ views: ViewSet) { tiles.keep(views) }

    /// - Parameters:
    ///   - tile: of `view`; nil where it has none there.
    ///   - fits: pictures are scaled to the tile as they are decoded. A screen's are not, and nobody is asked for fewer lines of it.
    ///   - isSending: something came of it; before that there is nobody to be asked.
    mutating func show(
        _ tile: TileSizes.Tile?, in view: ViewID, fits: Bool, isSending: Bool, thrift: Int, now: Instant
    ) -> Change {
        tiles.set(tile, of: view, fits: fits)
        // It has the larger tile, or did not get it after all.
        if let coming, tiles.mostLines >= coming.lines || now - coming.since > Self.growthPatience + Self.growthPatience {
            self.coming = nil
        }
        return isSending ? ask(isCamera: fits, thrift: thrift, now: now) : Change()
    }

    /// It is about to be shown in a tile of so many lines.
    /// - Parameter sent: lines of what it sends now.
    /// - Returns: nil unless they are on their way: it was asked a moment ago and has sent more before than it does now.
    mutating func grow(to lines: Int, from sent: Int, thrift: Int, now: Instant) -> Change? {
        if (coming?.lines ?? 0) < lines { coming = (lines, now) }
        let aim = min(WantedLines.rung(for: lines, thrift: thrift), mostLines)
        // A size is rounded on the way.
        guard let coming, sent < aim * 9 / 10, now - coming.since < Self.growthPatience else { return nil }
        return ask(isCamera: true, thrift: thrift, now: now)
    }

    private mutating func ask(isCamera: Bool, thrift: Int, now: Instant) -> Change {
        var change = Change()
        let tile = max(tiles.mostLines, coming?.lines ?? 0)
        change.isWish = isCamera && tile > 0 && lines.follow(tile: tile, thrift: thrift, now: now) != nil
        // A layer that fills its tile may be one that the machine is too short for.
        let nearest = thrift == 0 ? tile : min(tile, WantedLines.rung(for: tile, thrift: thrift))
        if nearest != layer {
            layer = nearest
            change.layer = nearest
        }
        return change
    }
}
