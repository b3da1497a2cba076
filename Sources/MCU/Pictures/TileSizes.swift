/// The tiles that show one source, by view: what its picture is scaled to, once for each size however many views have it.
struct TileSizes: Sendable {
    struct Tile: Sendable, Equatable {
        var width: Int
        var height: Int
    }

    /// nil where the view does not show it.
    private var tiles = ByView<Tile?>(repeating: nil)
    private var fits = true

    /// - Parameter fits: pictures are scaled to their tiles; otherwise they stay as they are.
    mutating func set(_ tile: Tile?, of view: ViewID, fits: Bool) {
        tiles[view.number] = tile
        self.fits = fits
    }

    /// The other views no longer show it.
    mutating func keep(_ views: ViewSet) {
        for number in 0..<ViewID.most where !views.contains(number) { tiles[number] = nil }
    }

    /// Of the largest; 0 where there is none.
    var mostLines: Int {
        var most = 0
        for number in 0..<ViewID.most { most = max(most, tiles[number]?.height ?? 0) }
        return most
    }

    /// Each size once; none where pictures stay as they are.
    /// - Parameter sizes: is replaced by them; its capacity is kept.
    /// - Returns: which of them each view has, −1 where it has none.
    func collect(into sizes: inout [(width: Int, height: Int)?]) -> ByView<Int> {
        sizes.removeAll(keepingCapacity: true)
        var places = ByView<Int>(repeating: -1)
        for number in 0..<ViewID.most {
            guard fits, let tile = tiles[number] else { continue }
            places[number] = sizes.firstIndex { $0?.width == tile.width && $0?.height == tile.height } ?? sizes.count
            if places[number] == sizes.count { sizes.append((tile.width, tile.height)) }
        }
        return places
    }
}

/// Views of a meeting.
struct ViewSet: Sendable, Equatable {
    private var bits: UInt8 = 0
    static let none = ViewSet()
    static let programme = ViewSet(bits: 1)
    init() {}
    private init(bits: UInt8) { self.bits = bits }
    var isEmpty: Bool { bits == 0 }
    func contains(_ number: Int) -> Bool { bits >> UInt8(number) & 1 != 0 }
    mutating func insert(_ view: ViewID) { bits |= 1 << UInt8(view.number) }
}
