/// One sender's packets, of whatever length, as exact ticks of 960 samples. The calls are the outputs of RTP's jitter buffer.
///
///     while voice.wantsPacket { switch jitterBuffer.next(now) { case .packet: try voice.decode(…) … case .nothing: voice.nothing() } }
///     voice.read(into: &tick)
///
/// Where sound stops or begins again it fades within 5 ms: a jump from speech to zero is a click.
package struct VoiceDecoder: ~Copyable {
    /// 5 ms.
    static let fadeLength = 240
    /// After this much concealment in a row the voice is taken to have stopped.
    static let mostConcealed = 5 * AudioFormat.samplesPerTick

    private enum State { case silent, sounding }
    private var decoder: OpusDecoder
    private var queue = SampleQueue()
    private var pcm = [Int16](repeating: 0, count: AudioFormat.mostSamplesPerPacket)
    private var state = State.silent
    private var concealedInRow = 0
    private var padsTick = false

    /// Length of the sender's last packet in samples; what a lost one is taken to have had.
    package private(set) var packetSamples = AudioFormat.samplesPerTick
    package private(set) var packetsDecoded: UInt64 = 0
    package private(set) var packetsRecovered: UInt64 = 0
    package private(set) var packetsConcealed: UInt64 = 0
    /// Packets that libopus refused.
    package private(set) var packetsRefused: UInt64 = 0

    package init() throws(OpusError) { decoder = try OpusDecoder() }

    /// Whether a tick's worth is not there yet and nothing has said that none will come.
    package var wantsPacket: Bool { queue.count < AudioFormat.samplesPerTick && !padsTick }
    /// Samples decoded and not yet read.
    package var buffered: Int { queue.count }

    /// A packet in its turn.
    /// - Throws: `OpusError` for garbage; it is then concealed, and the next packet decodes.
    package mutating func decode(_ packet: RawSpan) throws(OpusError) {
        let written: Int
        do {
            packetSamples = try OpusPacket(parsing: packet).samples
            written = try Self.decode(packet, with: &decoder, into: &pcm)
        } catch {
            packetsRefused &+= 1
            conceal()
            throw error
        }
        packetsDecoded &+= 1
        enqueueSound(written)
    }

    /// The packet before `next` is lost, `next` has come: take its error correction. `next` itself is decoded by the following call.
    package mutating func recover(from next: RawSpan) {
        // What cannot be recovered is concealed.
        guard let written = try? Self.recover(from: next, samples: packetSamples, with: &decoder, into: &pcm) else { return conceal() }
        packetsRecovered &+= 1
        enqueueSound(written)
    }

    /// The packet is lost and its successor has not come.
    package mutating func conceal() {
        guard state == .sounding, concealedInRow < Self.mostConcealed else { return nothing() }
        // What cannot be concealed is silence.
        guard let written = try? Self.conceal(samples: packetSamples, with: &decoder, into: &pcm) else { return nothing() }
        packetsConcealed &+= 1
        concealedInRow += written
        queue.append(pcm, count: written)
    }

    /// The sender sends nothing (muted, DTX, gone): the voice fades out and the tick is filled with silence.
    package mutating func nothing() {
        padsTick = true
        fadeOut()
    }

    private mutating func fadeOut() {
        guard state == .sounding else { return }
        state = .silent
        // Without a fade the voice ends at once.
        guard let written = try? Self.conceal(samples: Self.fadeLength, with: &decoder, into: &pcm) else { return }
        for i in 0..<written { pcm[i] = Int16(truncatingIfNeeded: Int32(pcm[i]) &* Int32(written - i) / Int32(written)) }
        queue.append(pcm, count: written)
    }

    /// Takes one tick; where less is there, the rest is silence.
    /// - Returns: whether any of it is sound.
    @discardableResult
    package mutating func read(into tick: inout MutableSpan<Int16>) -> Bool {
        let taken = queue.take(into: &tick)
        for i in taken..<tick.count { tick[i] = 0 }
        padsTick = false
        return taken > 0
    }

    /// The sender began anew (another SSRC): what was said fades out, and nothing of it colours what comes.
    package mutating func reset() {
        fadeOut()
        decoder.reset()
        concealedInRow = 0
    }

    private mutating func enqueueSound(_ written: Int) {
        if state == .silent {
            let length = min(Self.fadeLength, written)
            for i in 0..<length { pcm[i] = Int16(truncatingIfNeeded: Int32(pcm[i]) &* Int32(i) / Int32(length)) }
        }
        (state, concealedInRow) = (.sounding, 0)
        queue.append(pcm, count: written)
    }

    // The decoder and its buffer meet in functions of their own: the compiler does not lend both from `self` at once.

    private static func decode(_ packet: RawSpan, with decoder: inout OpusDecoder, into pcm: inout [Int16]) throws(OpusError) -> Int {
        var room = pcm.mutableSpan
        return try decoder.decode(packet, into: &room)
    }

    private static func recover(
        from next: RawSpan, samples: Int, with decoder: inout OpusDecoder, into pcm: inout [Int16]
    ) throws(OpusError) -> Int {
        var room = pcm.mutableSpan
        return try decoder.recover(from: next, samples: samples, into: &room)
    }

    private static func conceal(samples: Int, with decoder: inout OpusDecoder, into pcm: inout [Int16]) throws(OpusError) -> Int {
        var room = pcm.mutableSpan
        return try decoder.conceal(samples: samples, into: &room)
    }
}
