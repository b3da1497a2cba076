import Base

/// 16-bit sequence numbers as numbers that only grow: each is taken to be the nearest to the last one.
package struct SequenceUnwrapper: Sendable {
    private var last: Int64?

    package init() {}

    package mutating func unwrap(_ number: UInt16) -> Int64 {
        // The first lies one cycle up, so that what came just before it is not negative.
        guard let last else {
            let first = Int64(number) + 0x1_0000
            self.last = first
            return first
        }
        let step = Int64(Int16(bitPattern: number &- UInt16(truncatingIfNeeded: last)))
        let unwrapped = last + step
        self.last = max(last, unwrapped)
        return unwrapped
    }
}

/// 32-bit RTP timestamps as numbers that only grow.
package struct TimestampUnwrapper: Sendable {
    private var last: Int64?

    package init() {}

    package mutating func unwrap(_ timestamp: UInt32) -> Int64 {
        guard let last else {
            let first = Int64(timestamp) + 0x1_0000_0000
            self.last = first
            return first
        }
        let unwrapped = last + Int64(Int32(bitPattern: timestamp &- UInt32(truncatingIfNeeded: last)))
        self.last = max(last, unwrapped)
        return unwrapped
    }
}

/// Seconds since 1900 in the upper 32 bits, their fraction in the lower ones. RFC 5905 §6.
package struct NTPTime: Hashable, Sendable {
    package var bits: UInt64

    package init(bits: UInt64) { self.bits = bits }

    /// The time of `instant` where `atStart` is that of `Instant.start`.
    package init(_ instant: Instant, atStart: UInt64) {
        let seconds = UInt64(bitPattern: instant.nanoseconds / 1_000_000_000)
        let fraction = (UInt64(bitPattern: instant.nanoseconds % 1_000_000_000) << 32) / 1_000_000_000
        bits = atStart &+ (seconds << 32) &+ fraction
    }

    /// The middle 32 bits, which report blocks echo (RFC 3550 §6.4.1).
    package var middle: UInt32 { UInt32(truncatingIfNeeded: bits >> 16) }
}
