import RTP

/// One SSRC of the other side: what the report blocks about it need (RFC 3550 §6.4.1 and appendix A). A value without heap.
struct IncomingStream {
    enum Kind: Equatable { case audio, video(source: Int), retransmission(source: Int) }
    let ssrc: UInt32
    let kind: Kind
    /// Hz.
    let clockRate: Int64
    private var firstSequence: UInt32
    /// The highest number, wraps counted in the upper half.
    private var highest: UInt32
    private var received: UInt32 = 0
    private var expectedBefore: UInt32 = 0
    private var receivedBefore: UInt32 = 0
    private var transit: Int64?
    /// Sixteenths of a timestamp unit.
    private var jitterSixteenths: Int64 = 0
    /// The middle 32 bits of the last sender report's NTP time, and when it came.
    private var lastReport: UInt32 = 0
    private var lastReportArrival: Instant?
    /// Said goodbye. It is kept, since libsrtp keeps its stream too, and it may come back.
    private(set) var hasLeft = false

    init(ssrc: UInt32, kind: Kind, firstSequence: UInt16) {
        (self.ssrc, self.kind, clockRate) = (ssrc, kind, kind == .audio ? 48_000 : 90_000)
        self.firstSequence = UInt32(firstSequence)
        highest = UInt32(firstSequence)
    }

    var jitterMilliseconds: Double { Double(jitterSixteenths) / 16 * 1_000 / Double(clockRate) }

    mutating func received(_ packet: IncomingPacket, now: Instant) {
        received &+= 1
        hasLeft = false
        let ahead = Int16(bitPattern: packet.sequenceNumber &- UInt16(truncatingIfNeeded: highest))
        if ahead > 0 { highest &+= UInt32(ahead) }
        // Whole seconds and the rest apart, since nanoseconds times the rate would overflow after two days.
        let (seconds, rest) = now.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let arrival = seconds &* clockRate &+ rest &* clockRate / 1_000_000_000
        let passed = Int64(Int32(truncatingIfNeeded: arrival &- Int64(packet.timestamp)))
        if let before = transit {
            let difference = abs(Int64(Int32(truncatingIfNeeded: passed &- before)))
            jitterSixteenths += difference - (jitterSixteenths + 8) >> 4
        }
        transit = passed
    }

    mutating func received(report middle: UInt32, now: Instant) { (lastReport, lastReportArrival) = (middle, now) }

    mutating func leave() { hasLeft = true }

    /// Appends the 24 bytes of a report block and begins a new interval.
    /// - Returns: the fraction lost since the last one, 0 … 1.
    mutating func writeReport(now: Instant, into bytes: inout [UInt8]) -> Double {
        let expected = highest &- firstSequence &+ 1
        let (expectedNow, receivedNow) = (expected &- expectedBefore, received &- receivedBefore)
        (expectedBefore, receivedBefore) = (expected, received)
        let lostNow = max(0, Int64(expectedNow) - Int64(receivedNow))
        let fraction = expectedNow == 0 ? 0 : min(255, lostNow * 256 / Int64(expectedNow))
        let lost = max(-0x80_0000, min(0x7f_ffff, Int64(expected) - Int64(received)))
        bytes.append(word: ssrc)
        bytes.append(word: UInt32(fraction) << 24 | UInt32(truncatingIfNeeded: lost) & 0xff_ffff)
        bytes.append(word: highest)
        bytes.append(word: UInt32(truncatingIfNeeded: jitterSixteenths >> 4))
        bytes.append(word: lastReport)
        bytes.append(word: lastReportArrival.map { Self.compact(now - $0) } ?? 0)
        return Double(fraction) / 256
    }

    /// In units of 1/65536 s.
    static func compact(_ duration: Duration) -> UInt32 {
        let nanoseconds = max(0, duration.nanoseconds)
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return UInt32(truncatingIfNeeded: (seconds << 16) + (rest << 16) / 1_000_000_000)
    }
}
