import Foundation

@testable import Video

/// Pictures and measures for the tests of this room.
enum Pictures {
    static func colour(_ rgb: UInt32, width: Int = 640, height: Int = 360) -> Picture {
        let picture = Picture(width: width, height: height)
        picture.fill(picture.bounds, with: YUVColour(rgb: rgb))
        return picture
    }

    static func tile(_ name: String, _ picture: Picture?, isSpeaking: Bool = false, isMuted: Bool = false) -> TileContent {
        TileContent(id: UUID(), name: name, picture: picture, isSpeaking: isSpeaking, isMuted: isMuted)
    }

    /// The visible bytes of all planes, without what lies between rows.
    static func samples(_ picture: Picture) -> [UInt8] {
        picture.withPlanes { y, u, v in
            var bytes: [UInt8] = []
            for row in 0..<picture.height { for x in 0..<picture.width { bytes.append(y[row * picture.strideY + x]) } }
            for row in 0..<picture.height / 2 {
                for x in 0..<picture.width / 2 { bytes += [u[row * picture.strideUV + x], v[row * picture.strideUV + x]] }
            }
            return bytes
        }
    }

    /// As a Bool, so that a failed expectation does not print the difference of a million numbers.
    static func areEqual(_ one: Picture, _ other: Picture) -> Bool { samples(one) == samples(other) }

    /// Peak signal to noise over the luma plane, decibels.
    static func psnr(_ one: Picture, _ other: Picture) -> Double { one.psnr(against: other) }

    static func isNear(_ one: YUVColour?, _ other: YUVColour, by distance: Int = 6) -> Bool {
        guard let one else { return false }
        return abs(Int(one.y) - Int(other.y)) <= distance && abs(Int(one.u) - Int(other.u)) <= distance
            && abs(Int(one.v) - Int(other.v)) <= distance
    }
}
