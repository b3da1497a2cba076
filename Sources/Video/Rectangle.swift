/// A rectangle of pixels: the origin is at the top left, `maxX` and `maxY` are outside.
package struct Rectangle: Hashable, Sendable {
    package var x: Int
    package var y: Int
    package var width: Int
    package var height: Int

    package init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    package var maxX: Int { x + width }
    package var maxY: Int { y + height }

    /// What both cover; without area where they do not meet.
    package func intersection(_ other: Rectangle) -> Rectangle {
        let (left, top) = (max(x, other.x), max(y, other.y))
        return Rectangle(x: left, y: top, width: max(0, min(maxX, other.maxX) - left), height: max(0, min(maxY, other.maxY) - top))
    }

    /// The largest rectangle of the given proportions in the middle of this one, with even coordinates where these are even.
    func fitting(width aspectWidth: Int, height aspectHeight: Int) -> Rectangle {
        guard aspectWidth > 0, aspectHeight > 0 else { return self }
        var (fitWidth, fitHeight) = (width, height)
        if width * aspectHeight > height * aspectWidth {
            fitWidth = min(width, max(2, height * aspectWidth / aspectHeight & ~1))
        } else {
            fitHeight = min(height, max(2, width * aspectHeight / aspectWidth & ~1))
        }
        return Rectangle(
            x: x + (width - fitWidth) / 2 & ~1, y: y + (height - fitHeight) / 2 & ~1, width: fitWidth, height: fitHeight)
    }
}
