import Base

/// Whether the line to a peer lives, as far as what comes from it tells: anything that only the peer can have sent counts.
///
/// A sender of sound or moving pictures is missed after two seconds. One whose picture stands still says something now and then only: a report each
/// second, or each five (RFC 3550 §6.2). How long its pauses are is learnt from the last few.
package struct LineSigns: Sendable {
    /// Without anything for so long a busy line is dead.
    package static let patience = Duration.seconds(2)
    /// The same of a line that was quiet before and whose pauses are not known yet: RFC 3550's interval, and half of it again.
    static let patienceWithQuiet = Duration.milliseconds(7_500)
    static let longestPatience = Duration.seconds(10)
    /// A longer pause is one of a quiet line.
    private static let pause = Duration.milliseconds(250)
    /// A line that was busy for so long is no quiet one any more.
    private static let memory = Duration.seconds(10)

    private var last: Instant
    private var pauses = InlineArray<4, Duration>(repeating: .zero)
    private var pauseCount = 0
    private var lastPause: Instant?

    package init(now: Instant) { last = now }

    /// Something came that the peer alone can have sent.
    package mutating func heard(now: Instant) {
        let passed = now - last
        last = now
        guard passed > Self.pause else { return }
        // Longer than any patience was an outage, which says nothing of how the peer sends.
        guard passed <= Self.longestPatience else { return pauseCount = 0 }
        if let lastPause, now - lastPause > Self.memory + passed { pauseCount = 0 }
        pauses[pauseCount % 4] = passed
        pauseCount += 1
        lastPause = now
    }

    /// Until when the line counts as alive if nothing more comes.
    package var aliveUntil: Instant { last + currentPatience }

    private var currentPatience: Duration {
        guard pauseCount > 0, let lastPause, last - lastPause <= Self.memory else { return Self.patience }
        var longest = Duration.zero
        for index in 0..<min(4, pauseCount) { longest = max(longest, pauses[index]) }
        let learnt = min(Self.longestPatience, max(Self.patience, longest + longest / 2))
        return pauseCount < 3 ? max(learnt, Self.patienceWithQuiet) : learnt
    }
}
