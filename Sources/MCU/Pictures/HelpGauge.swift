import RTP

/// Whether a meeting's picture is worth more than one thread. A thread that is woken for a share of it brings the share to another core's caches, and costs
/// a twentieth of all work on pictures (docs/decisions/picture-stages.md): as long as one thread has time to spare, one does it all.
struct HelpGauge: Sendable {
    /// Of the time between two pictures: above the first help is called for, below the second no longer.
    private static let (most, least) = (0.5, 0.4)
    /// The weight of the newest picture.
    private static let weight = 0.25

    private(set) var isNeeded = false
    /// Seconds of work for a picture, of late.
    private var usual = 0.0

    /// A picture took `work`, on however many threads, and there was `interval` for it.
    mutating func note(_ work: Duration, interval: Duration) {
        usual += (work.seconds - usual) * Self.weight
        isNeeded = usual > interval.seconds * (isNeeded ? Self.least : Self.most)
    }
}
