import Foundation
import Testing

@testable import Video

struct LabelTests {
    static let provinces = ["Đắk Lắk", "Thừa Thiên Huế", "Bà Rịa – Vũng Tàu", "Quảng Ngãi", "Hồ Chí Minh", "Sóc Trăng"]

    @Test(arguments: provinces)
    func `both spellings of a Vietnamese name give the same pixels`(name: String) throws {
        let (composed, decomposed) = (name.precomposedStringWithCanonicalMapping, name.decomposedStringWithCanonicalMapping)
        #expect(composed.unicodeScalars.count < decomposed.unicodeScalars.count)
        for isMuted in [false, true] {
            // Two renderers: one would find the other spelling among what it keeps.
            let one = try #require(LabelRenderer().label(composed, isMuted: isMuted, tileWidth: 420, tileHeight: 236))
            let other = try #require(LabelRenderer().label(decomposed, isMuted: isMuted, tileWidth: 420, tileHeight: 236))
            #expect(Pictures.areEqual(one.picture, other.picture))
            #expect(Pictures.areEqual(one.alpha, other.alpha))
        }
        let cards = try [composed, decomposed].map { try #require(LabelRenderer().card($0, width: 420, height: 236)) }
        #expect(Pictures.areEqual(cards[0].picture, cards[1].picture))
    }

    @Test func `different names look different`() throws {
        let labels = try Self.provinces.map { try #require(LabelRenderer().label($0, isMuted: false, tileWidth: 420, tileHeight: 236)) }
        #expect(Set(labels.map { Pictures.samples($0.alpha) + Pictures.samples($0.picture) }).count == labels.count)
    }

    @Test(arguments: [(1_280, 720), (420, 236), (248, 138), (178, 100), (96, 54), (48, 32)], [false, true])
    func `a long name is elided inside its tile`(tile: (width: Int, height: Int), isMuted: Bool) {
        let name = String(repeating: "Ủy ban nhân dân huyện Nguyễn Bỉnh Khiêm ", count: 40)
        let margin = LabelRenderer.margin(tileHeight: tile.height)
        guard let label = LabelRenderer().label(name, isMuted: isMuted, tileWidth: tile.width, tileHeight: tile.height) else {
            #expect(tile.width < 60)
            return
        }
        #expect(label.width <= tile.width - 2 * margin && label.height <= tile.height - margin)
        #expect(label.width > tile.width - 2 * margin - 40)
    }

    @Test(arguments: [(1_280, 720), (420, 236), (248, 138), (178, 100), (96, 54)])
    func `a card says why there is no picture, below the name and apart from it`(tile: (width: Int, height: Int)) throws {
        let plain = try #require(LabelRenderer().card("Lai Châu", width: tile.width, height: tile.height))
        let noted = try #require(LabelRenderer().card("Lai Châu", note: "Mất tín hiệu", width: tile.width, height: tile.height))
        #expect(noted.width == tile.width && noted.height == tile.height)
        #expect(!Pictures.areEqual(plain.picture, noted.picture))
        let renderer = LabelRenderer()
        _ = renderer.card("Lai Châu", width: tile.width, height: tile.height)
        let kept = try #require(renderer.card("Lai Châu", note: "Mất tín hiệu", width: tile.width, height: tile.height))
        #expect(Pictures.areEqual(kept.picture, noted.picture), "what is kept is told apart by the note")
    }

    @Test func `labels touch nothing outside their tiles`() {
        let long = String(repeating: "Đắk Nông và Đắk Lắk ", count: 9)
        for kind in [LayoutKind.grid, .speaker] {
            for count in [2, 13, 25] {
                let tiles = (0..<count).map { Pictures.tile(long, $0 % 3 == 0 ? nil : Pictures.colour(0x606060), isMuted: $0 % 2 == 0) }
                let canvas = Compositor().compose(tiles, layout: kind, waitingText: "").canvas
                let places = Layout.tiles(kind, count: count, canvasWidth: 1_280, canvasHeight: 720)
                let ground = YUVColour(rgb: Palette.canvas)
                for y in stride(from: 0, to: 720, by: 1) {
                    for x in stride(from: 0, to: 1_280, by: 3)
                    where !places.contains(where: { $0.x <= x && x < $0.maxX && $0.y <= y && y < $0.maxY }) {
                        if canvas.pixel(x, y) != ground { Issue.record("\(kind) \(count): \(x), \(y)") }
                    }
                }
            }
        }
    }

    @Test func `controls, line breaks and direction overrides in a name do no harm`() throws {
        #expect(DisplayName.cleaned("  Hà\n\tGiang\u{0}\u{202e}\u{7f}  ") == "Hà Giang")
        #expect(DisplayName.cleaned("\u{2028}\u{200b}") == "")
        #expect(DisplayName.cleaned(String(repeating: "ạ", count: 10_000)).unicodeScalars.count == DisplayName.mostScalars)
        let plain = try #require(LabelRenderer().label("Hà Giang", isMuted: false, tileWidth: 300, tileHeight: 170))
        let hostile = try #require(LabelRenderer().label("Hà\r\nGiang\u{1b}", isMuted: false, tileWidth: 300, tileHeight: 170))
        #expect(Pictures.areEqual(plain.picture, hostile.picture))
        let marks = "a" + String(repeating: "\u{0301}", count: 500)
        #expect(LabelRenderer().label(marks, isMuted: false, tileWidth: 300, tileHeight: 170).map { $0.height < 60 } ?? false)
    }

    @Test func `a name card has the letters of the first and the last word`() {
        #expect(DisplayName.initials("Bà Rịa – Vũng Tàu") == "BT")
        #expect(DisplayName.initials("đắk lắk") == "ĐL")
        #expect(DisplayName.initials("Huế") == "H")
        #expect(DisplayName.initials("– …") == "")
    }

    @Test func `who is muted without a name still has a mark`() throws {
        #expect(LabelRenderer().label("", isMuted: false, tileWidth: 300, tileHeight: 170) == nil)
        let mark = try #require(LabelRenderer().label("", isMuted: true, tileWidth: 300, tileHeight: 170))
        #expect(mark.width < 60 && Pictures.samples(mark.picture).max() ?? 0 > 120)
    }

    @Test func `drawings of names that are gone are forgotten, those in use are kept`() {
        let labels = LabelRenderer()
        for round in 0..<3 * LabelRenderer.mostRounds {
            labels.nextRound()
            if round % 10 == 0 { _ = labels.card("Khách \(round)", width: 64, height: 36) }
            if round % 100 == 0 { _ = labels.label("Hà Giang", isMuted: false, tileWidth: 300, tileHeight: 170) }
        }
        #expect(labels.keptCount > 1 && labels.keptCount <= 2 * LabelRenderer.mostRounds / 10 + 1)
    }
}
