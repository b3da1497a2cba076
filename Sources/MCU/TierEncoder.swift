import RTP
import Video

/// The encoder of one tier of one meeting.
package final class TierEncoder {
    private var encoder: VP8Encoder
    private var bytes: [UInt8] = []
    private var frames = PacketisedFramePool()
    private var lastKey: Instant?
    private var lastEncoded: Instant?

    /// libvpx's speed: the large picture goes over lines that carry it well, and costs most; the small ones need each bit.
    private let calm: Int
    private static let (calmHigh, calmSmall) = (12, 8)
    private static let speeds = [14, 16]

    /// A picture that comes a little early is on time: beats are whole ticks of sound.
    private static let earliness = Duration.milliseconds(5)
    private let interval: Duration
    private var lastDue: Instant?

    package init?(_ tier: Tier) {
        guard
            let encoder = try? VP8Encoder(
                width: tier.width, height: tier.height, framesPerSecond: tier.picturesPerSecond, bitsPerSecond: tier.bitsPerSecond)
        else { return nil }
        self.encoder = encoder
        interval = tier.interval
        calm = tier.id == .high && tier.content == .moving ? Self.calmHigh : Self.calmSmall
        bytes.reserveCapacity(256 << 10)
    }

    private static func packetise(_ bytes: [UInt8], isKey: Bool, captured: Instant, _ pool: inout PacketisedFramePool) -> PacketisedFrame {
        pool.make(bytes.span, isKeyFrame: isKey, timestamp: BridgeClock.videoTimestamp(captured), captured: captured)
    }

    /// Whether the tier has a picture on this beat: one of fewer pictures a second leaves some out, where the meeting has more.
    func isDue(_ captured: Instant) -> Bool {
        if let lastDue, captured - lastDue < interval - Self.earliness { return false }
        lastDue = captured
        return true
    }

    func mayForceKey(now: Instant) -> Bool { lastKey.map { now - $0 >= Composer.keyFrameInterval } ?? true }

    /// After a pause nobody has the frames that the encoder would refer to.
    func wasPaused(now: Instant) -> Bool { lastEncoded.map { now - $0 > max(.seconds(1), interval * 3) } ?? true }

    /// - Parameter haste: how far the pictures are slowed down (`FramePace.level`): a coarser search for motion leaves time for more of them.
    package func encode(_ picture: Picture, haste: Int = 0, forceKey: Bool, captured: Instant, now: Instant) -> PacketisedFrame? {
        encoder.setSpeed(haste == 0 ? calm : Self.speeds[min(haste, Self.speeds.count) - 1])
        let duration = Int(((captured - (lastEncoded ?? captured - .milliseconds(40))).nanoseconds / 1_000 * 90 / 1_000))
        guard
            let isKey = try? encoder.encode(
                picture, forceKey: forceKey || wasPaused(now: now), timestamp: captured.nanoseconds / 1_000 * 90 / 1_000,
                duration: max(1, min(90_000, duration)),
                into: &bytes)
        else { return nil }
        lastEncoded = captured
        if isKey { lastKey = now }
        guard !bytes.isEmpty else { return nil }
        return Self.packetise(bytes, isKey: isKey, captured: captured, &frames)
    }
}
