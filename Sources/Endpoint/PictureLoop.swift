import Base
import Video

/// Pictures that the endpoint draws and encodes once, as a loop: 640×360 at 25/s.
enum PictureLoop {
    static let (width, height) = (640, 360)
    /// Of the corner that flashes, a part of the width and of the height.
    static let corner = 8
    /// Flashing pictures at the beginning of each second.
    static let flashing = 5

    /// Bars, a square that moves, a running number and the name; four seconds.
    static func moving(_ name: String) throws(CommandFailure) -> EncodedPictures {
        let pattern = TestPattern(.moving(name: name), width: width, height: height)
        return try encode(100, isAligned: false) { pattern.draw($0, into: $1) }
    }

    /// One colour; a second.
    static func still(_ rgb: UInt32) throws(CommandFailure) -> EncodedPictures {
        let pattern = TestPattern(.colour(rgb), width: width, height: height)
        return try encode(25, isAligned: false) { pattern.draw($0, into: $1) }
    }

    /// A dark picture whose upper left corner is white in the first 200 ms of each second. All key frames: none depends on one that was lost.
    static func marks(_ name: String) throws(CommandFailure) -> EncodedPictures {
        let pattern = TestPattern(.colour(0x20_3040), width: width, height: height)
        return try encode(25, isAligned: true) { number, picture in
            pattern.draw(number, into: picture)
            guard number < flashing else { return }
            picture.fill(Rectangle(x: 0, y: 0, width: width / corner & ~1, height: height / corner & ~1), with: YUVColour(rgb: 0xff_ffff))
        }
    }

    private static func encode(
        _ count: Int, isAligned: Bool, _ draw: (Int, Picture) -> Void
    ) throws(CommandFailure) -> EncodedPictures {
        let pool = PicturePool(capacity: 4)
        var frames: [(bytes: [UInt8], isKey: Bool)] = []
        do throws(VPXError) {
            var encoder = try VP8Encoder(width: width, height: height, framesPerSecond: 25, bitsPerSecond: 500_000)
            for number in 0..<count {
                let picture = pool.take(width: width, height: height)
                draw(number, picture)
                var bytes: [UInt8] = []
                let isKey = try encoder.encode(
                    picture, forceKey: isAligned || number == 0, timestamp: Int64(number) * 3_600, duration: 3_600, into: &bytes)
                frames.append((bytes, isKey))
            }
        } catch {
            throw CommandFailure(code: ExitCode.software, line: "The pictures cannot be encoded: \(error)")
        }
        return EncodedPictures(frames: frames, isAligned: isAligned)
    }
}

/// One decoder, shared by nobody.
final class PictureDecoder {
    private var decoder: VP8Decoder?
    private let pool = PicturePool(capacity: 4)

    init() {
        // Without memory for a decoder no picture is shown and none is counted.
        decoder = try? VP8Decoder()
    }

    func decode(_ frame: Span<UInt8>) throws(VPXError) -> Picture? { try decoder?.decode(frame, pool: pool) ?? nil }
}
