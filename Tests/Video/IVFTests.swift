import Foundation
import TestSupport
import Testing

@testable import Video

struct IVFTests {
    static let media = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Sources/Endpoint/media")

    @Test(arguments: ["clip-person-360p", "clip-pattern-180p", "clip-zoom-360p"])
    func `a clip is read and every frame decodes to its size`(name: String) throws {
        let file = try IVFReader(parsing: [UInt8](Data(contentsOf: Self.media.appending(path: name + ".ivf"))))
        let pool = PicturePool()
        var decoder = try VP8Decoder()
        #expect(file.count > 50 && file.timebase.numerator > 0)
        for index in 0..<min(file.count, 60) {
            let picture = try file.withFrame(index) { frame in try decoder.decode(frame, pool: pool) }
            #expect(picture?.width == file.width && picture?.height == file.height)
        }
    }

    @Test func `frames come with their times, and around again`() throws {
        let file = try IVFReader(parsing: Self.file(frames: [[1, 2, 3], [4], [5, 6]]))
        #expect(file.count == 3 && file.width == 320 && file.height == 180)
        #expect(file.timebase == (numerator: 1, denominator: 25))
        #expect(Array(file.frame(1).bytes) == [4] && file.frame(2).timestamp == 2)
        #expect(Array(file.frame(4).bytes) == [4] && Array(file.frame(-1).bytes) == [5, 6])
    }

    @Test func `what is cut off or no IVF of VP8 is refused`() {
        let good = Self.file(frames: [[1, 2, 3], [4]])
        for length in 0..<good.count where length != 32 + 15 {
            #expect(throws: IVFError.self) { try IVFReader(parsing: Array(good[..<length])) }
        }
        for place in [0, 4, 8, 6] {
            var bad = good
            bad[place] ^= 0x1f
            #expect(throws: IVFError.self) { try IVFReader(parsing: bad) }
        }
        #expect(throws: IVFError.empty) { try IVFReader(parsing: Array(good[..<32])) }
    }

    static func file(frames: [[UInt8]]) -> [UInt8] {
        func little(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        var file = Array("DKIF".utf8) + little(0, 2) + little(32, 2) + Array("VP80".utf8) + little(320, 2) + little(180, 2)
        file += little(25, 4) + little(1, 4) + little(frames.count, 4) + little(0, 4)
        for (index, frame) in frames.enumerated() { file += little(frame.count, 4) + little(index, 8) + frame }
        return file
    }
}
