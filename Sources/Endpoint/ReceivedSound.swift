import Audio
import Base
import Peer
import RTP

/// Measures the sound that one endpoint receives. Packets are taken as they come; one that arrives after its successor counts as late.
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
        report.packets &+= 1
        measureArrival(packet)
        let missing = missing(before: packet)
        guard missing >= 0 else {
            report.late &+= 1
            if report.lost > 0 { report.lost -= 1 }
            return
        }
        report.lost &+= UInt64(missing)
        decoded?.take(payload.bytes, missing: missing, arrival: packet.arrival)
    }

    /// The numbers until now.
    func summary() -> SoundReport {
        var summary = report
        let expected = report.packets - min(report.packets, report.late) + report.lost
        summary.lossFraction = expected > 0 ? Double(report.lost) / Double(expected) : 0
        summary.jitterMilliseconds = jitter / 48
        summary.concealedFraction = expected > 0 ? min(1, Double(report.lost + tooLate) / Double(expected)) : 0
        decoded?.fill(&summary)
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

/// The received sound as it is heard: level, frequency, asked tones, marks.
struct DecodedSound: ~Copyable {
    /// 100 ms.
    private static let window = 4_800
    private static let mostLatencies = 10_000
    /// Frequencies are counted in steps of 5 Hz.
    private static let step = 5.0
    private var voice: VoiceDecoder
    private var spectrum = Spectrum()
    private var tick = [Int16](repeating: 0, count: AudioFormat.samplesPerTick)
    private var heard: [Int16] = []
    private let tones: [Int]
    private var tonePower: [Double]
    private var windows = 0
    private var energy = 0.0
    private var samples = 0.0
    private var frequencies: [Int: (count: Int, sum: Double)] = [:]
    private var isLoud = false
    private var quietTicks = 0
    private var latencies: [Double] = []

    init(tones: [Int]) throws(OpusError) {
        voice = try VoiceDecoder()
        self.tones = tones
        tonePower = Array(repeating: 0, count: tones.count)
        heard.reserveCapacity(Self.window)
    }

    mutating func take(_ packet: RawSpan, missing: Int, arrival: Instant) {
        if missing > 0 {
            for _ in 1..<max(1, min(missing, 5)) { voice.conceal() }
            voice.recover(from: packet)
        }
        do throws(OpusError) { try voice.decode(packet) } catch {}  // counted there
        while voice.buffered >= AudioFormat.samplesPerTick {
            Self.read(&voice, &tick)
            measureTick(arrival)
        }
    }

    func fill(_ report: inout SoundReport) {
        report.decodeErrors = voice.packetsRefused
        if samples > 0, energy > 0 { report.level = 10 * Decibels.log10(energy / samples / (32_767 * 32_767)) }
        if let most = frequencies.values.max(by: { $0.count < $1.count }) { report.dominantFrequency = most.sum / Double(most.count) }
        for (index, hertz) in tones.enumerated() where windows > 0 {
            report.tones[String(hertz)] = 10 * Decibels.log10(max(tonePower[index] / Double(windows), 1e-16))
        }
        report.latencyMilliseconds = Spread(latencies)
    }

    private static func read(_ voice: inout VoiceDecoder, _ tick: inout [Int16]) {
        var room = tick.mutableSpan
        voice.read(into: &room)
    }

    private mutating func measureTick(_ arrival: Instant) {
        for sample in tick { energy += Double(sample) * Double(sample) }
        samples += Double(tick.count)
        measureMark(arrival)
        heard.append(contentsOf: tick)
        guard heard.count >= Self.window else { return }
        windows += 1
        for (index, hertz) in tones.enumerated() {
            tonePower[index] += Decibels.power(ToneMeter.level(of: Double(hertz), in: heard.span))
        }
        // Twice a second is enough for the spectrum and spares the machine under load.
        if windows % 5 == 1, let found = Self.dominant(&spectrum, heard) { count(found) }
        heard.removeAll(keepingCapacity: true)
    }

    private static func dominant(_ spectrum: inout Spectrum, _ heard: [Int16]) -> Double? { spectrum.dominantFrequency(of: heard.span) }

    private mutating func count(_ hertz: Double) {
        let old = frequencies[Int(hertz / Self.step)] ?? (0, 0)
        frequencies[Int(hertz / Self.step)] = (old.count + 1, old.sum + hertz)
    }

    /// A mark begins with the second of the shared clock, so its lateness is what the second has left behind.
    private mutating func measureMark(_ arrival: Instant) {
        guard let onset = tick.firstIndex(where: { abs(Int($0)) > 1_000 }) else {
            quietTicks += 1
            if quietTicks > 5 { isLoud = false }
            return
        }
        defer { (isLoud, quietTicks) = (true, 0) }
        guard !isLoud, quietTicks > 5, latencies.count < Self.mostLatencies else { return }
        latencies.append(Double(arrival.nanoseconds % 1_000_000_000) / 1e6 + Double(onset) / 48)
    }
}
