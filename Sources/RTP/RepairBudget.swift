import Base

/// How much may be sent again to one receiver: a quarter of what it is sent, and at least 100 kbit/s, with a burst. Whoever asks for more, because the line
/// drowns or to draw traffic, gets no more (amplification by NACK).
package struct RepairBudget: Sendable {
    /// Bytes: 64 packets of a picture.
    static let burst = 64 * 1_216.0
    static let share = 0.25
    /// Bytes a second.
    static let least = 100_000.0 / 8

    private var credit = burst
    private var lastSent: UInt64 = 0
    private var repaired: UInt64 = 0
    private var last: Instant

    package init(now: Instant) { last = now }

    /// Asked before each repair, so that what is sent otherwise costs nothing here.
    /// - Parameters:
    ///   - bytes: of the packet that would be sent again.
    ///   - sent: of everything that was sent to the receiver so far, repairs included.
    ///   - carries: what the line is known to carry, bit/s: a quarter of it is for repairs then.
    /// - Returns: whether it may go; it then counts.
    package mutating func take(_ bytes: Int, sent: UInt64, carries: Int? = nil, now: Instant) -> Bool {
        // A repair may turn out smaller than it was reckoned, which must not look like media that was taken back.
        let media = max(lastSent, sent > repaired ? sent - repaired : 0)
        let seconds = (now - last).seconds
        if let carries {
            let rate = Double(carries) / 8 * Self.share
            // Half a second's worth, and always two packets.
            credit = min(min(Self.burst, max(2_500, rate / 2)), credit + seconds * rate)
        } else {
            credit = min(Self.burst, credit + max(Double(media - lastSent) * Self.share, seconds * Self.least))
        }
        (lastSent, last) = (media, now)
        guard credit >= Double(bytes) else { return false }
        credit -= Double(bytes)
        repaired &+= UInt64(bytes)
        return true
    }
}
