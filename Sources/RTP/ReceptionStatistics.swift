import Base

/// What a receiver knows of one source: loss, order and jitter, RFC 3550 A.1, A.3, A.8.
package struct ReceptionStatistics: Sendable {
    private let clockRate: Double
    private var unwrapper = SequenceUnwrapper()
    private var base: Int64?
    package private(set) var highest: Int64 = 0
    package private(set) var received: UInt64 = 0
    private var expectedPrior: Int64 = 0
    private var receivedPrior: UInt64 = 0
    private var transit: Double?
    private var jitterUnits = 0.0
    private var timestamps = TimestampUnwrapper()
    private var lastReport: (middle: UInt32, arrival: Instant)?
    /// Of the last report interval, 0 … 1.
    package private(set) var fractionLost = 0.0

    /// - Parameter clockRate: of the media clock, 48 000 or 90 000.
    package init(clockRate: Int) { self.clockRate = Double(clockRate) }

    /// - Returns: the sequence number unwrapped.
    @discardableResult
    package mutating func receive(sequenceNumber: UInt16, timestamp: UInt32, now: Instant) -> Int64 {
        let sequence = unwrapper.unwrap(sequenceNumber)
        if base == nil { (base, highest) = (sequence, sequence) }
        base = min(base ?? sequence, sequence)
        highest = max(highest, sequence)
        received += 1
        let moment = Double(now.nanoseconds) * clockRate / 1e9 - Double(timestamps.unwrap(timestamp))
        if let transit { jitterUnits += (abs(moment - transit) - jitterUnits) / 16 }
        transit = moment
        return sequence
    }

    package mutating func receivedSenderReport(_ ntp: NTPTime, now: Instant) { lastReport = (ntp.middle, now) }

    package var jitterMilliseconds: Double { jitterUnits * 1_000 / clockRate }
    package var lost: Int64 { base.map { max(0, highest - $0 + 1 - Int64(received)) } ?? 0 }

    /// The block for a report now, which ends the report interval.
    package mutating func reportBlock(ssrc: UInt32, now: Instant) -> ReportBlock? {
        guard let base else { return nil }
        let expected = highest - base + 1
        let expectedNow = expected - expectedPrior
        let lostNow = expectedNow - Int64(received - receivedPrior)
        (expectedPrior, receivedPrior) = (expected, received)
        let fraction = expectedNow > 0 && lostNow > 0 ? UInt8(min(255, lostNow * 256 / expectedNow)) : 0
        fractionLost = Double(fraction) / 256
        let delay = lastReport.map { UInt32(clamping: (now - $0.arrival).nanoseconds / 1_000 * 65_536 / 1_000_000) }
        return ReportBlock(
            ssrc: ssrc, fractionLost: fraction, cumulativeLost: Int32(clamping: expected - Int64(received)),
            extendedHighestSequence: UInt32(truncatingIfNeeded: highest - 0x1_0000), jitter: UInt32(clamping: Int64(jitterUnits)),
            lastSenderReport: lastReport?.middle ?? 0, delaySinceLastSenderReport: delay ?? 0)
    }
}
