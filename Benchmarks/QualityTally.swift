import Base
import Foundation
import MCU
import RTP
import Video

/// One way to set libvpx up.
struct Contender {
    let name: String
    let tiers: [Tier]
    /// Makes an encoder of a tier: it replaces `bytes` by what a receiver gets of the picture on beat `beat`, `beats` before the next one, and says how many of
    /// them the encoder made.
    let start: (Tier) throws -> (_ picture: Picture, _ beat: Int, _ beats: Int, _ bytes: inout [UInt8]) throws -> Int

    /// libvpx as anybody would set it up for a call: `cpu-used` −8, version 0.
    static var usual: Contender { Contender(name: "usual", tiers: TierTable.usual.tiers, start: startUsual) }

    private static func startUsual(_ tier: Tier) throws -> (Picture, Int, Int, inout [UInt8]) throws -> Int {
        let encoder = try BareEncoder(tier)
        return { picture, beat, beats, bytes in
            bytes.removeAll(keepingCapacity: true)
            encoder.encode(picture, beat, beats: beats) { bytes.append(contentsOf: $0) }
            return bytes.count
        }
    }

    /// The server's own.
    /// - Parameter haste: as for `TierEncoder.encode`.
    static func server(
        _ name: String, _ tiers: [Tier] = TierTable.usual.tiers, setting: TierEncoder.Setting? = nil, haste: Int = 0
    ) -> Contender {
        Contender(name: name, tiers: tiers) { tier in
            guard let encoder = TierEncoder(tier, setting: setting) else { throw BenchError(description: "libvpx does not start") }
            return { picture, beat, _, bytes in
                let captured = Instant(nanoseconds: Int64(beat + 1) * 40_000_000)
                guard let frame = encoder.encode(picture, haste: haste, forceKey: beat == 0, captured: captured, now: captured) else {
                    throw BenchError(description: "libvpx refuses a picture")
                }
                bytes.removeAll(keepingCapacity: true)
                for index in 0..<frame.count {
                    // After the descriptor's one byte.
                    frame.withPayload(index) { payload in payload.withUnsafeBufferPointer { bytes.append(contentsOf: $0.dropFirst()) } }
                }
                return frame.encodedBytes
            }
        }
    }
}

/// What became of one scene in one tier.
final class QualityTally {
    let tier: Tier
    let contender: Contender
    private let encode: (Picture, Int, Int, inout [UInt8]) throws -> Int
    private var decoder: VP8Decoder
    private let pool = PicturePool()
    private var bytes: [UInt8] = []

    private var (count, encodedBytes) = (0, 0)
    private var (ssimSum, psnrSum, encodeSum, decodeSum) = (0.0, 0.0, 0.0, 0.0)
    /// The last picture that a receiver saw.
    private(set) var seen: Picture?

    init(_ tier: Tier, _ contender: Contender) throws {
        self.tier = tier
        self.contender = contender
        encode = try contender.start(tier)
        decoder = try VP8Decoder()
    }

    /// - Parameter isMeasured: false while the rate settles.
    func take(_ picture: Picture, _ number: Int, isMeasured: Bool) throws {
        // A span is of a local's bytes, not of an object's.
        var frame: [UInt8] = []
        swap(&frame, &bytes)
        defer { swap(&frame, &bytes) }
        let start = Codecs.now()
        let encoded = try encode(picture, number, tier == .low ? 2 : 1, &frame)
        let between = Codecs.now()
        let decoded = try decoder.decode(frame.span, pool: pool)
        let end = Codecs.now()
        guard let decoded else { throw BenchError(description: "a frame is not shown") }
        seen = decoded
        guard isMeasured else { return }
        count += 1
        encodedBytes += encoded
        encodeSum += between - start
        decodeSum += end - between
        ssimSum += decoded.ssim(against: picture)
        psnrSum += decoded.psnr(against: picture)
    }

    var ssim: Double { ssimSum / Double(max(count, 1)) }
    var psnr: Double { psnrSum / Double(max(count, 1)) }
    var kilobits: Double { Double(8 * encodedBytes) / Double(max(count, 1)) * tier.picturesPerSecond / 1_000 }
    /// Milliseconds of a core for a picture.
    var encodeTime: Double { encodeSum * 1_000 / Double(max(count, 1)) }
    var decodeTime: Double { decodeSum * 1_000 / Double(max(count, 1)) }
}
