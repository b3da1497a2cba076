import Base
import CSockets
import Foundation
import RTP

/// The one place where media reads a clock: CLOCK_MONOTONIC, as `Instant`. Every process on a machine reads the same zero, which latency
/// measurements rely on.
package enum MediaClock {
    package static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// What the calling thread has worked so far. Others that take the processor from it do not count.
    static func work() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .nanoseconds(Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// CLOCK_REALTIME less CLOCK_MONOTONIC, nanoseconds.
    static func wallClockOffset() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec) &- now().nanoseconds
    }

    /// Sleeps until `instant`; wakes at once where it has passed. Only media threads that keep a beat call it.
    static func sleep(until instant: Instant) {
        var time = timespec(tv_sec: Int(instant.nanoseconds / 1_000_000_000), tv_nsec: Int(instant.nanoseconds % 1_000_000_000))
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }
}
