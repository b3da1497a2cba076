import Base
internal import CSockets

/// The one place where media, and who sends it, reads a clock: CLOCK_MONOTONIC, as `Instant`. Every process on a machine reads the same zero, which latency
/// measurements rely on.
package enum MediaClock {
    package static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// What the calling thread has worked so far. Others that take the processor from it do not count.
    package static func work() -> Duration {
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

    /// NTP time at `Instant.start` (RFC 5905): seconds since 1900 and their fraction, 32 bits each.
    package static func ntpAtStart() -> UInt64 {
        let (seconds, nanoseconds) = wallClockOffset().quotientAndRemainder(dividingBy: 1_000_000_000)
        // 2 208 988 800 s lie between 1900 and 1970. The era that 2036 begins counts from 0 again.
        let sum = Int64(2_208_988_800) + seconds
        return UInt64(UInt32(truncatingIfNeeded: sum)) << 32 | UInt64(max(0, nanoseconds) << 32 / 1_000_000_000)
    }

    /// Sleeps until `instant`; wakes at once where it has passed. Only media threads that keep a beat call it.
    package static func sleep(until instant: Instant) {
        var time = timespec(tv_sec: Int(instant.nanoseconds / 1_000_000_000), tv_nsec: Int(instant.nanoseconds % 1_000_000_000))
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }
}
