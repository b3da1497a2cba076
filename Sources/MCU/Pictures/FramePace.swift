import Base
import RTP

/// How many pictures a second a meeting gets. When the machine is too slow they become fewer, and stay evenly spaced: 25, 16.7, then 10 a second; when it has
/// had time for a while, more again. Sound has a thread of its own and goes before.
struct FramePace: Sendable {
    /// Between two pictures: whole ticks of sound, so that a picture's beat is one of them.
    static let intervals: [Duration] = [.milliseconds(40), .milliseconds(60), .milliseconds(100)]
    /// Beats missed, less the good ones between them, that make the rate go down.
    private static let mostPressure = 8.0
    /// How long there must have been time for the next higher rate; twice as long after each attempt that failed soon.
    private static let (patience, mostPatience) = (Duration.seconds(5), Duration.seconds(80))

    /// 0 is the full rate.
    private(set) var level = 0
    private var pressure = 0.0
    private var patience = FramePace.patience
    /// Since when every picture would have been done in time at the next higher rate.
    private var easySince: Instant?
    private var raised: Instant?

    var interval: Duration { Self.intervals[level] }
    var picturesPerSecond: Double { 1 / interval.seconds }

    /// Whether the tick at `instant` has a picture: all meetings of one rate have theirs at the same ticks.
    func isDue(_ instant: Instant) -> Bool { instant.nanoseconds % interval.nanoseconds == 0 }

    /// A beat came while the pictures of the last ones were still to be made.
    mutating func missed(now: Instant) {
        easySince = nil
        pressure += 1
        guard pressure >= Self.mostPressure, level + 1 < Self.intervals.count else { return }
        if let raised, now - raised < patience { patience = min(patience + patience, Self.mostPatience) }
        (level, pressure, raised) = (level + 1, 0, nil)
    }

    /// A picture was handed over `delay` after its beat.
    mutating func finished(after delay: Duration, now: Instant) {
        pressure = max(0, pressure - 0.1)
        guard level > 0 else { return }
        // With some room: three quarters of the time there would be.
        guard delay < Self.intervals[level - 1] * 3 / 4 else { return easySince = nil }
        let since = easySince ?? now
        easySince = since
        guard now - since >= patience else { return }
        if let raised, now - raised >= patience { patience = Self.patience }
        (level, pressure, raised, easySince) = (level - 1, 0, now, nil)
    }
}
