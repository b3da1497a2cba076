import CYUV

/// Makes rows longer, or shorter to not less than half, by interpolating between neighbours: where each new pixel comes from is worked out once for a pair
/// of widths.
///
/// libyuv does it two pixels at a time where rows become shorter by any ratio, and allocates for each plane, longer or shorter; that was most of what
/// composing a meeting cost beside the codecs. Heights are left to libyuv, which is as fast there as memory.
///
/// Unsafe, and why it holds: tables are made for `from` and `to` and read within them; a block reads 16 bytes from its first source pixel, which lie in the
/// row or in the 64 spare bytes that every `Picture` has behind its planes, and writes eight pixels that lie in the row.
struct RowScaler {
    private static let block = 8
    let from: Int
    let to: Int
    /// For each block of eight new pixels: where its source begins, where it stands, which of 16 source bytes make each pair, and their weights in 64ths.
    private var sources: [Int32] = []
    private var targets: [Int32] = []
    private var shuffles: [UInt8] = []
    private var weights: [Int8] = []

    /// nil where the length stays, becomes less than half, or is too short for a block.
    init?(from: Int, to: Int) {
        guard to >= Self.block, from >= 2, from != to, from <= 2 * to else { return nil }
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

    func scale(
        _ source: UnsafePointer<UInt8>, _ sourceStride: Int32, into target: UnsafeMutablePointer<UInt8>, _ targetStride: Int32, rows: Int
    ) {
        nc_scale_rows(
            source, sourceStride, target, targetStride, Int32(rows), Int32(targets.count), sources, targets, shuffles, weights)
    }
}
