import Base
import RTP
import Video

/// Finds the flashing corner of `--video marks` in received pictures, and how late each flash came. A flash begins with each second of the machine's clock.
struct FlashMarks {
    private static let most = 1_000
    /// Of luma: halfway between the dark ground and white.
    private static let threshold = 128
    private(set) var latencies: [Double] = []
    private var wasBright = true

    mutating func take(_ picture: Picture, arrival: Instant) {
        let isBright = Self.cornerLuma(picture) > Self.threshold
        defer { wasBright = isBright }
        guard isBright, !wasBright, latencies.count < Self.most else { return }
        latencies.append(Double(arrival.nanoseconds % 1_000_000_000) / 1e6)
    }

    /// The middle of the corner, where the only tile of a composed picture has it as well.
    private static func cornerLuma(_ picture: Picture) -> Int {
        let (x, y) = (picture.width / (2 * PictureLoop.corner), picture.height / (2 * PictureLoop.corner))
        return picture.pixel(x, y).map { Int($0.y) } ?? 0
    }
}
