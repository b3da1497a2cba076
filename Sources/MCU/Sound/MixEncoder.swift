import Audio
import RTP

/// The last sound of a mix, as all hear it: what stands before the first tick of a packet that is begun amid its time.
struct MixPast: ~Copyable {
    private static let ticks = 2
    private var limiter = Limiter()
    private var pcm = [Int16](repeating: 0, count: ticks * AudioFormat.samplesPerTick)
    private var scratch = [Int16](repeating: 0, count: AudioFormat.samplesPerTick)
    private var last: Int64 = -1

    /// Keeps this tick.
    mutating func keep(_ bus: borrowing MixBus, number: Int64) {
        Self.write(bus, &limiter, into: &scratch)
        let isNext = number == last + 1
        for index in scratch.indices {
            pcm[index] = isNext ? pcm[index + scratch.count] : 0
            pcm[index + scratch.count] = scratch[index]
        }
        last = number
    }

    /// Fills the first `ticks` ticks of a packet with those before `number`; with silence where they were not kept.
    func fill(_ packet: inout [Int16], ticks: Int, before number: Int64) {
        let count = ticks * AudioFormat.samplesPerTick
        let from = pcm.count - count
        for index in 0..<count { packet[index] = last == number - 1 ? pcm[from + index] : 0 }
    }

    private static func write(_ bus: borrowing MixBus, _ limiter: inout Limiter, into pcm: inout [Int16]) {
        var samples = pcm.mutableSpan
        bus.write(limitedBy: &limiter, into: &samples)
    }
}

/// One output of the mix: its limiter and its encoder, which gathers as many ticks as a packet of its form has.
struct MixEncoder: ~Copyable {
    private var encoder: OpusEncoder
    private var limiter = Limiter()
    /// This tick, and the packet that it belongs to.
    private var tick = [Int16](repeating: 0, count: AudioFormat.samplesPerTick)
    private var pcm: [Int16]
    /// The tick that is gathered next.
    private var next: Int64 = -1
    private var packet = [UInt8](repeating: 0, count: AudioFormat.mostBytesPerFrame)

    /// For a form with redundancy: the packets before, and the packet with them.
    private var redundancy: RedundantAudioWriter?
    private var payload: [UInt8] = []

    let form: SoundForm
    /// nil where nobody set a limit.
    private var budget: SoundBudget?

    /// - Parameter isShared: for all who only listen: worth a tenth more work, which the low-delay mode repays (docs/decisions/sound-tiers.md).
    init(_ form: SoundForm, isShared: Bool = false) throws(OpusError) {
        self.form = form
        var settings = OpusEncoder.Settings()
        settings.bitsPerSecond = Int32(form.bitsPerSecond)
        settings.bandwidth = form.bandwidth
        settings.complexity = isShared && !form.isSpeech ? 8 : 5
        let repairs = form.expectedLossPercent > 0
        settings.application = form.isSpeech ? .voip : .lowDelay
        settings.sendsForwardErrorCorrection = repairs
        settings.expectedLossPercent = form.expectedLossPercent
        budget = form.limit.map { SoundBudget($0) }
        if form.isRedundant {
            redundancy = RedundantAudioWriter()
            payload = [UInt8](repeating: 0, count: RedundantAudioWriter.room)
        }
        pcm = [Int16](repeating: 0, count: form.ticks * AudioFormat.samplesPerTick)
        encoder = try OpusEncoder(settings)
    }

    /// Has sound of a packet that has not ended: it would be lost with this encoder.
    var isAmid: Bool { next > 0 && next % Int64(form.ticks) != 0 }

    /// Everybody, for those who only listen, or for one who is heard but has no sound in this tick.
    mutating func encodeAll(
        of bus: inout MixBus, after past: borrowing MixPast, for participant: ObjectIdentifier? = nil, into frame: AudioFrame
    ) {
        Self.write(&bus, without: nil, &limiter, into: &tick)
        gather(after: past, for: participant, into: frame)
    }

    /// Everybody but `voice`, for the one who spoke it.
    mutating func encode(
        _ bus: inout MixBus, without voice: [Int16], after past: borrowing MixPast, for participant: ObjectIdentifier,
        into frame: AudioFrame
    ) {
        Self.write(&bus, without: voice, &limiter, into: &tick)
        gather(after: past, for: participant, into: frame)
    }

    private mutating func gather(after past: borrowing MixPast, for participant: ObjectIdentifier?, into frame: AudioFrame) {
        let number = frame.number
        let place = Int(number % Int64(form.ticks))
        // Begun amid a packet, or after ticks that were left out.
        if place > 0, number != next { past.fill(&pcm, ticks: place, before: number) }
        let start = place * tick.count
        for index in tick.indices { pcm[start &+ index] = tick[index] }
        next = number + 1
        guard frame.ends(form) else { return frame.note(for: participant, form) }
        // An encoder that refuses leaves a hole that the receiver conceals; it is not expected to happen with valid samples.
        guard let length = Self.encode(&encoder, pcm, into: &packet, atMost: budget?.take() ?? .max) else { return }
        budget?.spend(length)
        guard form.isRedundant else { return frame.add(packet.span.extracting(0..<length), for: participant, form) }
        let made = Self.add(packet, length, number, &redundancy, into: &payload)
        frame.add(payload.span.extracting(0..<made.length), for: participant, form, redundancy: made.redundancy)
    }

    // A span of one property of `self` and a change of another do not go together, so the parts are handed over one by one.

    private static func write(_ bus: inout MixBus, without voice: [Int16]?, _ limiter: inout Limiter, into pcm: inout [Int16]) {
        var samples = pcm.mutableSpan
        if let voice {
            bus.write(without: voice.span, limitedBy: &limiter, into: &samples)
        } else {
            bus.write(limitedBy: &limiter, into: &samples)
        }
    }

    private static func add(
        _ packet: [UInt8], _ length: Int, _ number: Int64, _ redundancy: inout RedundantAudioWriter?, into payload: inout [UInt8]
    ) -> (redundancy: Int, length: Int) {
        var room = payload.mutableSpan
        return redundancy?.write(packet.span.extracting(0..<length), number: number, samples: AudioFormat.samplesPerTick, into: &room)
            ?? (0, 0)
    }

    private static func encode(_ encoder: inout OpusEncoder, _ pcm: [Int16], into packet: inout [UInt8], atMost most: Int) -> Int? {
        var room = packet.mutableSpan
        // nil: the caller says what follows.
        return try? encoder.encode(pcm.span, into: &room, atMost: most)
    }
}
