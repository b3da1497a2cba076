import Base
import Foundation
import Video

/// The loop that endpoints send, in each size that was asked for: scaled and encoded once, in the background, for all who send it.
final class PictureShelf: Sendable {
    let original: EncodedPictures
    private struct Sizes {
        var made: [Int: EncodedPictures] = [:]
        var inWork: Set<Int> = []
    }
    private let sizes = Guarded(Sizes())

    init(_ original: EncodedPictures) { self.original = original }

    /// - Parameter wanted: lines.
    /// - Returns: the loop in that size, never larger than it is; nil while it is being made.
    func pictures(lines wanted: Int) -> EncodedPictures? {
        let lines = wanted & ~1
        guard lines >= 2, lines < original.height else { return original }
        let (made, begins): (EncodedPictures?, Bool) = sizes.withLock { sizes in
            guard let made = sizes.made[lines] else { return (nil, sizes.inWork.insert(lines).inserted) }
            return (made, false)
        }
        if begins {
            let thread = Thread { [self] in make(lines) }
            thread.name = "scaling"
            thread.start()
        }
        return made
    }

    private func make(_ lines: Int) {
        // What cannot be scaled is sent as it is: the server scales it for itself.
        let scaled = (try? original.scaled(to: lines)) ?? original
        sizes.withLock { sizes in
            sizes.made[lines] = scaled
            sizes.inWork.remove(lines)
        }
    }
}

extension EncodedPictures {
    /// The same loop with fewer lines: as many frames, with key frames in the same places.
    /// - Throws: what libvpx says of it.
    func scaled(to lines: Int) throws(VPXError) -> EncodedPictures {
        let width = max(2, self.width * lines / height & ~1)
        var decoder = try VP8Decoder()
        var ring = PictureRing()
        var encoder: VP8Encoder?
        var frames: [(bytes: [UInt8], isKey: Bool)] = []
        let ticks = Int(interval.nanoseconds * 90 / 1_000_000)
        // A smaller picture takes rather more bits for each pixel.
        let share = Double(width * lines) / Double(self.width * height)
        let bits = max(60_000, Int(Double(bitsPerSecond) * share.squareRoot() * share.squareRoot().squareRoot()))
        for index in 0..<count {
            let frame = self[index]
            guard let picture = try decoder.decode(frame.span, tile: (width, lines), ring: &ring)?.picture else {
                throw .emptyFrame
            }
            if encoder == nil {
                encoder = try VP8Encoder(
                    width: picture.width, height: picture.height, framesPerSecond: 1 / interval.seconds, bitsPerSecond: bits)
            }
            var bytes: [UInt8] = []
            let isKey = try encoder?.encode(
                picture, forceKey: isKey(index), timestamp: Int64(index * ticks), duration: ticks, into: &bytes)
            frames.append((bytes, isKey ?? false))
        }
        return EncodedPictures(frames: frames, interval: interval, isAligned: isAligned)
    }
}
