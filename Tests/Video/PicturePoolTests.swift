import Foundation
import Testing

@testable import Video

struct PicturePoolTests {
    @Test func `memory comes back with the last reference and is lent again for the same size`() {
        let pool = PicturePool(capacity: 2)
        var picture: Picture? = pool.take(width: 640, height: 360)
        let place = picture?.planes.y
        #expect(pool.idleCount == 0)
        picture = nil
        #expect(pool.idleCount == 1)
        let other = pool.take(width: 320, height: 180)
        #expect(other.planes.y != place)
        #expect(pool.take(width: 640, height: 360).planes.y == place)
    }

    @Test func `no more than the capacity is kept`() {
        let pool = PicturePool(capacity: 3)
        var lent: [Picture] = (0..<10).map { _ in pool.take(width: 64, height: 64) }
        lent.removeAll()
        #expect(pool.idleCount == 3)
    }

    @Test(arguments: [(1, 1, 2, 2), (641, 359, 642, 360), (-5, 0, 2, 2)])
    func `sides are even and planes are aligned`(width: Int, height: Int, evenWidth: Int, evenHeight: Int) {
        let picture = PicturePool().take(width: width, height: height)
        #expect(picture.width == evenWidth && picture.height == evenHeight)
        let planes = picture.planes
        for plane in [planes.y, planes.u, planes.v] { #expect(Int(bitPattern: plane) % 64 == 0) }
    }

    @Test func `a picture is written as PNG`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).png").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(Pictures.colour(0x123456, width: 64, height: 36).writePNG(to: path))
        let bytes = try Data(contentsOf: URL(filePath: path))
        #expect(bytes.prefix(4).elementsEqual([0x89, 0x50, 0x4e, 0x47]))
        #expect(!Pictures.colour(0, width: 2, height: 2).writePNG(to: "/nonexistent/x.png"))
    }
}
