import COpus

/// One Opus decoder, 48 kHz mono. It begins with one channel; the first stereo packet makes it one of two, which are folded here, since half the sum that
/// libopus would give is silence where they are opposite. After any error it stays usable: the next good packet decodes.
package struct OpusDecoder: ~Copyable {
    private var handle: OpaquePointer
    /// nil while every packet was mono.
    private var fold: StereoFold?
    private var pairs: [Int16] = []
    deinit { opus_decoder_destroy(handle) }

    package init() throws(OpusError) {
        var code: Int32 = 0
        guard let handle = opus_decoder_create(48_000, 1, &code) else { throw OpusError(code: code) }
        self.handle = handle
    }

    /// - Parameter pcm: room for `AudioFormat.mostSamplesPerPacket`; less is enough where the packet is known to be shorter.
    /// - Returns: the samples written.
    /// - Throws: `OpusError` for what is not Opus, or too little room.
    package mutating func decode(_ packet: RawSpan, into pcm: inout MutableSpan<Int16>) throws(OpusError) -> Int {
        // libopus takes an empty packet for a lost one; here that is an error, because `conceal` exists.
        guard packet.byteCount > 0 else { throw .invalidPacket }
        return try run(packet, samples: pcm.count, isRecovery: false, into: &pcm)
    }

    /// The sound of a lost packet, from the coarse copy that its successor carries (in-band FEC); concealment where it carries none.
    /// - Parameter samples: how long the lost packet was.
    package mutating func recover(from next: RawSpan, samples: Int, into pcm: inout MutableSpan<Int16>) throws(OpusError) -> Int {
        guard next.byteCount > 0, samples <= pcm.count else { throw .badArgument }
        return try run(next, samples: samples, isRecovery: true, into: &pcm)
    }

    /// Goes on from what was heard last (packet loss concealment); fades by itself when repeated.
    /// - Parameter samples: a multiple of 120 (2.5 ms).
    package mutating func conceal(samples: Int, into pcm: inout MutableSpan<Int16>) throws(OpusError) -> Int {
        guard samples > 0, samples <= pcm.count else { throw .badArgument }
        return try decode(nil, 0, samples: samples, isRecovery: true, into: &pcm)
    }

    /// Forgets what was decoded, for a stream that begins anew.
    package mutating func reset() {
        _ = nc_opus_decoder_reset(handle)
        if fold != nil { fold = StereoFold() }
    }

    private mutating func run(
        _ packet: RawSpan, samples: Int, isRecovery: Bool, into pcm: inout MutableSpan<Int16>
    ) throws(OpusError) -> Int {
        // The TOC byte's bit for two channels (RFC 6716 §3.1).
        if fold == nil, packet.unsafeLoad(fromByteOffset: 0, as: UInt8.self) & 4 != 0 { widen() }
        let written: Result<Int, OpusError> = packet.withUnsafeBytes { raw in
            guard let bytes = raw.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return .failure(.badArgument) }
            do throws(OpusError) {
                return .success(try decode(bytes, raw.count, samples: samples, isRecovery: isRecovery, into: &pcm))
            } catch { return .failure(error) }
        }
        return try written.get()
    }

    /// Goes over to two channels, once. What the decoder knew of the sound before is gone, which is a few milliseconds.
    private mutating func widen() {
        var code: Int32 = 0
        guard let wide = opus_decoder_create(48_000, 2, &code) else { return }
        opus_decoder_destroy(handle)
        handle = wide
        fold = StereoFold()
        pairs = [Int16](repeating: 0, count: 2 * AudioFormat.mostSamplesPerPacket)
    }

    /// - Parameter bytes: nil for a lost packet.
    private mutating func decode(
        _ bytes: UnsafePointer<UInt8>?, _ count: Int, samples: Int, isRecovery: Bool, into pcm: inout MutableSpan<Int16>
    ) throws(OpusError) -> Int {
        let flag: Int32 = bytes != nil && isRecovery ? 1 : 0
        let room = fold == nil ? samples : min(samples, AudioFormat.mostSamplesPerPacket)
        let handle = handle
        let written =
            fold == nil
            ? pcm.withUnsafeMutableBufferPointer { pcm in
                guard let out = pcm.baseAddress else { return OPUS_BAD_ARG }
                return opus_decode(handle, bytes, Int32(clamping: count), out, Int32(clamping: room), flag)
            }
            : pairs.withUnsafeMutableBufferPointer { pairs in
                guard let out = pairs.baseAddress else { return OPUS_BAD_ARG }
                return opus_decode(handle, bytes, Int32(clamping: count), out, Int32(clamping: room), flag)
            }
        guard written >= 0 else { throw OpusError(code: written) }
        fold?.fold(pairs, count: Int(written), decides: !isRecovery, into: &pcm)
        return Int(written)
    }
}
