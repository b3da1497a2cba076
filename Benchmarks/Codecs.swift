import Audio
import Base
import COpus
import CVPX
import Foundation
import Net
import RTP
import Video

import MCU

/// The bare libraries on the work that a case does.
enum Codecs {
    static var versions: String {
        "\(String(cString: opus_get_version_string())), libvpx \(String(cString: vpx_codec_version_str()))"
    }

    /// Seconds of a core that this thread has had.
    static func now() -> Double { MediaClock.work().seconds }

    /// Seconds of one core that `body` takes, per call.
    private static func seconds(_ count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
        let start = now()
        for index in 0..<count { try body(index) }
        return (now() - start) / Double(count)
    }

    private final class BareDecoder {
        var context = vpx_codec_ctx_t()
        init() throws {
            guard nc_vp8_decoder_init(&context, nil) == VPX_CODEC_OK else { throw BenchError(description: "libvpx does not start") }
        }
        deinit { vpx_codec_destroy(&context) }
        func decode(_ frame: [UInt8]) {
            frame.withUnsafeBufferPointer { _ = vpx_codec_decode(&context, $0.baseAddress, UInt32($0.count), nil, 0) }
            var iterator: vpx_codec_iter_t?
            _ = vpx_codec_get_frame(&context, &iterator)
        }
    }

    /// The server's own.
    private final class OwnEncoder {
        let encoder: TierEncoder
        init(_ tier: Tier) throws {
            guard let made = TierEncoder(tier) else { throw BenchError(description: "libvpx does not start") }
            encoder = made
        }
        func encode(_ picture: Picture, _ beat: Int) {
            let captured = Instant(nanoseconds: Int64(beat + 1) * 40_000_000)
            _ = encoder.encode(picture, forceKey: beat == 0, captured: captured, now: captured)
        }
    }

    /// A frame of each of `senders` decoded, then the composed picture encoded in each tier, again and again: seconds of a decode, and of an encode by tier,
    /// bare and as the server does it.
    /// - Parameter frames: what each sender sends.
    static func videoSeconds(
        _ ivf: IVFReader, frames: [[UInt8]], senders: Int
    ) throws -> (decode: Double, encode: [Double], own: [Double]) {
        let canvases = try compose(ivf, senders: senders)
        let decoders = try (0..<senders).map { _ in try BareDecoder() }
        let bare = try TierTable.usual.tiers.map { try BareEncoder($0) }
        let own = try TierTable.usual.tiers.map { try OwnEncoder($0) }
        var decode = 0.0
        var (encode, ownEncode) = (Floor.noTier, Floor.noTier)
        let beats = 40
        for beat in 0..<beats {
            var start = now()
            for decoder in decoders { decoder.decode(frames[beat % frames.count]) }
            decode += now() - start
            for tier in TierTable.usual.tiers.indices {
                let picture = canvases[beat % canvases.count][tier]
                start = now()
                bare[tier].encode(picture, beat)
                encode[tier] += now() - start
                start = now()
                own[tier].encode(picture, beat)
                ownEncode[tier] += now() - start
            }
        }
        return (decode / Double(beats * senders), encode.map { $0 / Double(beats) }, ownEncode.map { $0 / Double(beats) })
    }

    /// Pictures of `senders` tiles in the sizes of the tiers.
    private static func compose(_ ivf: IVFReader, senders: Int) throws -> [[Picture]] {
        var decoder = try VP8Decoder()
        let compositor = Compositor()
        let pool = PicturePool()
        let ids = (0..<senders).map { _ in UUID() }
        return try (0..<40).map { index in
            let picture = try ivf.withFrame(index) { try decoder.decode($0, pool: pool) }
            let tiles = ids.map { TileContent(id: $0, name: "Đắk Lắk", picture: picture, isSpeaking: false, isMuted: false) }
            _ = compositor.compose(tiles, layout: .grid, waitingText: "")
            return TierTable.usual.tiers.map { tier in
                let drawn = compositor.scaled(to: tier)
                let kept = Picture(width: drawn.width, height: drawn.height)
                kept.copy(from: drawn)
                return kept
            }
        }
    }

    /// Encoding and decoding 20 ms of speech with bare libopus, as the server is configured for lines without loss.
    static func opusSeconds(_ path: String) throws -> (encode: Double, decode: Double) {
        let file = try OggOpusFile(parsing: [UInt8](Data(contentsOf: URL(filePath: path))).span.bytes)
        var code: Int32 = 0
        guard let encoder = opus_encoder_create(48_000, 1, OPUS_APPLICATION_RESTRICTED_LOWDELAY, &code),
            let decoder = opus_decoder_create(48_000, 1, &code)
        else { throw BenchError(description: "libopus does not start") }
        defer {
            opus_encoder_destroy(encoder)
            opus_decoder_destroy(decoder)
        }
        _ = nc_opus_encoder_set_bitrate(encoder, 40_000)
        _ = nc_opus_encoder_set_complexity(encoder, 5)
        let packets = (0..<min(500, file.packetCount)).map { Array(file[$0]) }
        var ticks: [[Int16]] = []
        var pcm = [Int16](repeating: 0, count: 5_760)
        let decode = seconds(packets.count) { index in
            let count = opus_decode(decoder, packets[index], Int32(packets[index].count), &pcm, 5_760, 0)
            if count >= 960 { ticks.append(Array(pcm.prefix(960))) }
        }
        guard !ticks.isEmpty else { throw BenchError(description: "\(path) has no packets of 20 ms") }
        var room = [UInt8](repeating: 0, count: 1_276)
        let encode = seconds(1_000) { index in _ = opus_encode(encoder, ticks[index % ticks.count], 960, &room, 1_276) }
        return (encode, decode)
    }
}
