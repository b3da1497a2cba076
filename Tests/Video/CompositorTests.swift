import RTP
import Testing

@testable import Video

struct CompositorTests {
    let colours: [UInt32] = [
        0xc03030, 0x30c030, 0x3030c0, 0xc0c030, 0x30c0c0, 0xc030c0, 0x808080, 0xc08030, 0x3080c0, 0x80c030, 0x8030c0, 0xe0e0e0,
    ]

    @Test(arguments: [LayoutKind.one, .grid, .speaker], [1, 2, 5, 12])
    func `every colour stands where the layout says`(kind: LayoutKind, count: Int) {
        let compositor = Compositor()
        let tiles = colours.prefix(count).map { Pictures.tile("Điểm cầu", Pictures.colour($0)) }
        let canvas = compositor.compose(tiles, layout: kind, waitingText: "").canvas
        let places = Layout.tiles(kind, count: count, canvasWidth: 1_280, canvasHeight: 720)
        for (place, rgb) in zip(places, colours) {
            for (x, y) in [
                (place.x + 4, place.y + 4), (place.x + place.width / 2, place.y + place.height / 2), (place.maxX - 5, place.y + 5),
            ] {
                #expect(Pictures.isNear(canvas.pixel(x, y), YUVColour(rgb: rgb)))
            }
        }
    }

    @Test func `an unchanged meeting says so, and a changed tile is drawn`() {
        let compositor = Compositor()
        var tiles = [Pictures.tile("A", Pictures.colour(0xc03030)), Pictures.tile("B", Pictures.colour(0x30c030))]
        #expect(compositor.compose(tiles, layout: .grid, waitingText: "").isChanged)
        #expect(!compositor.compose(tiles, layout: .grid, waitingText: "").isChanged)
        tiles[0].picture = Pictures.colour(0x3030c0)
        let before = Pictures.samples(compositor.compose([tiles[1], tiles[1]], layout: .grid, waitingText: "").canvas)
        let second = compositor.compose(tiles, layout: .grid, waitingText: "")
        let isNew = Pictures.samples(second.canvas) != before
        #expect(second.isChanged && isNew)
    }

    @Test(arguments: [(640, 360), (480, 480), (640, 400), (320, 180), (1_280, 720)])
    func `a picture scaled as it is decoded looks as one scaled on the canvas`(width: Int, height: Int) throws {
        let pattern = TestPattern(.moving(name: "Huế"), width: width, height: height)
        let pool = PicturePool()
        var encoder = try VP8Encoder(width: width, height: height, framesPerSecond: 25, bitsPerSecond: 2_000_000)
        var bytes: [UInt8] = []
        _ = try encoder.encode(pattern.picture(3, pool: pool), forceKey: true, timestamp: 0, duration: 3_600, into: &bytes)
        var whole = try VP8Decoder()
        var fitted = try VP8Decoder()
        var ring = PictureRing()
        let tile = Layout.tiles(.grid, count: 25, canvasWidth: 1_280, canvasHeight: 720)[0]
        let small = try #require(try fitted.decode(bytes.span, tile: (tile.width, tile.height), ring: &ring))
        #expect(small.width == width && small.height == height)
        let reduced = width * height > tile.width * tile.height
        #expect(!reduced || small.picture.width <= tile.width && small.picture.height <= tile.height)
        let picture = try #require(try whole.decode(bytes.span, pool: pool))
        let (one, other) = (Compositor(), Compositor())
        var tiles = (0..<25).map { _ in Pictures.tile("", nil) }
        tiles[7].picture = small.picture
        let atDecoder = one.compose(tiles, layout: .grid, waitingText: "").canvas
        tiles[7].picture = picture
        let onCanvas = other.compose(tiles, layout: .grid, waitingText: "").canvas
        #expect(Pictures.psnr(atDecoder, onCanvas) > 34)
    }

    @Test func `what is drawn in steps is what is drawn at once`() {
        let (stepwise, atOnce) = (Compositor(), Compositor())
        var tiles = colours.prefix(6).map { Pictures.tile("Huế", Pictures.colour($0)) }
        _ = stepwise.compose(tiles, layout: .grid, waitingText: "")
        tiles[1].isSpeaking = true
        tiles[2].isMuted = true
        tiles[3].picture = nil
        _ = stepwise.compose(tiles, layout: .speaker, waitingText: "")
        tiles[4].name = "Thừa Thiên Huế"
        _ = stepwise.compose(tiles, layout: .grid, waitingText: "")
        tiles[1].isSpeaking = false
        tiles[2].isMuted = false
        tiles[5].picture = Pictures.colour(0x101010, width: 480, height: 480)
        let canvas = stepwise.compose(tiles, layout: .grid, waitingText: "").canvas
        #expect(Pictures.areEqual(canvas, atOnce.compose(tiles, layout: .grid, waitingText: "").canvas))
    }

    @Test func `without a picture the tile is a card with the name, in the same colour each time`() throws {
        let compositor = Compositor()
        let canvas = compositor.compose([Pictures.tile("Đắk Lắk", nil)], layout: .grid, waitingText: "").canvas
        let background = YUVColour(rgb: Palette.card(for: "Đắk Lắk").background)
        #expect(Pictures.isNear(canvas.pixel(10, 10), background) && Pictures.isNear(canvas.pixel(1_270, 710), background))
        let bright = try brightBounds(canvas, in: canvas.bounds)
        #expect(bright.x > 300 && bright.maxX < 980 && bright.width > 100 && bright.height > 100)
    }

    @Test func `nobody to show is a card that says so, and it goes when somebody comes`() throws {
        let compositor = Compositor()
        let waiting = compositor.compose([], layout: .grid, waitingText: "Đang chờ các điểm cầu…").canvas
        let text = try brightBounds(waiting, in: waiting.bounds)
        #expect(text.width > 300 && abs(text.x + text.width / 2 - 640) < 8 && abs(text.y + text.height / 2 - 360) < 30)
        let canvas = compositor.compose([Pictures.tile("", Pictures.colour(0x30c030))], layout: .grid, waitingText: "Đang chờ").canvas
        #expect(Pictures.isNear(canvas.pixel(640, 360), YUVColour(rgb: 0x30c030)))
    }

    @Test func `who speaks has a border, and loses it`() {
        let compositor = Compositor()
        var tiles = colours.prefix(4).map { Pictures.tile("Huế", Pictures.colour($0)) }
        tiles[2].isSpeaking = true
        let place = Layout.tiles(.grid, count: 4, canvasWidth: 1_280, canvasHeight: 720)[2]
        let edges = [
            (place.x, place.y), (place.maxX - 1, place.y), (place.x, place.maxY - 1), (place.maxX - 1, place.maxY - 1),
            (place.x + place.width / 2, place.y + 1), (place.maxX - 2, place.y + place.height / 2),
        ]
        let canvas = compositor.compose(tiles, layout: .grid, waitingText: "").canvas
        for (x, y) in edges { #expect(Pictures.isNear(canvas.pixel(x, y), YUVColour(rgb: Palette.accent))) }
        #expect(!Pictures.isNear(canvas.pixel(place.x + 9, place.y + 9), YUVColour(rgb: Palette.accent)))
        tiles[2].isSpeaking = false
        let quiet = compositor.compose(tiles, layout: .grid, waitingText: "").canvas
        for (x, y) in edges { #expect(Pictures.isNear(quiet.pixel(x, y), YUVColour(rgb: colours[2]))) }
    }

    @Test func `near proportions fill the tile, others stand between black bars`() {
        let compositor = Compositor()
        let nearly = compositor.compose(
            [Pictures.tile("", Pictures.colour(0xc03030, width: 640, height: 400))], layout: .one, waitingText: ""
        ).canvas
        #expect(Pictures.isNear(nearly.pixel(1, 1), YUVColour(rgb: 0xc03030)))
        let square = compositor.compose(
            [Pictures.tile("", Pictures.colour(0xc03030, width: 480, height: 480))], layout: .one, waitingText: ""
        ).canvas
        #expect(Pictures.isNear(square.pixel(100, 360), .black) && Pictures.isNear(square.pixel(1_180, 360), .black))
        #expect(Pictures.isNear(square.pixel(300, 5), YUVColour(rgb: 0xc03030)))
        #expect(Pictures.isNear(square.pixel(980, 715), YUVColour(rgb: 0xc03030)))
    }

    @Test(arguments: TierTable.usual.tiers)
    func `a tier is the canvas in its size`(tier: Tier) {
        let compositor = Compositor()
        _ = compositor.compose(colours.prefix(4).map { Pictures.tile("", Pictures.colour($0)) }, layout: .grid, waitingText: "")
        let scaled = compositor.scaled(to: tier)
        #expect(scaled.width == tier.width && scaled.height == tier.height)
        #expect(Pictures.isNear(scaled.pixel(tier.width / 4, tier.height / 4), YUVColour(rgb: colours[0])))
        #expect(Pictures.isNear(scaled.pixel(tier.width * 3 / 4, tier.height * 3 / 4), YUVColour(rgb: colours[3])))
    }

    /// Where the bright pixels are: what is written on dark cards.
    private func brightBounds(_ picture: Picture, in area: Rectangle) throws -> Rectangle {
        var (left, top, right, bottom) = (Int.max, Int.max, -1, -1)
        for y in area.y..<area.maxY {
            for x in area.x..<area.maxX where (picture.pixel(x, y)?.y ?? 0) > 180 {
                (left, top, right, bottom) = (min(left, x), min(top, y), max(right, x), max(bottom, y))
            }
        }
        try #require(right >= 0)
        return Rectangle(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
    }
}
