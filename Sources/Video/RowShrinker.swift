import CYUV

/// Makes rows shorter, to not less than half, by interpolating between neighbours: where each new pixel comes from is worked out once for a pair of widths.
///
/// libyuv shrinks rows by any ratio two pixels at a time and allocates for each plane; that was most of what composing a meeting cost beside the codecs.
/// Heights are left to libyuv, which is as fast there as memory.
///
/// Unsafe, and why it holds: tables are made for `from` and `to` and read within them; a block reads 16 bytes from its first source pixel, which lie in the
/// row or in the 64 spare bytes that every `Picture` has behind its planes, and writes eight pixels that lie in the row.
struct RowShrinker {
    private static let block = 8
    let from: Int
    let to: Int
    /// For each block of eight new pixels: where its source begins, where it stands, which of 16 source bytes make each pair, and their weights in 64ths.
    private var sources: [Int32] = []
    private var targets: [Int32] = []
    private var shuffles: [UInt8] = []
    private var weights: [Int8] = []

    /// nil where a row is not made shorter, or to less than half, or is too short for a block.
    init?(from: Int, to: Int) {
        guard to >= Self.block, from > to, from <= 2 * to else { return nil }
        (self.from, self.to) = (from, to)
        var start = 0
        while start < to {
            // The last block overlaps the one before rather than reach past the row.
            append(min(start, to - Self.block))
            start += Self.block
        }
    }

    private mutating func append(_ start: Int) {
        let base = source(start).pixel
        targets.append(Int32(start))
        sources.append(Int32(base))
        for pixel in start..<start + Self.block {
            let (first, weight) = source(pixel)
            shuffles += [UInt8(first - base), UInt8(first - base + 1)]
            weights += [Int8(64 - weight), Int8(weight)]
        }
    }

    /// The left one of the two source pixels that make a new one, and the weight of the right one.
    private func source(_ pixel: Int) -> (pixel: Int, weight: Int) {
        // Centres lie over each other: (pixel + ½)·from/to − ½, in 64ths.
        let place = max(0, ((2 * pixel + 1) * from * 64 - 64 * to) / (2 * to))
        let first = min(place / 64, from - 2)
        return (first, min(64, place - first * 64))
    }

    func shrink(
        _ source: UnsafePointer<UInt8>, _ sourceStride: Int32, into target: UnsafeMutablePointer<UInt8>, _ targetStride: Int32, rows: Int
    ) {
        nc_shrink_rows(
            source, sourceStride, target, targetStride, Int32(rows), Int32(targets.count), sources, targets, shuffles, weights)
    }
}

/// Scales pictures down to one size with little work and without allocating: to half first where that is not too much, then the height, then the width.
struct Reducer {
    private var half: Picture?
    private var low: Picture?
    private var luma: RowShrinker?
    private var chroma: RowShrinker?

    /// Fills `target` with a part of `source`, both with even coordinates.
    mutating func reduce(_ source: Picture.View, part: Rectangle, into target: Picture) {
        guard target.width * 2 <= part.width, target.height * 2 <= part.height, target.width * 4 > part.width,
            target.height * 4 > part.height
        else { return shrink(source, part, into: target) }
        // Halves have even sides too: at most two rows or columns of the edge are lost.
        let part = Rectangle(x: part.x & ~3, y: part.y, width: part.width & ~3, height: part.height & ~3)
        // libyuv halves the columns that do not fill a vector one by one: where nearly whole rows are shown, whole ones are halved, and cut then.
        let isWide = part.width * 8 >= source.bounds.width * 7
        let rows = isWide ? Rectangle(x: 0, y: part.y, width: source.bounds.width & ~3, height: part.height) : part
        let between = Self.picture(&half, rows.width / 2, rows.height / 2)
        between.scale(from: source, part: rows, into: between.bounds)
        shrink(between.view, Rectangle(x: (part.x - rows.x) / 2, y: 0, width: part.width / 2, height: part.height / 2), into: target)
    }

    private mutating func shrink(_ source: Picture.View, _ part: Rectangle, into target: Picture) {
        if luma?.from != part.width || luma?.to != target.width {
            (luma, chroma) = (
                RowShrinker(from: part.width, to: target.width), RowShrinker(from: part.width / 2, to: target.width / 2)
            )
        }
        guard let luma, let chroma, part.height <= 2 * target.height else {
            return target.scale(from: source, part: part, into: target.bounds)
        }
        let between = Self.picture(&low, part.width, target.height)
        between.scale(from: source, part: part, into: between.bounds)
        let (from, to) = (between.planes, target.planes)
        luma.shrink(from.y, from.strideY, into: to.y, to.strideY, rows: target.height)
        chroma.shrink(from.u, from.strideUV, into: to.u, to.strideUV, rows: target.height / 2)
        chroma.shrink(from.v, from.strideUV, into: to.v, to.strideUV, rows: target.height / 2)
    }

    private static func picture(_ kept: inout Picture?, _ width: Int, _ height: Int) -> Picture {
        if let kept, kept.width == width, kept.height == height { return kept }
        let made = Picture(width: width, height: height)
        kept = made
        return made
    }
}
