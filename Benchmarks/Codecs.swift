import COpus
import CVPX
import Foundation
import Video

/// The bare libraries on the work that a case does: the floor under the server.
enum Codecs {
    static var versions: String {
        "\(String(cString: opus_get_version_string())), libvpx \(String(cString: vpx_codec_version_str()))"
    }

    /// Seconds of one core that `body` takes, per call.
    private static func seconds(_ count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
        var from = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from)
        for index in 0..<count { try body(index) }
        var to = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to)
        return (Double(to.tv_sec - from.tv_sec) + Double(to.tv_nsec - from.tv_nsec) / 1e9) / Double(count)
    }

    /// Decoding one frame of an IVF file with bare libvpx.
    static func decodeSeconds(_ ivf: IVFReader) throws -> Double {
        var context = vpx_codec_ctx_t()
        guard nc_vp8_decoder_init(&context, nil) == VPX_CODEC_OK else { throw BenchError(description: "libvpx does not start") }
        defer { vpx_codec_destroy(&context) }
        return seconds(ivf.count * 2) { index in
            ivf.withFrame(index) { frame in
                frame.withUnsafeBufferPointer { _ = vpx_codec_decode(&context, $0.baseAddress, UInt32($0.count), nil, 0) }
                var iterator: vpx_codec_iter_t?
                _ = vpx_codec_get_frame(&context, &iterator)
            }
        }
    }

    /// Encoding one 1280×720 picture of twelve moving tiles, configured as the server's high tier.
    static func encodeSeconds(_ ivf: IVFReader) throws -> Double {
        let pool = PicturePool(capacity: 64)
        var decoder = try VP8Decoder()
        let compositor = Compositor()
        let ids = (0..<12).map { _ in UUID() }
        var canvases: [Picture] = []
        for index in 0..<40 {
            let picture = try ivf.withFrame(index) { try decoder.decode($0, pool: pool) }
            let tiles = ids.map { TileContent(id: $0, name: "Đắk Lắk", picture: picture, isSpeaking: false, isMuted: false) }
            let canvas = compositor.compose(tiles, layout: .grid, waitingText: "").canvas
            let kept = Picture(width: canvas.width, height: canvas.height)
            kept.copy(from: canvas)
            canvases.append(kept)
        }
        let tier = VideoTier.high
        var encoder = try VP8Encoder(
            width: tier.width, height: tier.height, framesPerSecond: tier.framesPerSecond, bitsPerSecond: tier.bitsPerSecond)
        var bytes: [UInt8] = []
        return try seconds(200) { index in
            _ = try encoder.encode(
                canvases[index % canvases.count], forceKey: index == 0, timestamp: Int64(index) * 3_600, duration: 3_600, into: &bytes)
        }
    }

    /// Encoding and decoding 20 ms of sound with bare libopus, as the server is configured.
    static func opusSeconds() throws -> (encode: Double, decode: Double) {
        var code: Int32 = 0
        guard let encoder = opus_encoder_create(48_000, 1, OPUS_APPLICATION_VOIP, &code),
            let decoder = opus_decoder_create(48_000, 1, &code)
        else {
            throw BenchError(description: "libopus does not start")
        }
        defer {
            opus_encoder_destroy(encoder)
            opus_decoder_destroy(decoder)
        }
        _ = nc_opus_encoder_set_bitrate(encoder, 40_000)
        _ = nc_opus_encoder_set_complexity(encoder, 5)
        _ = nc_opus_encoder_set_inband_fec(encoder, 1)
        _ = nc_opus_encoder_set_packet_loss_percent(encoder, 5)
        var packets: [[UInt8]] = []
        var room = [UInt8](repeating: 0, count: 1_276)
        let sound = (0..<50).map { tick in (0..<960).map { Int16(8_000 * sin(2 * .pi * 440 * Double(tick * 960 + $0) / 48_000)) } }
        let encode = seconds(1_000) { index in
            let length = opus_encode(encoder, sound[index % 50], 960, &room, 1_276)
            if index < 50, length > 0 { packets.append(Array(room.prefix(Int(length)))) }
        }
        var pcm = [Int16](repeating: 0, count: 5_760)
        let decode = seconds(1_000) { index in
            let packet = packets[index % packets.count]
            _ = opus_decode(decoder, packet, Int32(packet.count), &pcm, 5_760, 0)
        }
        return (encode, decode)
    }
}
