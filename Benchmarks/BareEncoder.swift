import CVPX
import RTP
import Video

/// libvpx as anybody would set it up for a call, `cpu-used` −8, with the rates of our tiers.
final class BareEncoder {
    var context = vpx_codec_ctx_t()
    var configuration = vpx_codec_enc_cfg_t()

    init(_ tier: Tier) throws {
        guard nc_vp8_encoder_defaults(&configuration) == VPX_CODEC_OK else { throw BenchError(description: "libvpx does not start") }
        (configuration.g_w, configuration.g_h, configuration.g_threads) = (UInt32(tier.width), UInt32(tier.height), 1)
        (configuration.g_lag_in_frames, configuration.kf_mode, configuration.rc_end_usage) = (0, VPX_KF_DISABLED, VPX_CBR)
        configuration.g_timebase = vpx_rational_t(num: 1, den: 90_000)
        configuration.rc_target_bitrate = UInt32(tier.bitsPerSecond / 1_000)
        (configuration.rc_dropframe_thresh, configuration.rc_min_quantizer, configuration.rc_max_quantizer) = (0, 4, 56)
        (configuration.rc_buf_sz, configuration.rc_buf_initial_sz, configuration.rc_buf_optimal_sz) = (500, 300, 350)
        guard nc_vp8_encoder_init(&context, &configuration) == VPX_CODEC_OK else {
            throw BenchError(description: "libvpx does not start")
        }
        _ = nc_vp8_set(&context, Int32(VP8E_SET_CPUUSED.rawValue), -8)
        _ = nc_vp8_set(&context, Int32(VP8E_SET_STATIC_THRESHOLD.rawValue), 1)
    }

    deinit { vpx_codec_destroy(&context) }

    /// - Parameters:
    ///   - beat: since the start, 25 a second.
    ///   - beats: until the next picture.
    ///   - take: is lent the frame.
    func encode(_ picture: Picture, _ beat: Int, beats: Int = 1, take: (UnsafeRawBufferPointer) -> Void = { _ in }) {
        let planes = picture.planes
        var image = vpx_image_t()
        vpx_img_wrap(&image, VPX_IMG_FMT_I420, configuration.g_w, configuration.g_h, 1, planes.y)
        image.planes = (planes.y, planes.u, planes.v, nil)
        image.stride = (planes.strideY, planes.strideUV, planes.strideUV, 0)
        _ = vpx_codec_encode(&context, &image, Int64(beat) * 3_600, UInt(3_600 * beats), 0, UInt(VPX_DL_REALTIME))
        var iterator: vpx_codec_iter_t?
        while let packet = vpx_codec_get_cx_data(&context, &iterator) {
            var (size, isKey) = (0, Int32(0))
            if let data = nc_vpx_frame_data(packet, &size, &isKey) { take(UnsafeRawBufferPointer(start: data, count: size)) }
        }
    }
}
