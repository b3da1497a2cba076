import CYUV

/// One picture in I420 (8 bits, 4:2:0, BT.601 limited range) with even sides and planes aligned to 64 bytes.
///
/// Whoever took it from the pool fills it; once handed on it is only read. That is what makes it safe between threads, and the reason for
/// `@unchecked`. Its memory goes back to the pool with the last reference.
package final class Picture: @unchecked Sendable {
    package let width: Int
    package let height: Int
    /// Bytes from one row to the next.
    package let strideY: Int
    /// The same for U and V, which have half as many rows.
    package let strideUV: Int
    private let memory: PictureMemory
    private let pool: PicturePool?

    /// A picture of its own, without a pool. Sides are made even and lie in 2…`mostSide`.
    package convenience init(width: Int, height: Int) {
        let shape = PictureShape(width: width, height: height)
        self.init(shape, PictureMemory(byteCount: shape.byteCount), pool: nil)
    }

    init(_ shape: PictureShape, _ memory: PictureMemory, pool: PicturePool?) {
        width = shape.width
        height = shape.height
        strideY = shape.strideY
        strideUV = shape.strideUV
        (self.memory, self.pool) = (memory, pool)
    }

    deinit {
        guard let pool else { return memory.free() }
        pool.giveBack(memory)
    }

    /// The planes as C libraries take them.
    package struct Planes {
        package var y: UnsafeMutablePointer<UInt8>
        package var u: UnsafeMutablePointer<UInt8>
        package var v: UnsafeMutablePointer<UInt8>
        package var strideY: Int32
        package var strideUV: Int32

        /// The planes from column `x`, row `y` on; both even.
        func at(_ x: Int, _ y: Int) -> Planes {
            var moved = self
            let chroma = y / 2 * Int(strideUV) + x / 2
            moved.y += y * Int(strideY) + x
            moved.u += chroma
            moved.v += chroma
            return moved
        }
    }

    /// For this room's own code, which passes them to libvpx, libyuv and Cairo. Not to be kept past the picture.
    package var planes: Planes {
        let u = memory.bytes + strideY * height
        return Planes(y: memory.bytes, u: u, v: u + strideUV * (height / 2), strideY: Int32(strideY), strideUV: Int32(strideUV))
    }

    /// Lends the three planes, each `stride × rows` bytes.
    package func withPlanes<Result>(
        _ body: (_ y: Span<UInt8>, _ u: Span<UInt8>, _ v: Span<UInt8>) throws -> Result
    ) rethrows -> Result {
        let planes = planes
        let (luma, chroma) = (strideY * height, strideUV * height / 2)
        return try withExtendedLifetime(self) {
            try body(
                UnsafeBufferPointer(start: planes.y, count: luma).span, UnsafeBufferPointer(start: planes.u, count: chroma).span,
                UnsafeBufferPointer(start: planes.v, count: chroma).span)
        }
    }

    /// The three samples of a pixel; nil outside the picture. For tests and probes, not for loops.
    package func pixel(_ x: Int, _ y: Int) -> YUVColour? {
        guard x >= 0, y >= 0, x < width, y < height else { return nil }
        let planes = planes
        let chroma = y / 2 * strideUV + x / 2
        return YUVColour(y: planes.y[y * strideY + x], u: planes.u[chroma], v: planes.v[chroma])
    }

    /// Fills a rectangle, cut to the picture.
    package func fill(_ rectangle: Rectangle, with colour: YUVColour) {
        let part = rectangle.intersection(Rectangle(x: 0, y: 0, width: width, height: height))
        guard part.width > 0, part.height > 0 else { return }
        let planes = planes
        _ = I420Rect(
            planes.y, planes.strideY, planes.u, planes.strideUV, planes.v, planes.strideUV, Int32(part.x), Int32(part.y),
            Int32(part.width), Int32(part.height), Int32(colour.y), Int32(colour.u), Int32(colour.v))
    }
}

extension Picture {
    /// Planes that somebody else keeps, for as long as it says.
    struct View {
        package let planes: Planes
        let bounds: Rectangle

        /// Copies all of it into a picture of the same size.
        func copy(to picture: Picture) {
            guard picture.bounds == bounds else { return }
            let to = picture.planes
            _ = I420Copy(
                planes.y, planes.strideY, planes.u, planes.strideUV, planes.v, planes.strideUV, to.y, to.strideY, to.u, to.strideUV, to.v,
                to.strideUV, Int32(bounds.width), Int32(bounds.height))
        }
    }

    var bounds: Rectangle { Rectangle(x: 0, y: 0, width: width, height: height) }
    var view: View { View(planes: planes, bounds: bounds) }

    /// Copies a picture of the same size.
    package func copy(from source: Picture) { source.view.copy(to: self) }

    /// Scales a part of a picture straight into a part of this one; both with even coordinates, inside.
    func scale(from source: View, part: Rectangle, into target: Rectangle) {
        guard part.intersection(source.bounds) == part, target.intersection(bounds) == target else { return }
        let (from, to) = (source.planes.at(part.x, part.y), planes.at(target.x, target.y))
        if part.width == target.width, part.height == target.height {
            return Self.copyRows(from, to, width: part.width, height: part.height)
        }
        _ = I420Scale(
            from.y, from.strideY, from.u, from.strideUV, from.v, from.strideUV, Int32(part.width), Int32(part.height), to.y, to.strideY,
            to.u, to.strideUV, to.v, to.strideUV, Int32(target.width), Int32(target.height), kFilterBox)
    }

    /// Rows of a tile are short and lie anywhere, and libyuv moves such bytes by `rep movsb`, which takes three times as long as `memcpy`.
    ///
    /// Unsafe, and why it holds: `scale` has checked that `width × height` lies within both pictures.
    private static func copyRows(_ from: Planes, _ to: Planes, width: Int, height: Int) {
        for row in 0..<height { (to.y + row * Int(to.strideY)).update(from: from.y + row * Int(from.strideY), count: width) }
        for row in 0..<height / 2 {
            (to.u + row * Int(to.strideUV)).update(from: from.u + row * Int(from.strideUV), count: width / 2)
            (to.v + row * Int(to.strideUV)).update(from: from.v + row * Int(from.strideUV), count: width / 2)
        }
    }
}

/// Where the planes of a picture lie.
struct PictureShape: Equatable {
    /// Wider and higher than anything that is decoded or composed here.
    static let mostSide = 4_096
    let width: Int
    let height: Int

    init(width: Int, height: Int) {
        self.width = min(max(width + width & 1, 2), Self.mostSide)
        self.height = min(max(height + height & 1, 2), Self.mostSide)
    }

    var strideY: Int { (width + 63) & ~63 }
    var strideUV: Int { (width / 2 + 63) & ~63 }
    /// A little more than the planes: vector loops may read past the last row.
    var byteCount: Int { strideY * height + strideUV * height + 64 }
}

/// The bytes behind a picture. Has one holder at a time: a picture or the pool.
struct PictureMemory: @unchecked Sendable {
    let bytes: UnsafeMutablePointer<UInt8>
    let byteCount: Int

    init(byteCount: Int) {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        bytes = raw.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        self.byteCount = byteCount
    }

    func free() { UnsafeMutableRawPointer(bytes).deallocate() }
}
