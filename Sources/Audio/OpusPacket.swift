import COpus

/// What the first bytes of an Opus packet say (RFC 6716 §3.1), without decoding it.
package struct OpusPacket: Equatable, Sendable {
    /// Samples at 48 kHz, 120 … 5 760.
    package let samples: Int
    /// 1 or 2, as it was coded; a mono decoder takes either.
    package let channels: Int

    /// - Throws: `OpusError` for an empty packet, a frame count of none, or more than 120 ms.
    package init(parsing packet: RawSpan) throws(OpusError) {
        let (samples, channels) = packet.withUnsafeBytes { raw -> (Int32, Int32) in
            guard let bytes = raw.baseAddress?.assumingMemoryBound(to: UInt8.self), raw.count > 0 else { return (OPUS_INVALID_PACKET, 0) }
            return (opus_packet_get_nb_samples(bytes, Int32(clamping: raw.count), 48_000), opus_packet_get_nb_channels(bytes))
        }
        guard samples >= 0 else { throw OpusError(code: samples) }
        guard samples > 0, samples <= AudioFormat.mostSamplesPerPacket else { throw .invalidPacket }
        (self.samples, self.channels) = (Int(samples), Int(channels))
    }
}
