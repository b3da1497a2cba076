import Base
import RTP
import Video

/// The encoder of one tier of one meeting.
package final class TierEncoder {
    private var encoder: VP8Encoder
    private var bytes: [UInt8] = []
    private var frames = PacketisedFramePool()
    private var lastKey: Instant?
    private var lastEncoded: Instant?

    /// How libvpx is set for a tier.
    package struct Setting: Equatable, Sendable {
        /// How much work goes into a picture.
        package struct Effort: Equatable, Sendable {
            /// libvpx's speed: less is slower, and better.
            package var speed: Int
            /// `VP8Encoder.Manner.unseenError`: less is slower, and better.
            package var unseenError: Int

            package init(speed: Int, unseenError: Int) {
                self.speed = speed
                self.unseenError = unseenError
            }
        }

        package var manner: VP8Encoder.Manner
        /// As long as there is time.
        package var speed: Int
        /// By `SpareTime.level`, from 1 on.
        package var spare: [Effort]

        package init(manner: VP8Encoder.Manner, speed: Int, spare: [Effort] = []) {
            self.manner = manner
            self.speed = speed
            self.spare = spare
        }

        /// As the server does it: chosen by `make bench CASE=quality` (docs/decisions/picture-quality.md).
        package static func usual(_ tier: Tier) -> Setting {
            let spare = [Effort(speed: 8, unseenError: 250), Effort(speed: 5, unseenError: 250)]
            if tier.content == .slides { return Setting(manner: .slides, speed: 4) }
            if tier.bitsPerSecond < 100_000 { return Setting(manner: .thin, speed: 6) }
            return Setting(manner: .sharp, speed: 8, spare: tier.id == .high ? spare : [])
        }

        /// - Parameter haste: as for `encode`.
        func effort(haste: Int) -> Effort {
            if haste < 0, !spare.isEmpty { return spare[min(-haste, spare.count) - 1] }
            let speed = haste > 0 ? Self.hastySpeeds[min(haste, Self.hastySpeeds.count) - 1] : speed
            return Effort(speed: speed, unseenError: manner.unseenError)
        }

        private static let hastySpeeds = [14, 16]
    }

    private let setting: Setting
    /// A picture that comes a little early is on time: beats are whole ticks of sound.
    private static let earliness = Duration.milliseconds(5)
    private let interval: Duration
    private let largestPayload: Int
    private var lastDue: Instant?
    private static let longestWait = Duration.milliseconds(480)

    /// - Parameter setting: nil is the usual one.
    package init?(_ tier: Tier, setting: Setting? = nil) {
        let setting = setting ?? .usual(tier)
        guard
            // Without memory for it the tier has no picture, and the next beat tries again.
            let encoder = try? VP8Encoder(
                width: tier.width, height: tier.height, framesPerSecond: tier.picturesPerSecond, bitsPerSecond: tier.bitsPerSecond,
                manner: setting.manner)
        else { return nil }
        self.encoder = encoder
        self.setting = setting
        interval = tier.interval
        largestPayload = tier.largestPayload
        bytes.reserveCapacity(256 << 10)
    }

    private static func packetise(
        _ bytes: [UInt8], isKey: Bool, captured: Instant, largest: Int, _ pool: inout PacketisedFramePool
    ) -> PacketisedFrame {
        pool.make(
            bytes.span, isKeyFrame: isKey, timestamp: BridgeClock.videoTimestamp(captured), captured: captured, largest: largest)
    }

    /// Whether the tier has a picture on this beat: one of fewer pictures a second leaves some out, where the meeting has more.
    /// - Parameter isAwaited: somebody waits for a key frame: slides come so seldom that it would be long.
    func isDue(_ captured: Instant, isAwaited: Bool = false) -> Bool {
        let interval = isAwaited ? min(interval, Self.longestWait) : interval
        if let lastDue, captured - lastDue < interval - Self.earliness { return false }
        lastDue = captured
        return true
    }

    func mayForceKey(now: Instant) -> Bool { lastKey.map { now - $0 >= Composer.keyFrameInterval } ?? true }

    /// After a pause nobody has the frames that the encoder would refer to.
    func wasPaused(now: Instant) -> Bool { lastEncoded.map { now - $0 > max(.seconds(1), interval * 3) } ?? true }

    /// - Parameter haste: how far the pictures are slowed down (`FramePace.level`): a coarser search for motion leaves time for more of them. Below zero: how
    ///   much time there is to spare (`SpareTime.level`).
    package func encode(_ picture: Picture, haste: Int = 0, forceKey: Bool, captured: Instant, now: Instant) -> PacketisedFrame? {
        let effort = setting.effort(haste: haste)
        encoder.setSpeed(effort.speed)
        encoder.setUnseenError(effort.unseenError)
        let duration = Int(((captured - (lastEncoded ?? captured - .milliseconds(40))).nanoseconds / 1_000 * 90 / 1_000))
        guard
            // What libvpx refuses is a picture left out; the next one is made anew.
            let isKey = try? encoder.encode(
                picture, forceKey: forceKey || wasPaused(now: now), timestamp: captured.nanoseconds / 1_000 * 90 / 1_000,
                duration: max(1, min(270_000, duration)),
                into: &bytes)
        else { return nil }
        lastEncoded = captured
        if isKey { lastKey = now }
        guard !bytes.isEmpty else { return nil }
        return Self.packetise(bytes, isKey: isKey, captured: captured, largest: largestPayload, &frames)
    }
}
