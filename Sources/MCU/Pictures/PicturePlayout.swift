import Base

/// When each picture of a sender is to be shown, from its RTP timestamp and when it was whole. What comes in bursts, since a packet was mended or waited
/// somewhere, is shown as it was taken; the delay for that is what all but a few of the pictures need, and goes up and down slowly. Sans-IO.
struct PicturePlayout: Sendable {
    /// Later than this is shown as it comes.
    static let longest = Duration.milliseconds(400)
    /// A timestamp that lies so far off is another clock.
    private static let otherClock = Duration.seconds(1)
    private static let ticksPerSecond: Int64 = 90_000
    /// Lateness in steps; the part of pictures that the delay is for; how much of the past a picture takes away.
    private static let (step, part, forgets) = (Duration.milliseconds(10), 0.9, 0.018)
    /// The least transit is that of the last 5 to 10 s: clocks drift.
    private static let half = Duration.seconds(5)
    /// How fast the delay follows, for each picture.
    private static let (grows, shrinks) = (Duration.milliseconds(12), Duration.milliseconds(1))

    private var lateness = InlineArray<41, Double>(repeating: 0)
    private var last: (timestamp: UInt32, ticks: Int64)?
    private var (older, newer) = (Int64.max, Int64.max)
    private var began: Instant?
    /// What pictures are delayed by beyond the fastest.
    private(set) var delay = Duration.zero

    /// - Parameters:
    ///   - timestamp: RTP, 90 kHz.
    ///   - arrival: when the picture was whole.
    /// - Returns: when it is to be shown, never more than `longest` after `arrival`.
    mutating func due(timestamp: UInt32, arrival: Instant) -> Instant {
        let ticks = last.map { $0.ticks + Int64(Int32(bitPattern: timestamp &- $0.timestamp)) } ?? 0
        let transit = arrival.nanoseconds - ticks * 1_000_000_000 / Self.ticksPerSecond
        if let base, abs(transit - base) > Self.otherClock.nanoseconds {
            self = PicturePlayout()
            return due(timestamp: timestamp, arrival: arrival)
        }
        last = (timestamp, ticks)
        let start = began ?? arrival
        began = start
        if arrival - start > Self.half { (older, newer, began) = (newer, transit, arrival) }
        newer = min(newer, transit)
        let fastest = min(older, newer)
        follow(.nanoseconds(transit - fastest))
        return Instant(nanoseconds: max(arrival.nanoseconds, arrival.nanoseconds - transit + fastest + delay.nanoseconds))
    }

    private var base: Int64? { newer == .max && older == .max ? nil : min(older, newer) }

    private mutating func follow(_ late: Duration) {
        let place = min(lateness.count - 1, max(0, Int(late.nanoseconds / Self.step.nanoseconds)))
        var sum = 0.0
        for index in lateness.indices {
            lateness[index] *= 1 - Self.forgets
            if index == place { lateness[index] += Self.forgets }
            sum += lateness[index]
        }
        var (seen, needed) = (0.0, 0)
        for index in lateness.indices {
            seen += lateness[index]
            needed = index
            if seen >= sum * Self.part { break }
        }
        // Up to the beginning of the step: a beat does not look at a few milliseconds.
        let goal = min(Self.longest, Self.step * needed)
        delay = goal > delay ? min(goal, delay + Self.grows) : max(goal, delay - Self.shrinks)
    }
}
