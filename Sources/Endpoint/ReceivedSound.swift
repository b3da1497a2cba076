import Audio
import Base
import Peer
import RTP

/// Measures the sound that one endpoint receives: packets as they come, where one that arrives after its successor counts as late; and, where it decodes, what
/// a listener hears of them through the jitter buffer that the server has too.
struct ReceivedSound: ~Copyable {
    static let gap = Duration.milliseconds(60)
    /// A jump further than this is a stream that began anew.
    static let largestJump = 500
    private var report = SoundReport()
    private var highest: UInt16?
    private var ssrc: UInt32 = 0
    private var lastArrival: Instant?
    private var lastTransit: Int64?
    private var jitter = 0.0
    /// Of the promptest packet, in 1/48 ms, and packets later than a listener's buffer lasts.
    private var leastTransit: Int64?
    private var tooLate: UInt64 = 0
    private static let buffer: Int64 = 60 * 48
    private var decoded: DecodedSound?

    /// - Parameter decodes: false spares the decoder: then there are no levels, frequencies and marks.
    init(decodes: Bool, tones: [Int]) throws(OpusError) { decoded = decodes ? try DecodedSound(tones: tones) : nil }

    mutating func take(_ packet: ReceivedAudio, payload: Span<UInt8>) {
        guard !packet.isRedundant else {
            decoded?.take(packet, payload: payload)
            return
        }
        report.packets &+= 1
        measureArrival(packet)
        decoded?.take(packet, payload: payload)
        let missing = missing(before: packet)
        guard missing >= 0 else {
            report.late &+= 1
            if report.lost > 0 { report.lost -= 1 }
            return
        }
        report.lost &+= UInt64(missing)
    }

    /// The numbers until now.
    func summary() -> SoundReport {
        var summary = report
        let expected = report.packets - min(report.packets, report.late) + report.lost
        summary.lossFraction = expected > 0 ? Double(report.lost) / Double(expected) : 0
        summary.jitterMilliseconds = jitter / 48
        decoded?.fill(&summary)
        let restored = min(report.lost, summary.buffer?.restored ?? 0)
        summary.concealedFraction = expected > 0 ? min(1, Double(report.lost - restored + tooLate) / Double(expected)) : 0
        return summary
    }

    /// - Returns: how many packets are missing before this one; −1 for a late one.
    private mutating func missing(before packet: ReceivedAudio) -> Int {
        let isSame = ssrc == packet.ssrc
        defer { ssrc = packet.ssrc }
        guard isSame, let last = highest else {
            highest = packet.sequenceNumber
            return 0
        }
        let step = Int(Int16(bitPattern: packet.sequenceNumber &- last))
        guard abs(step) < Self.largestJump else {
            highest = packet.sequenceNumber
            return 0
        }
        guard step > 0 else { return -1 }
        highest = packet.sequenceNumber
        return step - 1
    }

    /// RFC 3550 §6.4.1 in units of 1/48 ms, and the longest time without a packet.
    private mutating func measureArrival(_ packet: ReceivedAudio) {
        let transit = packet.arrival.nanoseconds / 1_000 * 48 / 1_000 - Int64(packet.timestamp)
        if let lastTransit {
            let difference = Int64(Int32(truncatingIfNeeded: transit &- lastTransit)).magnitude
            jitter += (Double(difference) - jitter) / 16
        }
        lastTransit = transit
        let least = min(leastTransit ?? transit, transit)
        leastTransit = least
        if transit - least > Self.buffer { tooLate += 1 }
        if let lastArrival {
            let interval = packet.arrival - lastArrival
            report.longestGapMilliseconds = max(report.longestGapMilliseconds, interval.seconds * 1_000)
            if interval > Self.gap { report.gaps += 1 }
        }
        lastArrival = packet.arrival
    }
}
