import RTP
import Video

/// The encoder of one tier of one meeting.
final class TierEncoder {
    private var encoder: VP8Encoder
    private var bytes: [UInt8] = []
    private var frames = PacketisedFramePool()
    private var lastKey: Instant?
    private var lastEncoded: Instant?

    init?(_ tier: VideoTier) {
        guard
            let encoder = try? VP8Encoder(
                width: tier.width, height: tier.height, framesPerSecond: tier.framesPerSecond, bitsPerSecond: tier.bitsPerSecond)
        else { return nil }
        self.encoder = encoder
        bytes.reserveCapacity(256 << 10)
    }

    private static func packetise(_ bytes: [UInt8], isKey: Bool, captured: Instant, _ pool: inout PacketisedFramePool) -> PacketisedFrame {
        pool.make(bytes.span, isKeyFrame: isKey, timestamp: BridgeClock.videoTimestamp(captured), captured: captured)
    }

    func mayForceKey(now: Instant) -> Bool { lastKey.map { now - $0 >= Composer.keyFrameInterval } ?? true }

    func encode(_ picture: Picture, forceKey: Bool, captured: Instant, now: Instant) -> PacketisedFrame? {
        // After a pause nobody has the frames that the encoder would refer to.
        let wasPaused = lastEncoded.map { now - $0 > .seconds(1) } ?? true
        let duration = Int(((captured - (lastEncoded ?? captured - .milliseconds(40))).nanoseconds / 1_000 * 90 / 1_000))
        guard
            let isKey = try? encoder.encode(
                picture, forceKey: forceKey || wasPaused, timestamp: captured.nanoseconds / 1_000 * 90 / 1_000,
                duration: max(1, min(90_000, duration)),
                into: &bytes)
        else { return nil }
        lastEncoded = captured
        if isKey { lastKey = now }
        guard !bytes.isEmpty else { return nil }
        return Self.packetise(bytes, isKey: isKey, captured: captured, &frames)
    }
}
