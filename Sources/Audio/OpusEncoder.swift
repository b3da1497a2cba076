import COpus

/// One Opus encoder, 48 kHz mono. Owns the C handle: freed exactly once, never copied, never used after.
package struct OpusEncoder: ~Copyable {
    /// What libopus tunes itself for (RFC 6716 §2.1).
    package enum Application: Sendable { case voip, audio, lowDelay }

    /// RFC 6716 §2: up to 4, 6, 8, 12 and 20 kHz.
    package enum Bandwidth: Int, Sendable, CaseIterable { case narrow, medium, wide, superWide, full }

    package struct Settings: Sendable, Equatable {
        package var application = Application.voip
        package var bitsPerSecond: Int32 = 32_000
        /// 0 (least work) … 10.
        package var complexity: Int32 = 5
        /// In-band forward error correction (RFC 6716 §2.1.7): a packet then also carries its predecessor, coarsely.
        package var sendsForwardErrorCorrection = true
        /// 0 … 100; without an expected loss libopus spends nothing on error correction.
        package var expectedLossPercent: Int32 = 5
        /// The highest sound that is coded.
        package var bandwidth = Bandwidth.full
        /// Discontinuous transmission (RFC 6716 §2.1.9): silence becomes packets of one or two bytes, which need not be sent.
        package var usesDiscontinuousTransmission = false
        package init() {}
    }

    private let handle: OpaquePointer
    deinit { opus_encoder_destroy(handle) }

    package init(_ settings: Settings = Settings()) throws(OpusError) {
        var code: Int32 = 0
        guard let handle = opus_encoder_create(48_000, 1, settings.application.code, &code) else { throw OpusError(code: code) }
        let refusals = [
            nc_opus_encoder_set_bitrate(handle, settings.bitsPerSecond),
            nc_opus_encoder_set_complexity(handle, settings.complexity),
            nc_opus_encoder_set_inband_fec(handle, settings.sendsForwardErrorCorrection ? 1 : 0),
            nc_opus_encoder_set_packet_loss_percent(handle, settings.expectedLossPercent),
            nc_opus_encoder_set_max_bandwidth(handle, settings.bandwidth.code),
            nc_opus_encoder_set_dtx(handle, settings.usesDiscontinuousTransmission ? 1 : 0),
        ]
        if let refusal = refusals.first(where: { $0 != OPUS_OK }) {
            opus_encoder_destroy(handle)  // deinit is for whole values only: nothing may throw after `self` is whole
            throw OpusError(code: refusal)
        }
        self.handle = handle
    }

    /// - Parameters:
    ///   - pcm: 120, 240, 480, 960, 1 920 or 2 880 samples.
    ///   - packet: room for the packet; `AudioFormat.mostBytesPerFrame` suffice for 20 ms.
    ///   - most: bytes that the packet may have at most, whatever the bitrate.
    /// - Returns: the bytes written. Two or fewer mean that nothing needs to be sent (DTX).
    package mutating func encode(_ pcm: Span<Int16>, into packet: inout MutableSpan<UInt8>, atMost most: Int = .max) throws(OpusError)
        -> Int
    {
        let written = pcm.withUnsafeBufferPointer { pcm in
            packet.withUnsafeMutableBufferPointer { packet in
                guard let samples = pcm.baseAddress, let bytes = packet.baseAddress else { return OPUS_BAD_ARG }
                return opus_encode(handle, samples, Int32(clamping: pcm.count), bytes, Int32(clamping: min(packet.count, most)))
            }
        }
        guard written >= 0 else { throw OpusError(code: written) }
        return Int(written)
    }
}

extension OpusEncoder.Application {
    fileprivate var code: Int32 {
        switch self {
        case .voip: OPUS_APPLICATION_VOIP
        case .audio: OPUS_APPLICATION_AUDIO
        case .lowDelay: OPUS_APPLICATION_RESTRICTED_LOWDELAY
        }
    }
}

extension OpusEncoder.Bandwidth {
    fileprivate var code: Int32 {
        switch self {
        case .narrow: OPUS_BANDWIDTH_NARROWBAND
        case .medium: OPUS_BANDWIDTH_MEDIUMBAND
        case .wide: OPUS_BANDWIDTH_WIDEBAND
        case .superWide: OPUS_BANDWIDTH_SUPERWIDEBAND
        case .full: OPUS_BANDWIDTH_FULLBAND
        }
    }
}
