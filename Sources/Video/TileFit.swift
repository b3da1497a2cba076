/// How a picture stands in a tile: filling it where the proportions nearly agree, by cutting the edges; else all of the picture between bars.
struct TileFit: Equatable {
    /// What of the picture is shown.
    let part: Rectangle
    /// Where it stands, from the tile's upper left corner.
    let place: Rectangle
    var hasBars: Bool

    /// - Parameters: sides of the picture and of the tile in pixels, all even.
    init(width: Int, height: Int, tileWidth: Int, tileHeight: Int) {
        let picture = Rectangle(x: 0, y: 0, width: width, height: height)
        let tile = Rectangle(x: 0, y: 0, width: tileWidth, height: tileHeight)
        let (across, down) = (width * tileHeight, height * tileWidth)
        hasBars = max(across, down) * 100 > min(across, down) * 115
        part = hasBars ? picture : picture.fitting(width: tileWidth, height: tileHeight)
        place = hasBars ? tile.fitting(width: width, height: height) : tile
    }

    /// Whether scaling to the place makes the picture smaller both ways.
    var isReduction: Bool { place.width <= part.width && place.height <= part.height }
}
