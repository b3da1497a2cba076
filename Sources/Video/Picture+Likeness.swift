import Foundation

/// How like two pictures are, for tests, documents and probes.
extension Picture {
    /// Peak signal to noise over the luma of both, decibels; 0 where the sizes differ. Equal pictures count as if one sample differed by one.
    /// - Parameter part: nil is all of the picture.
    package func psnr(against other: Picture, in part: Rectangle? = nil) -> Double {
        guard let part = common(with: other, part) else { return 0 }
        let squares = withPlanes { a, _, _ in
            other.withPlanes { b, _, _ in
                var sum = 0
                for y in part.y..<part.maxY {
                    let (rowA, rowB) = (y * strideY, y * other.strideY)
                    for x in part.x..<part.maxX {
                        let difference = Int(a[rowA &+ x]) &- Int(b[rowB &+ x])
                        sum &+= difference &* difference
                    }
                }
                return sum
            }
        }
        return 10 * log10(255 * 255 * Double(part.width * part.height) / Double(max(squares, 1)))
    }

    /// Structural similarity over the luma of both (Wang, Bovik, Sheikh, Simoncelli: Image quality assessment, 2004; K1 0.01, K2 0.03): the mean over
    /// windows of 8×8 that begin at each fourth column and row, all samples weighted alike. 1 is equal, less is worse; 0 where the sizes differ or a side is
    /// shorter than a window.
    /// - Parameter part: nil is all of the picture.
    package func ssim(against other: Picture, in part: Rectangle? = nil) -> Double {
        guard let part = common(with: other, part), part.width >= 8, part.height >= 8 else { return 0 }
        let columns = part.width / 4
        var (above, row) = ([Moments](repeating: Moments(), count: columns), [Moments](repeating: Moments(), count: columns))
        var (sum, windows) = (0.0, 0)
        for blockRow in 0..<part.height / 4 {
            swap(&above, &row)
            measure(against: other, x: part.x, y: part.y + 4 * blockRow, into: &row)
            guard blockRow > 0 else { continue }
            for column in 1..<columns {
                sum += (above[column - 1] + above[column] + row[column - 1] + row[column]).likeness
                windows += 1
            }
        }
        return sum / Double(windows)
    }

    /// nil where the sizes differ or nothing is left of the part.
    private func common(with other: Picture, _ part: Rectangle?) -> Rectangle? {
        guard width == other.width, height == other.height else { return nil }
        let cut = (part ?? bounds).intersection(bounds)
        return cut.width > 0 && cut.height > 0 ? cut : nil
    }

    /// A row of blocks of 4×4 samples.
    private func measure(against other: Picture, x: Int, y: Int, into row: inout [Moments]) {
        withPlanes { a, _, _ in
            other.withPlanes { b, _, _ in
                for block in row.indices {
                    var moments = Moments()
                    for line in y..<y + 4 {
                        let (startA, startB) = (line * strideY + x + 4 * block, line * other.strideY + x + 4 * block)
                        for offset in 0..<4 { moments.add(Int(a[startA &+ offset]), Int(b[startB &+ offset])) }
                    }
                    row[block] = moments
                }
            }
        }
    }
}

/// Sums over the samples of a block in both pictures.
private struct Moments {
    private var a = 0
    private var b = 0
    private var squares = 0
    private var products = 0

    mutating func add(_ one: Int, _ other: Int) {
        a &+= one
        b &+= other
        squares &+= one &* one &+ other &* other
        products &+= one &* other
    }

    static func + (one: Moments, other: Moments) -> Moments {
        var sum = one
        sum.a &+= other.a
        sum.b &+= other.b
        sum.squares &+= other.squares
        sum.products &+= other.products
        return sum
    }

    /// The index of similarity of a window of 8×8.
    var likeness: Double {
        let count = 64.0
        let (meanA, meanB) = (Double(a) / count, Double(b) / count)
        let means = meanA * meanA + meanB * meanB
        let (variances, covariance) = (Double(squares) / count - means, Double(products) / count - meanA * meanB)
        let (c1, c2) = (0.01 * 255 * 0.01 * 255, 0.03 * 255 * 0.03 * 255)
        return (2 * meanA * meanB + c1) * (2 * covariance + c2) / ((means + c1) * (variances + c2))
    }
}
