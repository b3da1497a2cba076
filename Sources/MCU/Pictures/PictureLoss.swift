import Base

/// Whether the last picture of a sender is shown on, or its name card. Without flicker: a card that came since pictures stopped goes with the first new picture, or
/// when the old one has been known to be what its sender shows for a while; a line that is mended and broken again does not turn it back and forth.
struct PictureLoss {
    /// How long the line must have been whole before an old picture is believed again.
    static let calm = Duration.seconds(2)

    /// Pictures are missing that should come.
    private(set) var isLost = false
    /// When the picture was last found to be neither new nor what its sender still shows; nil while it is shown.
    private var broken: Instant?

    /// - Parameters:
    ///   - isCurrent: the picture is new enough, whatever the line is like.
    ///   - isStill: or it is known to be what the sender still shows.
    ///   - isExpected: the sender was asked for pictures, long enough ago.
    /// - Returns: whether the picture is shown.
    mutating func keeps(isCurrent: Bool, isStill: Bool, isExpected: Bool, now: Instant) -> Bool {
        if isCurrent {
            self = PictureLoss()
            return true
        }
        guard isStill else {
            broken = now
            isLost = isExpected
            return false
        }
        guard let broken else { return true }
        guard now - broken >= Self.calm else { return false }
        self = PictureLoss()
        return true
    }
}
