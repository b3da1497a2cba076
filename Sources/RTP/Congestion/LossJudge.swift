import Base

/// Tells loss that the sender makes (more is sent than a line without a queue carries) from loss that the line has whatever is sent: where it is not known it is
/// tried out, by sending less for a while.
package struct LossJudge: Sendable {
    /// Loss from which on something is done: a seventh, and well above what is known to be the line's own. Less is lost by the line far more often than by
    /// the sender, whose queue shows first.
    private static func limit(_ inherent: Double) -> Double { max(0.15, inherent * 1.8 + 0.04) }
    private static let (trial, patience) = (Duration.seconds(4), 2)
    /// Seconds over which loss is to be given.
    package static let span = 3
    /// Where so little was sent in a trial that nothing is known at its end.
    private static let overtime = Duration.seconds(2)

    /// What to do.
    package enum Verdict: Equatable, Sendable {
        case nothing
        /// Send less: at most so much of what arrives.
        case tries(Double)
        /// It got better: so much of what arrived is what the line carries.
        case isOurs
        /// It did not: everything may be as before.
        case isTheLines
    }

    /// What the line loses by itself, 0 … 1.
    package private(set) var inherent = 0.0
    private var bad = 0
    private var before = 0.0
    private var until: Instant?
    private var next: Instant?
    /// When loss that is taken for the line's own is put to doubt again, if something waits too.
    private var doubtsAt: Instant?
    private var doubtful = shortestDoubt
    private static let (shortestDoubt, longestDoubt) = (Duration.seconds(10), Duration.seconds(80))
    /// Less than this is not worth a trial.
    private static let little = 0.1

    package var isTrying: Bool { until != nil }

    package init() {}

    /// Called often; looks once a second.
    /// - Parameters:
    ///   - loss: of the last `span` seconds, 0 … 1; nil where too few packets are known of.
    ///   - isIdle: far less is sent than the line was seen to carry.
    ///   - waits: packets wait, though it may be jitter.
    package mutating func look(loss: Double?, isIdle: Bool, waits: Bool = false, now: Instant) -> Verdict {
        if let end = until, now >= end + Self.overtime, loss == nil {
            // So little was sent meanwhile that nothing is known: then it was not found to be ours.
            (until, bad) = (nil, 0)
            return .isTheLines
        }
        guard now >= next ?? now, let loss else { return .nothing }
        next = now + .seconds(1)
        if let end = until {
            guard now >= end else { return .nothing }
            (until, bad) = (nil, 0)
            guard loss > before * 0.7 else {
                // What is left may be ours too.
                doubtful = Self.shortestDoubt
                return .isOurs
            }
            inherent = min(before, max(inherent, loss))
            return .isTheLines
        }
        if loss < inherent { inherent += (loss - inherent) * 0.05 }
        guard loss > Self.limit(inherent) else {
            // What goes on for a while is how the line is. But a short queue that overflows looks like that too.
            if !waits { inherent += max(0, loss - inherent) * 0.05 }
            bad = 0
            guard waits, loss > Self.little else { return .nothing }
            guard let at = doubtsAt else {
                doubtsAt = now + .seconds(Self.patience)
                return .nothing
            }
            guard now >= at else { return .nothing }
            (doubtsAt, doubtful) = (now + doubtful, min(Self.longestDoubt, doubtful + doubtful))
            (before, until) = (loss, now + Self.trial)
            return .tries(0.7)
        }
        bad += 1
        guard bad >= Self.patience || loss > 0.35 else { return .nothing }
        // So little cannot be too much.
        if isIdle {
            (inherent, bad) = (loss, 0)
            return .nothing
        }
        (before, until) = (loss, now + Self.trial)
        return .tries(0.7)
    }

    /// The line was silent for a while: what was begun is of no use.
    package mutating func forget() { (bad, until) = (0, nil) }
}
