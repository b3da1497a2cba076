import Base
import RTP

/// What a meeting's pictures give up when the machine is too slow, and when they get it back. First senders are asked for smaller pictures, which saves what is dearest,
/// decoding; then pictures become fewer and stay evenly spaced: 25, 16.7, then 10 a second. When there was time for a while, the other way round. Sound has a
/// thread of its own and goes before.
struct FramePace: Sendable {
    /// Between two pictures: whole ticks of sound, so that a picture's beat is one of them.
    static let intervals: [Duration] = [.milliseconds(40), .milliseconds(60), .milliseconds(100)]
    static let mostThrift = 2
    /// Beats missed, less the good ones between them, for the next step down.
    private static let mostPressure = 8.0
    /// Until smaller pictures arrive, it is too early to judge.
    private static let grace = Duration.seconds(1)
    /// How long there must have been time for the next step up; twice as long after each attempt that failed soon.
    private static let (patience, mostPatience) = (Duration.milliseconds(2_500), Duration.seconds(80))

    /// Of all that can be given up, smaller sources first.
    private var steps = 0
    private var pressure = 0.0
    private var patience = FramePace.patience
    /// Since when pictures would have been done in time one step up; now and then one may take longer.
    private var easySince: Instant?
    private var strain = 0.0
    private static let mostStrain = 3.0
    private var raised: Instant?
    private var graceEnds: Instant?

    /// How many rungs fewer lines senders are asked for (`WantedLines`).
    var thrift: Int { min(steps, Self.mostThrift) }
    /// 0 is the full rate.
    var level: Int { max(0, steps - Self.mostThrift) }
    var isShort: Bool { steps > 0 }
    var interval: Duration { Self.intervals[level] }
    var picturesPerSecond: Double { 1 / interval.seconds }

    /// Whether the tick at `instant` has a picture: all meetings of one rate have theirs at the same ticks.
    func isDue(_ instant: Instant) -> Bool { instant.nanoseconds % interval.nanoseconds == 0 }

    /// A beat came while the pictures of the last ones were still to be made.
    mutating func missed(now: Instant) {
        easySince = nil
        if let graceEnds, now < graceEnds { return }
        pressure += 1
        guard pressure >= Self.mostPressure, level + 1 < Self.intervals.count else { return }
        if let raised, now - raised < patience { patience = min(patience + patience, Self.mostPatience) }
        raised = nil
        steps += 1
        guard level == 0 else { return pressure = 0 }
        // What smaller sources do not mend is mended by fewer pictures, and soon.
        pressure = Self.mostPressure / 2
        graceEnds = now + Self.grace
    }

    /// A picture was handed over `delay` after its beat.
    mutating func finished(after delay: Duration, now: Instant) {
        pressure = max(0, pressure - 0.1)
        guard steps > 0 else { return }
        // With some room: three quarters of the time there would be; with full sources a picture may take twice as long as it does.
        let room = level > 0 ? Self.intervals[level - 1] * 3 / 4 : interval / 2
        strain = delay < room ? max(0, strain - 0.05) : strain + 1
        guard strain < Self.mostStrain else {
            strain = Self.mostStrain
            return easySince = nil
        }
        guard delay < room else { return }
        let since = easySince ?? now
        easySince = since
        guard now - since >= patience else { return }
        if let raised, now - raised >= patience { patience = Self.patience }
        steps = level > 0 ? steps - 1 : 0
        pressure = 0
        raised = now
        easySince = nil
    }
}
