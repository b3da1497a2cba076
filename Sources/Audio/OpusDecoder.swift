import COpus

/// One Opus decoder, 48 kHz mono (stereo packets are mixed down). After any error it stays usable: the next good packet decodes.
package struct OpusDecoder: ~Copyable {
    private let handle: OpaquePointer
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
        let written = pcm.withUnsafeMutableBufferPointer { pcm in
            guard let out = pcm.baseAddress else { return OPUS_BAD_ARG }
            return opus_decode(handle, nil, 0, out, Int32(clamping: samples), 0)
        }
        guard written >= 0 else { throw OpusError(code: written) }
        return Int(written)
    }

    /// Forgets what was decoded, for a stream that begins anew.
    package mutating func reset() { _ = nc_opus_decoder_reset(handle) }

    private mutating func run(
        _ packet: RawSpan, samples: Int, isRecovery: Bool, into pcm: inout MutableSpan<Int16>
    ) throws(OpusError) -> Int {
        let written = packet.withUnsafeBytes { raw in
            pcm.withUnsafeMutableBufferPointer { pcm in
                guard let bytes = raw.baseAddress?.assumingMemoryBound(to: UInt8.self), let out = pcm.baseAddress else {
                    return OPUS_BAD_ARG
                }
                return opus_decode(handle, bytes, Int32(clamping: raw.count), out, Int32(clamping: samples), isRecovery ? 1 : 0)
            }
        }
        guard written >= 0 else { throw OpusError(code: written) }
        return Int(written)
    }
}
