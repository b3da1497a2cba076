import Base
import Foundation
import RTP

/// The machine's monotonic clock, the same for all processes on it: marks of one process are measured by another.
enum EndpointClock {
    static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// NTP time at `Instant.start`, RFC 5905: seconds since 1900 and their fraction in 32 bits each.
    static func ntpAtStart() -> UInt64 {
        let seconds = Date.now.timeIntervalSince1970 + 2_208_988_800 - Double(now().nanoseconds) / 1e9
        return UInt64(max(0, seconds) * 4_294_967_296)
    }
}
