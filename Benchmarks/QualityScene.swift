import Endpoint
import Foundation
import RTP
import Video

/// What a meeting's canvas shows in `make bench CASE=quality`. Drawn as the server draws it, by a compositor.
struct QualityScene {
    let name: String
    /// Which part of the canvas is cut out to be looked at, and of which picture.
    let crop: Rectangle
    let cropAt: Int
    /// Letters of 12 pixels, and the picture a second after they came; nil where the scene has none.
    var text: (part: Rectangle, at: Int)?
    /// What the tiles show in picture `number`.
    let tiles: (_ number: Int) throws -> [TileContent]

    /// Pictures of each scene, 25 a second; and those at its start that are not measured, in which the rate settles.
    static let (count, settling) = (175, 25)

    static func all() throws -> [QualityScene] {
        let large = try Clip(named: "clip-person-720p.ivf", otherwise: "clip-person-360p.ivf")
        let small = try Clip(named: "clip-person-360p.ivf", otherwise: nil).pictures(count: 250)
        return [
            persons(1, try large.pictures(count: count)), persons(9, small), persons(25, small), try dimRoom(large), try pan(), try slide(),
        ]
    }

    private static let names = ["Đắk Lắk", "Hà Giang", "Cà Mau", "Lai Châu", "Sóc Trăng", "Huế", "Điện Biên", "Cần Thơ", "Quảng Ngãi"]

    /// Persons who do not move alike: each is elsewhere in the clip.
    private static func persons(_ count: Int, _ pictures: [Picture]) -> QualityScene {
        let ids = (0..<count).map { _ in UUID() }
        let crop = Rectangle(x: count == 1 ? 560 : 540, y: count == 1 ? 240 : 290, width: 128, height: 96)
        return QualityScene(name: count == 1 ? "1 person" : "\(count) persons", crop: crop, cropAt: 150) { number in
            ids.indices.map { index in
                TileContent(
                    id: ids[index], name: names[index % names.count], picture: pictures[(number + 67 * index) % pictures.count],
                    isSpeaking: count > 1 && index == 0, isMuted: index % 4 == 3)
            }
        }
    }

    private static func alone(_ picture: Picture, _ id: UUID) -> [TileContent] {
        [TileContent(id: id, name: "", picture: picture, isSpeaking: false, isMuted: false)]
    }

    /// The person in a third of the light, and a sensor that is turned up: other noise in each picture.
    private static func dimRoom(_ clip: Clip) throws -> QualityScene {
        let id = UUID()
        let pictures = try clip.pictures(count: count)
        let grain = Grain(seed: 4)
        return QualityScene(name: "dim room", crop: Rectangle(x: 480, y: 160, width: 128, height: 96), cropAt: 150) { number in
            let dim = Picture(width: pictures[number].width, height: pictures[number].height)
            dim.copy(from: pictures[number])
            grain.darken(dim, number: number)
            return alone(dim, id)
        }
    }

    /// A camera that goes along a wall of books, leaves and small print, faster and slower, by thirds of a pixel.
    private static func pan() throws -> QualityScene {
        let id = UUID()
        let wall = try Wall.draw(width: 3_840, seed: 7)
        return QualityScene(name: "pan", crop: Rectangle(x: 540, y: 260, width: 128, height: 96), cropAt: 150) { number in
            // Pixels of the canvas.
            let x = 2.5 * Double(number) + 15 * (1 - cos(Double(number) * 0.12))
            let y = 10 + 7 * sin(Double(number) * 0.05)
            let scale = Wall.scale
            let picture = try wall.picture(
                x: Int(x * Double(scale)), y: Int(y * Double(scale)), width: 1_280 * scale, height: 720 * scale, as: (1_280, 720))
            return alone(picture, id)
        }
    }

    /// Two pages of a shared screen, turned in the middle.
    private static func slide() throws -> QualityScene {
        let id = UUID()
        let pages = try [Page.first, Page.second].map { try $0.draw().picture(x: 0, y: 0, width: 1_280, height: 720, as: (1_280, 720)) }
        let turned = 75
        var scene = QualityScene(name: "slide", crop: Rectangle(x: 60, y: 114, width: 184, height: 72), cropAt: turned + 25) { number in
            alone(pages[number < turned ? 0 : 1], id)
        }
        scene.text = (Page.smallPrint, turned + 25)
        return scene
    }
}

/// A clip of IVF, decoded.
private struct Clip {
    let file: IVFReader

    /// - Parameter name: looked for in the folder that NHIPCAU_MEDIA names, in ../shared/media and among the bundled ones; then `other` is.
    init(named name: String, otherwise other: String?) throws {
        let folders = [ProcessInfo.processInfo.environment["NHIPCAU_MEDIA"], "../shared/media"].compactMap { $0 }
        let found = folders.map { "\($0)/\(name)" }.first { FileManager.default.isReadableFile(atPath: $0) }
        guard let path = found ?? HeadlessEndpoint.bundledMedia(name) else {
            guard let other else { throw BenchError(description: "the clip \(name) is not installed; NHIPCAU_MEDIA may name its folder") }
            say("quality: \(name) is not there, \(other) stands in for it; NHIPCAU_MEDIA may name its folder")
            self = try Clip(named: other, otherwise: nil)
            return
        }
        file = try IVFReader(parsing: [UInt8](Data(contentsOf: URL(filePath: path))))
    }

    func pictures(count: Int) throws -> [Picture] {
        var decoder = try VP8Decoder()
        let pool = PicturePool()
        return try (0..<count).map { index in
            guard let picture = try file.withFrame(index, { try decoder.decode($0, pool: pool) }) else {
                throw BenchError(description: "the clip has a frame that is not shown")
            }
            return picture
        }
    }
}
