/// A moment of the loop's clock: nanoseconds since the process's own zero. Only a socket loop reads a real clock; everything else is told.
///
/// Never mixed with an RTP timestamp (a sender's media clock) nor with NTP time (reports).
package struct Instant: Comparable, Hashable, Sendable {
    package var nanoseconds: Int64

    @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable package init(sinceStart: Duration) { nanoseconds = sinceStart.nanoseconds }

    package static let start = Instant(nanoseconds: 0)
    package static let distantFuture = Instant(nanoseconds: .max)

    @inlinable package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    @inlinable package static func + (instant: Instant, duration: Duration) -> Instant {
        Instant(nanoseconds: instant.nanoseconds &+ duration.nanoseconds)
    }
    @inlinable package static func - (instant: Instant, duration: Duration) -> Instant {
        Instant(nanoseconds: instant.nanoseconds &- duration.nanoseconds)
    }
    @inlinable package static func - (left: Instant, right: Instant) -> Duration { .nanoseconds(left.nanoseconds &- right.nanoseconds) }
    @inlinable package static func += (instant: inout Instant, duration: Duration) { instant = instant + duration }
}

extension Duration {
    /// Whole nanoseconds, rounded towards zero; past ±292 years it saturates.
    @inlinable package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }

    /// Seconds as a floating-point number, for statistics.
    @inlinable package var seconds: Double { Double(nanoseconds) / 1e9 }
}
