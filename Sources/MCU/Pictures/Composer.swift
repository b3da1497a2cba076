import Base
import Foundation
import Net
import RTP
import Synchronization
import Video

/// One meeting's pictures: on each beat it takes what the senders' decoders have, composes each view that somebody takes, and encodes it once for each tier that
/// somebody receives.
final class Composer: CodecJob {
    /// Between two forced key frames of a tier, whatever the number of those who ask.
    static let keyFrameInterval = Duration.seconds(1)

    struct Counters: Sendable {
        var composed: UInt64 = 0
        var skipped: UInt64 = 0
        var keyFrames: UInt64 = 0
        /// By tier, as many as a table may have.
        var encoded = InlineArray<8, UInt64>(repeating: 0)
        var longestIntervalMilliseconds = 0.0
        var decoded: UInt64 = 0
        var refused: UInt64 = 0
        var dropped: UInt64 = 0
        var excess: UInt64 = 0
        var scaled: UInt64 = 0

        mutating func add(_ other: Counters) {
            composed += other.composed
            skipped += other.skipped
            keyFrames += other.keyFrames
            for tier in 0..<TierTable.most { encoded[tier] += other.encoded[tier] }
            longestIntervalMilliseconds = max(longestIntervalMilliseconds, other.longestIntervalMilliseconds)
            decoded += other.decoded
            refused += other.refused
            dropped += other.dropped
            excess += other.excess
            scaled += other.scaled
        }

        mutating func add(_ decoder: VideoSource.Counters) {
            decoded += decoder.decoded
            refused += decoder.refused
            dropped += decoder.dropped
            excess += decoder.excess
            scaled += decoder.scaled
        }
    }

    private struct State: Sendable {
        var speaker: UUID?
        /// By view.
        var settings = [ViewSettings](repeating: ViewSettings(), count: ViewID.most)
        /// Counts changes of them.
        var version = 0
        var counters = Counters()
    }

    /// When a picture is due, and of which meeting: held while it is made, so that no cycle lasts.
    struct Beat: Sendable {
        var captured: Instant
        var bridge: Bridge
    }

    private struct Schedule: Sendable {
        var pace = FramePace()
        /// In work.
        var current: Beat?
        /// Those that begin when that is done: one picture that took long does not cost the next ones.
        var waiting: [Beat] = []
    }

    /// What can be done by any thread at any time within a stage: first the frames of each sender, then each tier.
    enum Piece: Sendable {
        case decode(VideoSource)
        case encode(TierWork)
    }

    /// Invariant behind `@unchecked`: one piece holds it at a time, and pieces of one stage hold different encoders.
    struct TierWork: @unchecked Sendable {
        var view: ViewID
        var tier: Tier
        var encoder: TierEncoder
        var picture: Picture
        var forceKey: Bool
        /// `FramePace.level`, or how much time there is to spare, below zero.
        var haste: Int
    }

    /// Invariant behind `@unchecked`: touched between stages alone, by the thread that ended the one before; `pieces` orders one after the other.
    final class Bench: @unchecked Sendable {
        let table = TierTable.usual
        /// The programme, and those of the others that somebody takes.
        var views: [View]
        var settingsVersion = 0
        /// One was made or went.
        var hasViewsChanged = false
        /// Those that somebody takes.
        var taken: ViewSet {
            var taken = ViewSet.none
            for view in views where view.isTaken { taken.insert(view.id) }
            return taken
        }
        var beats: UInt64 = 0
        var lastComposed: Instant?

        /// Who is in the meeting, and what follows from that: made anew when somebody comes, goes or sends something else, so that a beat does not go past
        /// those who only listen.
        var version = -1
        var members: [Bridge.Member] = []
        /// Those who may have a tile, and those who share a screen or may do so.
        var candidates: [Bridge.Member] = []
        var sharers: [Bridge.Member] = []
        var hasReceivers = false
        /// The streams that somebody is sent or waits for, and the changes that it takes into account.
        var wanted = StreamSet.none
        var streamVersion = -1

        // Of the beat in work. Pieces read it: none is taken between two beats.
        var beat: Beat?
        var sharing: Bridge.Member?
        /// Whose screen was shown on the beat before.
        var lastSharing: ObjectIdentifier?
        /// `FramePace.thrift`.
        var thrift = 0
        var isEncoding = false
        /// The streams that have a key frame in it.
        var keys = StreamSet.none
        var pieces: [Piece] = []
        /// Of all pieces so far.
        var work = Duration.zero
        var gauge = HelpGauge()
        var spare = SpareTime()

        init(_ programme: View) { views = [programme] }
    }

    private let state = Guarded(State())
    private let schedule = Guarded(Schedule())
    private let pieces = PieceList<Piece>()
    /// Bits of the streams in which somebody waits for a key frame.
    private let keyFramesWanted = Atomic<UInt64>(0)
    let bench: Bench
    let staleAfter: Duration
    let words: PictureWords

    init(core: MediaCore) {
        staleAfter = core.configuration.staleAfter
        words = core.configuration.words
        bench = Bench(View(.programme, screenWord: words.screen))
    }

    /// Who is shown large.
    var speaker: UUID? {
        get { state.withLock { $0.speaker } }
        set { state.withLock { $0.speaker = newValue } }
    }

    func set(_ view: ViewID, to settings: ViewSettings) {
        state.withLock { state in
            guard state.settings[view.number] != settings else { return }
            state.settings[view.number] = settings
            state.version += 1
        }
    }

    var counters: Counters { state.withLock { $0.counters } }

    /// Fewer than 25 where the machine is too slow.
    var picturesPerSecond: Double { schedule.withLock { $0.pace.picturesPerSecond } }
    /// How many rungs fewer lines senders are asked for, where it is.
    var thrift: Int { schedule.withLock { $0.pace.thrift } }

    func wantsKeyFrame(_ stream: PictureStream) { keyFramesWanted.bitwiseOr(StreamSet(stream).bits, ordering: .relaxed) }

    /// After the pool has ended: what was begun is let go.
    func forget() { schedule.withLock { ($0.current, $0.waiting) = (nil, []) } }

    // MARK: The mixer thread's side

    private static let mostWaiting = 2

    /// A tick of sound, which may be the beat of a picture. Where three are in work the machine is too slow and this one is left out: the rate goes down, sound
    /// is never late for it.
    func beat(captured: Instant, bridge: Bridge) {
        enum Step { case none, begin, missed }
        let step: Step = schedule.withLock { schedule in
            guard schedule.pace.isDue(captured), bridge.mayHaveViewers(captured) else { return .none }
            guard schedule.current != nil else {
                schedule.current = Beat(captured: captured, bridge: bridge)
                return .begin
            }
            guard schedule.waiting.count == Self.mostWaiting else {
                schedule.waiting.append(Beat(captured: captured, bridge: bridge))
                return .none
            }
            schedule.pace.missed(now: captured)
            return .missed
        }
        if step == .begin { bridge.core.codecs.submit(self) }
        if step == .missed { state.withLock { $0.counters.skipped += 1 } }
    }

    // MARK: The pool's side

    func run() {
        guard let beat = schedule.withLock({ $0.current }) else { return }
        bench.beat = beat
        prepare(beat)
        help()
    }

    /// A thread that comes late may take pieces of the next beat: what they need is on the bench.
    func help() {
        while let piece = pieces.take() {
            let start = MediaClock.now()
            switch piece {
            case .decode(let source): source.run(now: start)
            case .encode(let work): if let beat = bench.beat { encode(work, beat) }
            }
            guard let work = pieces.end(after: MediaClock.now() - start), let beat = bench.beat else { continue }
            bench.work = bench.work + work
            bench.isEncoding ? finish(beat) : compose(beat)
        }
    }

    /// The first stage: who is shown, and what of theirs waits to be decoded.
    private func prepare(_ beat: Beat) {
        let speaker = followSettings()
        let now = MediaClock.now()
        bench.thrift = schedule.withLock { $0.pace.thrift }
        followMembers(of: beat.bridge)
        guard bench.hasReceivers else {
            rest(bench.members, now: now)
            return finish(beat)
        }
        followStreams(of: beat.bridge)
        bench.sharing = sharing(now: now)
        chooseViews(speaker: speaker, now: now)
        bench.isEncoding = false
        bench.pieces.removeAll(keepingCapacity: true)
        if let sharing = bench.sharing, sharing.screen.hasFrames(now: now) { bench.pieces.append(.decode(sharing.screen)) }
        for view in bench.views where view.isTaken {
            decode(view.shown, now: now)
            // Newcomers who are awaited.
            if view.isAwaiting { decode(view.next, now: now) }
        }
        begin(beat) { compose(beat) }
    }

    /// A piece for each of them that has frames: one, whatever the number of views that show it, since a source is no work for two threads.
    private func decode(_ members: [Bridge.Member], now: Instant) {
        for member in members where member.video.hasFrames(now: now) {
            let isThere = bench.pieces.contains { if case .decode(let source) = $0 { source === member.video } else { false } }
            if !isThere { bench.pieces.append(.decode(member.video)) }
        }
    }

    func settings(of view: ViewID) -> ViewSettings { state.withLock { $0.settings[view.number] } }

    /// - Returns: who is shown large.
    private func followSettings() -> UUID? {
        let (speaker, version) = state.withLock { ($0.speaker, $0.version) }
        guard version != bench.settingsVersion else { return speaker }
        bench.settingsVersion = version
        let settings = state.withLock { $0.settings }
        for view in bench.views { view.settings = settings[view.id.number] }
        bench.version = -1  // who may have a tile, and in which order, is worked out anew
        return speaker
    }

    /// Hands out the pieces on the bench, or goes on where there are none.
    private func begin(_ beat: Beat, orElse next: () -> Void) {
        guard !bench.pieces.isEmpty else { return next() }
        pieces.begin(bench.pieces)
        if bench.gauge.isNeeded { beat.bridge.core.codecs.callHelp(for: self, bench.pieces.count - 1) }
    }

    /// Between the stages: the canvas of each view.
    private func compose(_ beat: Beat) {
        let now = MediaClock.now()
        bench.keys = .none
        bench.pieces.removeAll(keepingCapacity: true)
        for view in bench.views where view.isTaken {
            view.tiles.removeAll(keepingCapacity: true)
            if let sharing = bench.sharing { view.tiles.append(screenTile(sharing, of: view, now: now)) }
            for member in view.shown { view.tiles.append(tile(member, of: view, now: now)) }
            let isChanged = view.compositor.compose(view.tiles, layout: LayoutKind(view.arrangement), waitingText: words.waiting).isChanged
            tellTiles(of: view, now: now)
            note(now)
            view.stillBeats = isChanged ? 0 : view.stillBeats + 1
            let isStill = view.stillBeats > Self.settling && view.stillBeats % Self.stillInterval != 0
            if isStill, !StreamSet(bits: keyFramesWanted.load(ordering: .relaxed)).hasAny(of: view.id) { continue }
            bench.isEncoding = true
            chooseTiers(of: view, beat, now: now)
        }
        guard bench.isEncoding else { return finish(beat) }
        begin(beat) { finish(beat) }
    }

    /// The second stage: a piece for each tier that somebody receives, the dearest first.
    private func chooseTiers(of view: View, _ beat: Beat, now: Instant) {
        let slowness = schedule.withLock { $0.pace.level }
        let haste = slowness > 0 ? slowness : -bench.spare.level
        let asked = StreamSet(bits: keyFramesWanted.load(ordering: .relaxed))
        for tier in bench.table.tiers {
            let stream = PictureStream(view.id, tier.id)
            guard bench.wanted.contains(stream), let encoder = view.encoders[tier.id.index] ?? TierEncoder(tier) else { continue }
            view.encoders[tier.id.index] = encoder
            let forceKey = asked.contains(stream) && encoder.mayForceKey(now: now)
            guard encoder.isDue(beat.captured, isAwaited: forceKey) else { continue }
            if forceKey { keyFramesWanted.bitwiseAnd(~StreamSet(stream).bits, ordering: .relaxed) }
            if forceKey || encoder.wasPaused(now: now) { bench.keys.insert(stream) }
            bench.pieces.append(
                .encode(
                    TierWork(
                        view: view.id, tier: tier, encoder: encoder, picture: view.compositor.scaled(to: tier), forceKey: forceKey,
                        haste: haste)))
        }
    }

    private func encode(_ work: TierWork, _ beat: Beat) {
        guard
            let frame = work.encoder.encode(
                work.picture, haste: work.haste, forceKey: work.forceKey, captured: beat.captured, now: MediaClock.now())
        else {
            return
        }
        state.withLock {
            $0.counters.encoded[work.tier.id.index] += 1
            if frame.isKeyFrame { $0.counters.keyFrames += 1 }
        }
        beat.bridge.post(.video(beat.bridge, PictureStream(work.view, work.tier.id), keys: bench.keys, frame))
    }

    /// The picture is made: the next one that waits begins, behind other meetings'.
    private func finish(_ beat: Beat) {
        (bench.sharing, bench.beat) = (nil, nil)
        let now = MediaClock.now()
        let goesOn = schedule.withLock { schedule in
            bench.gauge.note(bench.work, interval: schedule.pace.interval)
            if bench.isEncoding, bench.work > .zero {
                bench.spare.note(max(bench.work, now - beat.captured), pace: schedule.pace, now: now)
            }
            bench.work = .zero
            schedule.pace.finished(after: now - beat.captured, now: now)
            schedule.current = schedule.waiting.isEmpty ? nil : schedule.waiting.removeFirst()
            return schedule.current != nil
        }
        if goesOn { beat.bridge.core.codecs.submit(self) }
    }

    /// A picture that stands still is encoded so many times more, which makes it sharp, and then on every fourth beat only: what a receiver takes for
    /// frozen is longer than that.
    private static let (settling, stillInterval) = (12, 4)

    /// A screen that sends nothing for so long gives way to one that does; where there is none it stays as long as it stands still.
    static let screenPatience = Duration.seconds(5)

    private func note(_ now: Instant) {
        let interval = bench.lastComposed.map { (now - $0).seconds * 1_000 } ?? 0
        bench.lastComposed = now
        state.withLock { state in
            state.counters.composed += 1
            // A pause without receivers is not a late picture.
            if interval < 5_000 { state.counters.longestIntervalMilliseconds = max(state.counters.longestIntervalMilliseconds, interval) }
        }
    }
}
