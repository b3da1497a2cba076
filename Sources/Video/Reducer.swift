/// Scales pictures down to one size with little work and without allocating: to half first where that is not too much, then the rest.
struct Reducer {
    private var half: Picture?
    private var scaler = PictureScaler()

    /// Fills `target` with a part of `source`, both with even coordinates.
    mutating func reduce(_ source: Picture.View, part: Rectangle, into target: Picture) {
        guard target.width * 2 <= part.width, target.height * 2 <= part.height, target.width * 4 > part.width,
            target.height * 4 > part.height
        else { return scaler.scale(source, part: part, to: target.bounds, of: target) }
        // Halves have even sides too: at most two rows or columns of the edge are lost.
        let part = Rectangle(x: part.x & ~3, y: part.y, width: part.width & ~3, height: part.height & ~3)
        // libyuv halves the columns that do not fill a vector one by one: where nearly whole rows are shown, whole ones are halved, and cut then.
        let isWide = part.width * 8 >= source.bounds.width * 7
        let rows = isWide ? Rectangle(x: 0, y: part.y, width: source.bounds.width & ~3, height: part.height) : part
        let between = picture(rows.width / 2, rows.height / 2)
        between.scale(from: source, part: rows, into: between.bounds)
        let rest = Rectangle(x: (part.x - rows.x) / 2, y: 0, width: part.width / 2, height: part.height / 2)
        scaler.scale(between.view, part: rest, to: target.bounds, of: target)
    }

    private mutating func picture(_ width: Int, _ height: Int) -> Picture {
        if let half, half.width == width, half.height == height { return half }
        let made = Picture(width: width, height: height)
        half = made
        return made
    }
}
