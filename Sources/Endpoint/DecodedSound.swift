import Audio
import Base
import Peer
import RTP

/// The received sound as it is heard, 20 ms at a time from the arrival of the first packet on: level, frequency, asked tones, marks, and what the jitter buffer
/// did. Packets move its time on, so nothing needs a timer, and what it hears follows from when they came alone.
struct DecodedSound: ~Copyable {
    private static let tickLength = Duration.milliseconds(20)
    /// Silence of the line longer than this is not gone through tick by tick.
    private static let mostBehind = Duration.seconds(10)
    /// 100 ms.
    private static let window = 4_800
    private static let mostLatencies = 10_000
    /// Frequencies are counted in steps of 5 Hz.
    private static let step = 5.0
    private var voice: VoiceDecoder
    private var buffer = JitterBuffer()
    private var payload = [UInt8](repeating: 0, count: 1_500)
    /// Of its sender, as the jitter buffer counts.
    private var beginning = 0
    private var nextTick: Instant?
    private var malformed: UInt64 = 0
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

    mutating func take(_ packet: ReceivedAudio, payload: Span<UInt8>) {
        play(until: packet.arrival)
        // What is no Opus is not buffered: it would only be concealed later.
        do throws(OpusError) { _ = try OpusPacket(parsing: payload.bytes) } catch { return malformed += 1 }
        guard !packet.isRedundant else {
            return buffer.insert(
                redundant: payload, ssrc: packet.ssrc, sequenceNumber: packet.sequenceNumber, timestamp: packet.timestamp,
                now: packet.arrival)
        }
        buffer.insert(
            payload, ssrc: packet.ssrc, sequenceNumber: packet.sequenceNumber, timestamp: packet.timestamp, now: packet.arrival)
    }

    private mutating func play(until now: Instant) {
        var due = nextTick ?? now + Self.tickLength
        if now - due > Self.mostBehind { due = now - Self.mostBehind }
        while due <= now {
            pull(at: due)
            due += Self.tickLength
        }
        nextTick = due
    }

    private mutating func pull(at now: Instant) {
        while voice.wantsPacket {
            let answer = Self.next(&buffer, now, held: voice.buffered, into: &payload)
            if buffer.beginnings != beginning {
                beginning = buffer.beginnings
                voice.reset()
            }
            switch answer {
            case .packet(let length): decode(length)
            case .recover(let length): Self.recover(&voice, payload, length)
            case .conceal: voice.conceal()
            case .nothing: voice.nothing()
            }
        }
        let hasSound = Self.read(&voice, &tick)
        measureTick(now, hasSound: hasSound)
    }

    private mutating func decode(_ length: Int) {
        do throws(OpusError) {
            let shorter = try Self.decode(&voice, payload, length, excess: buffer.excess)
            if shorter != 0 { buffer.shortened(by: shorter) }
        } catch {}  // counted there
    }

    // The compiler does not lend two properties of `self` at once, so the parts are handed over one by one.

    private static func decode(_ voice: inout VoiceDecoder, _ payload: [UInt8], _ length: Int, excess: Int) throws(OpusError) -> Int {
        try voice.decode(payload.span.extracting(0..<length).bytes, excess: excess)
    }

    private static func recover(_ voice: inout VoiceDecoder, _ payload: [UInt8], _ length: Int) {
        voice.recover(from: payload.span.extracting(0..<length).bytes)
    }

    private static func next(_ buffer: inout JitterBuffer, _ now: Instant, held: Int, into payload: inout [UInt8]) -> JitterBuffer.Next {
        var room = payload.mutableSpan
        return buffer.next(now: now, held: held, into: &room)
    }

    func fill(_ report: inout SoundReport) {
        report.decodeErrors = voice.packetsRefused + malformed
        report.buffer = SoundBufferReport(buffer.statistics)
        if samples > 0, energy > 0 { report.level = 10 * Decibels.log10(energy / samples / (32_767 * 32_767)) }
        if let most = frequencies.values.max(by: { $0.count < $1.count }) { report.dominantFrequency = most.sum / Double(most.count) }
        for (index, hertz) in tones.enumerated() where windows > 0 {
            report.tones[String(hertz)] = 10 * Decibels.log10(max(tonePower[index] / Double(windows), 1e-16))
        }
        report.latencyMilliseconds = Spread(latencies)
    }

    private static func read(_ voice: inout VoiceDecoder, _ tick: inout [Int16]) -> Bool {
        var room = tick.mutableSpan
        return voice.read(into: &room)
    }

    private mutating func measureTick(_ now: Instant, hasSound: Bool) {
        measureMark(now)
        guard hasSound else { return }
        for sample in tick { energy += Double(sample) * Double(sample) }
        samples += Double(tick.count)
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

    /// A mark begins with the second of the shared clock, so its lateness is what the second has left behind. It is that of the line: what the jitter buffer
    /// added is taken off, and stands in the report by itself.
    private mutating func measureMark(_ now: Instant) {
        guard let onset = tick.firstIndex(where: { abs(Int($0)) > 1_000 }) else {
            quietTicks += 1
            if quietTicks > 5 { isLoud = false }
            return
        }
        defer { (isLoud, quietTicks) = (true, 0) }
        guard !isLoud, quietTicks > 5, latencies.count < Self.mostLatencies else { return }
        let heard = now - .nanoseconds(Int64(buffer.statistics.delayMilliseconds * 1e6))
        latencies.append(Double(heard.nanoseconds % 1_000_000_000) / 1e6 + Double(onset) / 48)
    }
}
