import Audio

/// One output of the mix: its limiter and its encoder.
struct MixEncoder: ~Copyable {
    private var encoder: OpusEncoder
    private var limiter = Limiter()
    private var pcm = [Int16](repeating: 0, count: AudioFormat.samplesPerTick)
    private var packet = [UInt8](repeating: 0, count: AudioFormat.mostBytesPerFrame)

    /// Whether packets carry their predecessors.
    let repairs: Bool
    let soundClass: SoundClass
    /// nil where nobody set a limit.
    private var budget: SoundBudget?

    /// - Parameter repairs: for a line that loses packets: Opus's speech mode with in-band error correction. Without it the low-delay mode does as well for
    ///   a third of the work, except where bits are few.
    init(repairs: Bool, _ soundClass: SoundClass = .full) throws(OpusError) {
        (self.repairs, self.soundClass) = (repairs, soundClass)
        var settings = OpusEncoder.Settings()
        // A little below the limit, so that the budget cuts into few packets.
        settings.bitsPerSecond = Int32(soundClass.isLimited ? soundClass.bitsPerSecond * 9 / 10 : soundClass.bitsPerSecond)
        settings.bandwidth = soundClass.bandwidth
        settings.complexity = 5
        settings.application = repairs || soundClass.isLimited ? .voip : .lowDelay
        settings.sendsForwardErrorCorrection = repairs
        settings.expectedLossPercent = repairs ? 5 : 0
        budget = soundClass.isLimited ? SoundBudget(soundClass) : nil
        encoder = try OpusEncoder(settings)
    }

    /// Everybody, for those who only listen, or for one who is heard but has no sound in this tick.
    mutating func encodeAll(of bus: inout MixBus, for participant: ObjectIdentifier? = nil, into frame: AudioFrame) {
        Self.write(&bus, without: nil, &limiter, into: &pcm)
        encode(for: participant, into: frame)
    }

    /// Everybody but `voice`, for the one who spoke it.
    mutating func encode(_ bus: inout MixBus, without voice: [Int16], for participant: ObjectIdentifier, into frame: AudioFrame) {
        Self.write(&bus, without: voice, &limiter, into: &pcm)
        encode(for: participant, into: frame)
    }

    private mutating func encode(for participant: ObjectIdentifier?, into frame: AudioFrame) {
        // An encoder that refuses leaves a hole that the receiver conceals; it is not expected to happen with valid samples.
        guard let length = Self.encode(&encoder, pcm, into: &packet, atMost: budget?.take() ?? .max) else { return }
        budget?.spend(length)
        frame.add(packet.span.extracting(0..<length), for: participant, repairs: repairs, soundClass)
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

    private static func encode(_ encoder: inout OpusEncoder, _ pcm: [Int16], into packet: inout [UInt8], atMost most: Int) -> Int? {
        var room = packet.mutableSpan
        // nil: the caller says what follows.
        return try? encoder.encode(pcm.span, into: &room, atMost: most)
    }
}
