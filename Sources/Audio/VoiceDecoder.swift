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
    private var stretch = TimeStretch()
    private var tail = [Int16](repeating: 0, count: TimeStretch.window + TimeStretch.longest)
    /// Samples to be decoded before the sound is made shorter or longer again.
    private var untilStretch = 0
    /// From this much excess on, 100 ms, sound is shortened twice as often; from this much shortage on, 20 ms, it is made longer at once.
    static let muchExcess = 4_800
    static let muchShortage = 960
    /// Samples between two cuts for each that was cut: speech goes by an eighth faster, or a quarter.
    static let rarely = 8
    static let often = 4
    /// 40 ms: as long as libopus goes on as it should. Its noise after that is let down, the more so as some of its modes hardly fade.
    static let soundConcealed = 1_920

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
    /// - Parameter excess: samples by which the sound should become shorter, negative where it should become longer.
    /// - Returns: the samples by which it became shorter, one period at most; negative where it became longer.
    /// - Throws: `OpusError` for garbage; it is then concealed, and the next packet decodes.
    @discardableResult
    package mutating func decode(_ packet: RawSpan, excess: Int = 0) throws(OpusError) -> Int {
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
        untilStretch -= written
        return excess == 0 ? 0 : stretch(by: excess)
    }

    /// Over the last tick's worth that nobody took yet.
    private mutating func stretch(by excess: Int) -> Int {
        guard untilStretch <= 0, queue.takeLast(TimeStretch.window, into: &tail) else { return 0 }
        let shorter = excess > 0 ? stretch.shorten(&tail, most: excess) : -stretch.lengthen(&tail)
        queue.append(tail, count: TimeStretch.window - shorter)
        let pause = excess < -Self.muchShortage || stretch.wasQuiet ? 0 : excess < 0 || excess > Self.muchExcess ? Self.often : Self.rarely
        untilStretch = abs(shorter) * pause
        return shorter
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
        if concealedInRow + written > Self.soundConcealed { for i in 0..<written { scale(i, by: gain(after: concealedInRow &+ i)) } }
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
        let from = gain(after: concealedInRow)
        // Without a fade the voice ends at once; so does one that has faded.
        guard from > 0, let written = try? Self.conceal(samples: Self.fadeLength, with: &decoder, into: &pcm) else { return }
        for i in 0..<written { scale(i, by: from &* Int32(written &- i) / Int32(written)) }
        queue.append(pcm, count: written)
    }

    /// Q15, of a voice that was concealed for so many samples.
    private func gain(after concealed: Int) -> Int32 {
        let whole = Self.mostConcealed - Self.soundConcealed
        return Int32(min(whole, max(0, Self.mostConcealed &- concealed))) &* (1 << 15) / Int32(whole)
    }

    private mutating func scale(_ place: Int, by gain: Int32) { pcm[place] = Int16(truncatingIfNeeded: (Int32(pcm[place]) &* gain) >> 15) }

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
        let from = state == .silent ? 0 : gain(after: concealedInRow)
        if from < 1 << 15 {
            let length = min(Self.fadeLength, written)
            for i in 0..<length { scale(i, by: from &+ ((1 << 15) &- from) &* Int32(i) / Int32(length)) }
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
