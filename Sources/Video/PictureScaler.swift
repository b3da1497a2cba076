/// Scales parts of pictures to any size that is not less than half, without allocating in the steady state: first the height, then the width.
struct PictureScaler {
    /// What is done for one pair of widths.
    private struct Rows {
        var luma: RowScaler
        var chroma: RowScaler
    }

    /// A pair for each tile of the fullest layout, and some for the one before.
    private static let mostKept = 32
    private var kept: [Rows] = []
    private var oldest = 0
    /// As wide as it came and as high as it becomes; only its corner is used where less is needed.
    private var between: Picture?

    /// Fills `place` of `target` with a part of `source`, both with even coordinates; other ratios are left to libyuv.
    mutating func scale(_ source: Picture.View, part: Rectangle, to place: Rectangle, of target: Picture) {
        guard part.width != place.width, part.height <= 2 * place.height, part.intersection(source.bounds) == part,
            place.intersection(target.bounds) == place, let index = rows(from: part.width, to: place.width)
        else { return target.scale(from: source, part: part, into: place) }
        let rows = kept[index]
        let between = scratch(part.width, place.height)
        between.scale(from: source, part: part, into: Rectangle(x: 0, y: 0, width: part.width, height: place.height))
        let (from, to) = (between.planes, target.planes.at(place.x, place.y))
        rows.luma.scale(from.y, from.strideY, into: to.y, to.strideY, rows: place.height)
        rows.chroma.scale(from.u, from.strideUV, into: to.u, to.strideUV, rows: place.height / 2)
        rows.chroma.scale(from.v, from.strideUV, into: to.v, to.strideUV, rows: place.height / 2)
    }

    private mutating func rows(from: Int, to: Int) -> Int? {
        if let known = kept.firstIndex(where: { $0.luma.from == from && $0.luma.to == to }) { return known }
        guard let luma = RowScaler(from: from, to: to), let chroma = RowScaler(from: from / 2, to: to / 2) else { return nil }
        let made = Rows(luma: luma, chroma: chroma)
        guard kept.count == Self.mostKept else {
            kept.append(made)
            return kept.count - 1
        }
        oldest = (oldest + 1) % Self.mostKept
        kept[oldest] = made
        return oldest
    }

    private mutating func scratch(_ width: Int, _ height: Int) -> Picture {
        if let between, between.width >= width, between.height >= height { return between }
        let made = Picture(width: max(width, between?.width ?? 0), height: max(height, between?.height ?? 0))
        between = made
        return made
    }
}
