import CVPX

/// One VP8 encoder for real time: constant bit rate, one thread, no frame held back, none dropped, key frames on demand alone.
package struct VP8Encoder: ~Copyable {
    /// On the heap, because libvpx keeps pointers into it.
    private let context: UnsafeMutablePointer<vpx_codec_ctx_t>
    private var configuration: vpx_codec_enc_cfg_t
    private var speed = VP8Encoder.firstSpeed
    private var unseenError: Int
    private static let firstSpeed = 8

    /// - Parameter bitsPerSecond: the target; it is held over half a second.
    package init(
        width: Int, height: Int, framesPerSecond: Double, bitsPerSecond: Int, manner: Manner = .light
    ) throws(VPXError) {
        guard width >= 2, height >= 2, width <= 4_096, height <= 4_096, width & 1 == 0, height & 1 == 0 else {
            throw .pictureSize(width: width, height: height)
        }
        let configuration = try Self.configuration(width: width, height: height, bitsPerSecond: bitsPerSecond, manner: manner)
        let context = UnsafeMutablePointer<vpx_codec_ctx_t>.allocate(capacity: 1)
        do {
            try Self.open(context, configuration, manner)
        } catch {
            context.deallocate()
            throw error
        }
        self.context = context
        self.configuration = configuration
        unseenError = manner.unseenError
        _ = framesPerSecond  // libvpx derives it from the durations
    }

    deinit {
        vpx_codec_destroy(context)
        context.deallocate()
    }

    /// Encodes one picture of the encoder's size.
    /// - Parameter timestamp: 90 kHz, greater than the last one's.
    /// - Parameter duration: until the next picture, 90 kHz; the rate control reckons with it.
    /// - Parameter bytes: is replaced by the frame; its capacity is kept.
    /// - Returns: whether it is a key frame.
    package mutating func encode(
        _ picture: Picture, forceKey: Bool, timestamp: Int64, duration: Int, into bytes: inout [UInt8]
    ) throws(VPXError) -> Bool {
        guard picture.width == Int(configuration.g_w), picture.height == Int(configuration.g_h) else {
            throw .wrongSize(width: picture.width, height: picture.height)
        }
        let code = withExtendedLifetime(picture) {
            let planes = picture.planes
            var image = vpx_image_t()
            vpx_img_wrap(&image, VPX_IMG_FMT_I420, configuration.g_w, configuration.g_h, 1, planes.y)
            image.planes = (planes.y, planes.u, planes.v, nil)
            image.stride = (planes.strideY, planes.strideUV, planes.strideUV, 0)
            let flags = forceKey ? vpx_enc_frame_flags_t(VPX_EFLAG_FORCE_KF) : Self.lastOnly
            return vpx_codec_encode(context, &image, timestamp, UInt(max(duration, 1)), flags, UInt(VPX_DL_REALTIME))
        }
        guard code == VPX_CODEC_OK else { throw VPXError(code) }
        return try takeFrame(into: &bytes)
    }

    /// Only the last picture is looked at for motion, not the golden and the alternative one: an eighth of the time for 0.1 dB (docs/performance.md).
    private static let lastOnly = vpx_enc_frame_flags_t(VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF)

    /// libvpx's speed in real time, 1 … 16: faster costs quality.
    package mutating func setSpeed(_ speed: Int) {
        guard speed != self.speed, (1...16).contains(speed),
            nc_vp8_set(context, Int32(VP8E_SET_CPUUSED.rawValue), Int32(-speed)) == VPX_CODEC_OK
        else { return }
        self.speed = speed
    }

    /// `Manner.unseenError` from the next picture on.
    package mutating func setUnseenError(_ unseenError: Int) {
        guard unseenError != self.unseenError, unseenError >= 0,
            nc_vp8_set(context, Int32(VP8E_SET_STATIC_THRESHOLD.rawValue), Int32(clamping: unseenError)) == VPX_CODEC_OK
        else { return }
        self.unseenError = unseenError
    }

    /// Aims at another rate from the next picture on.
    package mutating func setBitrate(_ bitsPerSecond: Int) throws(VPXError) {
        var changed = configuration
        changed.rc_target_bitrate = Self.kilobits(bitsPerSecond)
        let code = vpx_codec_enc_config_set(context, &changed)
        guard code == VPX_CODEC_OK else { throw VPXError(code) }
        configuration = changed
    }

    private func takeFrame(into bytes: inout [UInt8]) throws(VPXError) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        var iterator: vpx_codec_iter_t?
        var isKeyFrame = false
        while let packet = vpx_codec_get_cx_data(context, &iterator) {
            var (size, isKey) = (0, Int32(0))
            guard let data = nc_vpx_frame_data(packet, &size, &isKey) else { continue }
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: data, count: size))
            isKeyFrame = isKeyFrame || isKey != 0
        }
        guard !bytes.isEmpty else { throw .emptyFrame }
        return isKeyFrame
    }

    private static func kilobits(_ bitsPerSecond: Int) -> UInt32 { UInt32(min(max(bitsPerSecond, 10_000), 20_000_000) / 1_000) }

    private static func configuration(
        width: Int, height: Int, bitsPerSecond: Int, manner: Manner
    ) throws(VPXError) -> vpx_codec_enc_cfg_t {
        var made = vpx_codec_enc_cfg_t()
        let code = nc_vp8_encoder_defaults(&made)
        guard code == VPX_CODEC_OK else { throw VPXError(code) }
        (made.g_w, made.g_h, made.g_threads, made.g_lag_in_frames) = (UInt32(width), UInt32(height), 1, 0)
        made.g_timebase = vpx_rational_t(num: 1, den: 90_000)
        made.g_pass = VPX_RC_ONE_PASS
        made.g_profile = UInt32(manner.version)
        made.g_error_resilient = 0  // losses are mended by retransmission and key frames, not by worse compression
        made.kf_mode = VPX_KF_DISABLED
        made.rc_end_usage = VPX_CBR
        made.rc_target_bitrate = kilobits(bitsPerSecond)
        (made.rc_dropframe_thresh, made.rc_resize_allowed) = (0, 0)
        (made.rc_min_quantizer, made.rc_max_quantizer) = (4, UInt32(manner.coarsest))
        (made.rc_undershoot_pct, made.rc_overshoot_pct) = (100, 15)
        let holds = UInt32(manner.holds)
        (made.rc_buf_sz, made.rc_buf_initial_sz, made.rc_buf_optimal_sz) = (holds, holds * 3 / 5, holds * 7 / 10)
        return made
    }

    private static func open(
        _ context: UnsafeMutablePointer<vpx_codec_ctx_t>, _ configuration: vpx_codec_enc_cfg_t, _ manner: Manner
    ) throws(VPXError) {
        context.initialize(to: vpx_codec_ctx_t())
        var configuration = configuration
        var code = nc_vp8_encoder_init(context, &configuration)
        guard code == VPX_CODEC_OK else { throw VPXError(code) }
        let controls = [
            (VP8E_SET_CPUUSED, -firstSpeed), (VP8E_SET_STATIC_THRESHOLD, manner.unseenError), (VP8E_SET_NOISE_SENSITIVITY, 0),
            (VP8E_SET_TOKEN_PARTITIONS, 0),
            (VP8E_SET_MAX_INTRA_BITRATE_PCT, manner.largestKeyShare),
        ]
        for (control, value) in controls where code == VPX_CODEC_OK {
            code = nc_vp8_set(context, Int32(control.rawValue), Int32(value))
        }
        guard code == VPX_CODEC_OK else {
            vpx_codec_destroy(context)
            throw VPXError(code)
        }
    }
}
