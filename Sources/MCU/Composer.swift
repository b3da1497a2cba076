import Foundation
import RTP
import Synchronization
import Video

/// One meeting's picture: on each beat it takes what the senders' decoders have, composes, and encodes once for each tier that somebody receives.
final class Composer: CodecJob {
    /// Between two forced key frames of a tier, whatever the number of those who ask.
    static let keyFrameInterval = Duration.seconds(1)

    struct Counters: Sendable {
        var composed: UInt64 = 0
        var skipped: UInt64 = 0
        var keyFrames: UInt64 = 0
        /// By tier.
        var encoded = InlineArray<3, UInt64>(repeating: 0)
        var longestIntervalMilliseconds = 0.0
        var decoded: UInt64 = 0
        var refused: UInt64 = 0
        var dropped: UInt64 = 0

        mutating func add(_ other: Counters) {
            composed += other.composed
            skipped += other.skipped
            keyFrames += other.keyFrames
            for tier in 0..<3 { encoded[tier] += other.encoded[tier] }
            longestIntervalMilliseconds = max(longestIntervalMilliseconds, other.longestIntervalMilliseconds)
            decoded += other.decoded
            refused += other.refused
            dropped += other.dropped
        }

        mutating func add(_ decoder: VideoSource.Counters) {
            decoded += decoder.decoded
            refused += decoder.refused
            dropped += decoder.dropped
        }
    }

    private struct View: Sendable {
        var speaker: UUID?
        var layout = LayoutChoice.grid
        var counters = Counters()
    }

    /// Invariant behind `@unchecked`: touched by `run` alone, which the pool never runs twice at a time.
    private final class Bench: @unchecked Sendable {
        let compositor: Compositor
        var encoders: [TierEncoder?] = [nil, nil, nil]
        var tiles: [TileContent] = []
        /// Who has a tile, in order, and who should have.
        var shown: [Bridge.Member] = []
        var next: [Bridge.Member] = []
        /// `shown` stays for a moment until the picture of a newcomer in `next` is there.
        var isAwaiting = false
        var beats: UInt64 = 0
        var lastComposed: Instant?
        /// Beats since anything on the canvas was new.
        var stillBeats = 0
        init() { compositor = Compositor() }
    }

    let ticket = CodecTicket(isUrgent: true)
    private let view = Guarded(View())
    /// A bit for each tier in which somebody waits for a key frame.
    private let keyFramesWanted = Atomic<Int>(0)
    private let bench = Bench()
    private let staleAfter: Duration

    init(core: MediaCore) {
        staleAfter = core.configuration.staleAfter
    }

    /// Who is shown large.
    var speaker: UUID? {
        get { view.withLock { $0.speaker } }
        set { view.withLock { $0.speaker = newValue } }
    }

    var layout: LayoutChoice {
        get { view.withLock { $0.layout } }
        set { view.withLock { $0.layout = newValue } }
    }

    var counters: Counters { view.withLock { $0.counters } }

    func wantsKeyFrame(tier: Int) { keyFramesWanted.bitwiseOr(1 << tier, ordering: .relaxed) }

    // MARK: The mixer thread's side

    /// The beat of a picture. When too many wait the machine is too slow, and one is left out: the rate goes down, sound is never late for it.
    func beat(captured: Instant, bridge: Bridge) {
        guard bridge.mayHaveViewers(captured) else { return }
        let isTaken = beats.withLock { beats in
            guard beats.count < Self.mostBeats else { return false }
            beats.append((captured, bridge))
            return true
        }
        guard isTaken else { return view.withLock { $0.counters.skipped += 1 } }
        bridge.core.codecs.schedule(self)
    }

    /// Beats that may wait: one picture that took long does not cost the next ones.
    private static let mostBeats = 3
    /// The bridge is let go when its beat is composed, so that no cycle lasts.
    private let beats = Guarded<[(captured: Instant, bridge: Bridge)]>([])

    // MARK: The pool's side

    func run() {
        while let (captured, bridge) = beats.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { compose(captured, bridge) }
    }

    private func compose(_ captured: Instant, _ bridge: Bridge) {
        let (speaker, layout) = view.withLock { ($0.speaker, $0.layout) }
        let now = MediaClock.now()
        let members = bridge.members
        guard members.contains(where: { $0.participant.isConnected && $0.participant.receivesVideo }) else {
            return rest(members, now: now)
        }
        let sharing = members.first {
            $0.participant.isConnected && $0.participant.sharesScreen && $0.screen.isArriving(now: now, within: Self.screenPatience)
        }
        // A shared screen is what the meeting looks at: large, with the others beside it unless one picture alone is wanted.
        let arrangement: LayoutChoice = sharing != nil && layout == .grid ? .speaker : layout
        choose(members, speaker: speaker, layout: arrangement, beside: sharing, now: now)
        bench.tiles.removeAll(keepingCapacity: true)
        if let sharing { bench.tiles.append(screenTile(sharing, now: now)) }
        for member in bench.shown { bench.tiles.append(tile(member, now: now)) }
        let isChanged = bench.compositor.compose(bench.tiles, layout: LayoutKind(arrangement), waitingText: Self.waitingText).isChanged
        tellTiles(sharing)
        note(now)
        bench.stillBeats = isChanged ? 0 : bench.stillBeats + 1
        if bench.stillBeats > Self.settling, bench.stillBeats % Self.stillInterval != 0, keyFramesWanted.load(ordering: .relaxed) == 0 {
            return
        }
        encode(members, bridge, captured: captured, now: now)
    }

    private static let waitingText = "Đang chờ các điểm cầu…"
    /// A picture that stands still is encoded so many times more, which makes it sharp, and then on every fourth beat only: what a receiver takes for
    /// frozen is longer than that.
    private static let (settling, stillInterval) = (12, 4)

    /// A screen that nobody touches sends a picture a second or fewer.
    private static let screenPatience = Duration.seconds(5)

    private func tellTiles(_ sharing: Bridge.Member?) {
        var index = 0
        if let sharing {
            sharing.screen.setTile(bench.compositor.size(ofTile: 0), fits: false)
            index = 1
        }
        for member in bench.shown {
            member.video.setTile(bench.compositor.size(ofTile: index), fits: true)
            index += 1
        }
    }

    private func screenTile(_ member: Bridge.Member, now: Instant) -> TileContent {
        let picture = member.screen.picture(notOlderThan: Self.screenPatience, now: now)
        return TileContent(id: member.participant.session, name: member.screenName, picture: picture, isSpeaking: false, isMuted: false)
    }

    /// Who has a tile, in order, into `bench.shown`; tells each decoder whether it is needed.
    private func choose(_ members: [Bridge.Member], speaker: UUID?, layout: LayoutChoice, beside sharing: Bridge.Member?, now: Instant) {
        bench.next.removeAll(keepingCapacity: true)
        for member in members where member.participant.isConnected && member.participant.kind != .viewer { bench.next.append(member) }
        if layout != .grid || bench.next.count > Layout.mostVisible, let speaker,
            let place = bench.next.firstIndex(where: { $0.participant.session == speaker })
        {
            bench.next.insert(bench.next.remove(at: place), at: 0)
        }
        let most = (layout == .one ? 1 : (layout == .grid ? Layout.mostVisible : 1 + Layout.mostInStrip)) - (sharing == nil ? 0 : 1)
        if bench.next.count > most { bench.next.removeSubrange(most...) }
        let isNew = !bench.next.elementsEqual(bench.shown) { $0.participant === $1.participant }
        bench.beats += 1
        guard isNew || bench.beats % Self.lookInterval == 0 else { return }
        for member in members {
            member.video.setShown(isChosen(member), now: now)
            member.video.pauseIfUnseen(now: now)
            member.screen.setShown(member.participant === sharing?.participant, now: now)
        }
        // One that was asked to stop is awaited, so that no name card flashes up in its place.
        if isNew, isWaiting(members, now: now) { return }
        swap(&bench.shown, &bench.next)
    }

    /// About a second.
    private static let lookInterval: UInt64 = 25

    private func isChosen(_ member: Bridge.Member) -> Bool {
        bench.next.contains { $0.participant === member.participant }
            || bench.isAwaiting && bench.shown.contains { $0.participant === member.participant }
    }

    /// Whether the present view stays for a moment, since a newcomer's picture is on its way and nobody shown has left.
    private func isWaiting(_ members: [Bridge.Member], now: Instant) -> Bool {
        bench.isAwaiting =
            bench.shown.count == bench.next.count
            && bench.shown.allSatisfy { shown in
                shown.participant.isConnected && members.contains { $0.participant === shown.participant }
            }
            && bench.next.contains { newcomer in
                !bench.shown.contains { $0.participant === newcomer.participant } && !newcomer.participant.isHidden
                    && newcomer.video.isWorthWaiting(now: now)
            }
        return bench.isAwaiting
    }

    /// Nobody receives a picture: nobody needs to send one.
    private func rest(_ members: [Bridge.Member], now: Instant) {
        bench.shown.removeAll(keepingCapacity: true)
        for member in members {
            member.video.setShown(false, now: now)
            member.video.pauseIfUnseen(now: now)
            member.screen.setShown(false, now: now)
        }
    }

    private func tile(_ member: Bridge.Member, now: Instant) -> TileContent {
        let participant = member.participant
        let picture = participant.isHidden ? nil : member.video.picture(notOlderThan: staleAfter, now: now)
        return TileContent(
            id: participant.session, name: participant.name, picture: picture, isSpeaking: participant.isSpeaking,
            isMuted: participant.isMuted)
    }

    private func encode(_ members: [Bridge.Member], _ bridge: Bridge, captured: Instant, now: Instant) {
        var wanted = 0
        for member in members where member.participant.isConnected && member.participant.receivesVideo {
            wanted |= member.participant.tiers
        }
        let isEvenBeat = captured.nanoseconds / 40_000_000 % 2 == 0
        for tier in VideoTier.allCases where wanted & (1 << tier.rawValue) != 0 && (tier != .low || isEvenBeat) {
            guard let encoder = bench.encoders[tier.rawValue] ?? TierEncoder(tier) else { continue }
            bench.encoders[tier.rawValue] = encoder
            let bit = 1 << tier.rawValue
            let asked = keyFramesWanted.load(ordering: .relaxed) & bit != 0 && encoder.mayForceKey(now: now)
            if asked { keyFramesWanted.bitwiseAnd(~bit, ordering: .relaxed) }
            guard let frame = encoder.encode(bench.compositor.scaled(to: tier), forceKey: asked, captured: captured, now: now) else {
                continue
            }
            view.withLock {
                $0.counters.encoded[tier.rawValue] += 1
                if frame.isKeyFrame { $0.counters.keyFrames += 1 }
            }
            bridge.post(.video(bridge, tier: tier.rawValue, frame))
        }
    }

    private func note(_ now: Instant) {
        let interval = bench.lastComposed.map { (now - $0).seconds * 1_000 } ?? 0
        bench.lastComposed = now
        view.withLock { view in
            view.counters.composed += 1
            // A pause without receivers is not a late picture.
            if interval < 5_000 { view.counters.longestIntervalMilliseconds = max(view.counters.longestIntervalMilliseconds, interval) }
        }
    }
}

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

extension LayoutKind {
    init(_ choice: LayoutChoice) {
        switch choice {
        case .one: self = .one
        case .grid: self = .grid
        case .speaker: self = .speaker
        }
    }
}
