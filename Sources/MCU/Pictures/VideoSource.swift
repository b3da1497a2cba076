import Base
import Foundation
import Net
import RTP
import Video

/// One sender's picture: frames that wait for the decoder, and the last decoded one. Written by the worker, decoded on the meeting's beat, read by
/// the composer.
final class VideoSource: Sendable {
    /// Frames that may wait, and how many of them though they are due. When more come the machine is too slow: all are dropped and a key frame is asked for,
    /// since what follows needs them.
    private static let (mostWaiting, mostOverdue) = (24, 8)
    /// With so many waiting none waits for its time any more.
    private static let manyWaiting = 16
    /// A beat shows what is due by so much after it, and leaves for the next one what became due by so much before: one picture a beat, though both waver.
    private static let slack = Duration.milliseconds(8)

    struct Counters: Sendable {
        var decoded: UInt64 = 0
        /// What libvpx did not take.
        var refused: UInt64 = 0
        /// Dropped because decoding was late.
        var dropped: UInt64 = 0
        /// Dropped because its sender sent more than it may.
        var excess: UInt64 = 0
        /// Pictures made of what was decoded, one for each size of tile.
        var scaled: UInt64 = 0
    }

    private struct Inbox: Sendable {
        var frames = [[UInt8]](repeating: [], count: VideoSource.mostWaiting)
        /// When each is to be shown.
        var due = [Instant](repeating: .start, count: VideoSource.mostWaiting)
        var playout = PicturePlayout()
        var first = 0
        var count = 0
        var needsKey = true
        var isShown = true
        /// The tiles that show it, and what its sender is asked for.
        var demand = TileDemand()
        /// Since when a view shows it; what was decoded before then says nothing of its sender.
        var shownSince = Instant.start
        /// Since when no view shows it.
        var hiddenSince: Instant?
        /// The sender was asked to stop.
        var isPaused = false
        /// When it was asked to go on.
        var woken: Instant?
        /// Of the last key frame.
        var size = (width: 0, height: 0)
        /// Which of the peer's videos it is.
        var source = 0
        var lastArrival: Instant?
        /// The sender said goodbye for it.
        var hasEnded = false
        var allowance: FrameAllowance
        /// Control was told that its name card is shown since it sends too much.
        var isToldOfExcess = false

        /// Whether the next one is to be shown at this beat.
        func isDue(_ now: Instant, isFirst: Bool) -> Bool {
            guard count > 0 else { return false }
            return count > VideoSource.manyWaiting || due[first] <= (isFirst ? now + VideoSource.slack : now - VideoSource.slack)
        }

        func isFull(_ now: Instant) -> Bool {
            guard count >= VideoSource.mostOverdue else { return false }
            return count == VideoSource.mostWaiting || due[(first + VideoSource.mostOverdue - 1) % VideoSource.mostWaiting] <= now
        }

        init(receiveCap: Int) { allowance = FrameAllowance(receiveCap: receiveCap) }
    }

    private struct Latest: Sendable {
        /// By view, each in the size of its tile; the first alone where it is as it came.
        var pictures = ByView<Picture?>(repeating: nil)
        var decoded = Instant.start
        var loss = PictureLoss()
        var counters = Counters()

        func picture(of view: ViewID) -> Picture? {
            if let own = pictures[view.number] { return own }
            for number in 0..<ViewID.most { if let other = pictures[number] { return other } }
            return nil
        }
        var hasPicture: Bool { picture(of: .programme) != nil }
    }

    /// Invariant behind `@unchecked`: touched by `run` alone, which the pool never runs twice at a time.
    private final class Bench: @unchecked Sendable {
        var decoder: DecoderBox?
        var frame: [UInt8] = []
        /// The sizes that are wanted, and which of them each view has.
        var sizes: [(width: Int, height: Int)?] = []
        var places = ByView<Int>(repeating: -1)
        var rings: [PictureRing] = []
        /// Of the frame in work, one for each size.
        var made: [Picture] = []
        var budget = DecodeBudget()
    }

    private final class DecoderBox {
        var decoder: VP8Decoder
        init() throws(VPXError) { decoder = try VP8Decoder() }
        func decode(
            _ frame: [UInt8], _ sizes: [(width: Int, height: Int)?], isShown: Bool, _ rings: inout [PictureRing], into made: inout [Picture]
        ) throws(VPXError) {
            guard isShown else { return try decoder.follow(frame.span) }
            try decoder.decode(frame.span, tiles: sizes, rings: &rings, into: &made)
        }
    }

    private let core: Unowned
    private let participant: Participant
    private let meeting: UUID
    private let inbox: Guarded<Inbox>
    private let latest = Guarded(Latest())
    private let bench = Bench()

    /// The core outlives every bridge in it: its threads are stopped last.
    private struct Unowned: @unchecked Sendable { unowned let core: MediaCore }

    init(core: MediaCore, participant: Participant, meeting: UUID) {
        self.core = Unowned(core: core)
        self.meeting = meeting
        self.participant = participant
        inbox = Guarded(Inbox(receiveCap: participant.receiveCap))
    }

    // MARK: The worker's side

    /// - Parameters:
    ///   - size: of the picture, where it is known.
    ///   - timestamp: RTP; nil: it is shown as it comes.
    func receive(
        _ bytes: Span<UInt8>, source: Int = 0, isKey: Bool, size: (width: Int, height: Int) = (0, 0), timestamp: UInt32? = nil,
        arrival: Instant
    ) {
        enum Fate { case taken, ignored, wantsKey, isTooMuch }
        let fate: Fate = inbox.withLock { inbox in
            (inbox.source, inbox.lastArrival, inbox.size, inbox.hasEnded) = (source, arrival, size, false)
            inbox.demand.arrived(size.height)
            let due = timestamp.map { inbox.playout.due(timestamp: $0, arrival: arrival) } ?? .start
            guard inbox.isShown else { return .ignored }
            let verdict = inbox.allowance.admit(isKey: isKey, bytes: bytes.count, now: arrival)
            let isShutOut = inbox.allowance.isShutOut(arrival)
            guard verdict == .passes, !isShutOut else {
                inbox.needsKey = true
                latest.withLock { $0.counters.excess += 1 }
                if inbox.allowance.takeRequest(now: arrival) { return .isTooMuch }
                return verdict == .awaitsKey && !isShutOut ? .wantsKey : .ignored
            }
            if inbox.needsKey, !isKey { return .wantsKey }
            if inbox.isFull(arrival) {
                latest.withLock { $0.counters.dropped += UInt64(inbox.count) }
                (inbox.count, inbox.needsKey) = (0, !isKey)
                if !isKey { return .wantsKey }
            }
            inbox.needsKey = false
            let place = (inbox.first + inbox.count) % Self.mostWaiting
            inbox.frames[place].removeAll(keepingCapacity: true)
            inbox.due[place] = due
            bytes.withUnsafeBufferPointer { inbox.frames[place].append(contentsOf: $0) }
            inbox.count += 1
            return .taken
        }
        if fate == .wantsKey { askForKeyFrame() }
        if fate == .isTooMuch { askForLess() }
    }

    private func askForLess() {
        guard let worker = participant.worker else { return }
        core.core.workers[worker].post(.lowerVideo(session: participant.session))
    }

    /// The sender said goodbye for it: the last picture is not kept on show.
    func end() { inbox.withLock { ($0.hasEnded, $0.lastArrival, $0.count, $0.needsKey) = (true, nil, 0, true) } }

    private func askForKeyFrame() {
        guard let worker = participant.worker else { return }
        core.core.workers[worker].post(.requestKeyFrame(session: participant.session, source: inbox.withLock { $0.source }))
    }

    // MARK: The pool's side

    func hasFrames(now: Instant) -> Bool { inbox.withLock { $0.isDue(now, isFirst: true) } }

    /// Decodes what is due, as far as there is time for this sender; only the newest picture is made ready to be shown.
    func run(now: Instant = MediaClock.now()) {
        bench.budget.begin(now: now)
        var isFirst = true
        while bench.budget.allows(isFirst: isFirst), let isLast = takeFrame(now, isFirst: isFirst) {
            let before = MediaClock.work()
            decode(isLast: isLast || !bench.budget.allowsTwo)
            bench.budget.spend(MediaClock.work() - before)
            isFirst = false
        }
    }

    /// - Returns: whether it is the newest that is due; nil where none is.
    private func takeFrame(_ now: Instant, isFirst: Bool) -> Bool? {
        inbox.withLock { inbox in
            guard inbox.isDue(now, isFirst: isFirst) else { return nil }
            swap(&bench.frame, &inbox.frames[inbox.first])
            bench.places = inbox.demand.tiles.collect(into: &bench.sizes)
            inbox.first = (inbox.first + 1) % Self.mostWaiting
            inbox.count -= 1
            return !inbox.isDue(now, isFirst: false)
        }
    }

    private func decode(isLast: Bool) {
        do {
            let box = try bench.decoder ?? DecoderBox()
            bench.decoder = box
            if bench.sizes.isEmpty { bench.sizes.append(nil) }
            while bench.rings.count < bench.sizes.count { bench.rings.append(PictureRing()) }
            try box.decode(bench.frame, bench.sizes, isShown: isLast, &bench.rings, into: &bench.made)
            let now = MediaClock.now()
            latest.withLock { latest in
                latest.counters.decoded += 1
                guard let first = bench.made.first else { return }
                latest.counters.scaled += UInt64(bench.made.count)
                latest.decoded = now
                for number in 0..<ViewID.most {
                    let place = bench.places[number]
                    latest.pictures[number] = place >= 0 ? bench.made[place] : nil
                }
                if bench.sizes[0] == nil { latest.pictures[0] = first }
            }
            bench.made.removeAll(keepingCapacity: true)
        } catch {
            // A fresh decoder for the next key frame: what the old one holds is of no use.
            bench.decoder = nil
            latest.withLock { $0.counters.refused += 1 }
            inbox.withLock { $0.needsKey = true }
            askForKeyFrame()
        }
    }

    // MARK: The composer's side

    /// The last picture. One that is older than `age` stays as long as it stands still: the line lives and nothing of it is missing. Otherwise nil: a name
    /// card is shown rather than a frozen picture.
    /// - Parameter view: that shows it: its picture has the size of its tile, as soon as one was decoded for it.
    func picture(of view: ViewID = .programme, notOlderThan age: Duration, now: Instant) -> Picture? {
        let (picture, decoded) = latest.withLock { ($0.picture(of: view), $0.decoded) }
        // Asked first: that it sends too much is told even where nothing of it was ever decoded.
        guard !isShutOut(now: now), picture != nil else { return nil }
        let (hasEnded, isExpected, shownSince) = inbox.withLock { ($0.hasEnded, $0.isShown && !$0.isPaused, $0.shownSince) }
        guard !hasEnded else { return nil }
        let isNew = now - max(decoded, shownSince) <= age
        let isCurrent = now - decoded <= age
        let isStill = isCurrent || isStill(now: now)
        let isKept = latest.withLock { $0.loss.keeps(isCurrent: isCurrent, isStill: isStill, isExpected: isExpected && !isNew, now: now) }
        return isKept ? picture : nil
    }

    /// Its pictures stopped though they are wanted: its name card says so.
    var isLost: Bool { latest.withLock { $0.loss.isLost } }

    /// Whether its name card is shown since it sends too much for too long; control is told when that begins and ends.
    private func isShutOut(now: Instant) -> Bool {
        let (isShutOut, isNew) = inbox.withLock { inbox in
            let isShutOut = inbox.allowance.isShutOut(now)
            defer { inbox.isToldOfExcess = isShutOut }
            return (isShutOut, isShutOut != inbox.isToldOfExcess)
        }
        if isNew { core.core.events.send(.videoExcess(meeting: meeting, session: participant.session, isShutOut)) }
        return isShutOut
    }

    /// Whether what was decoded last is still what the sender shows, though nothing has come since.
    func isStill(now: Instant) -> Bool {
        guard now <= participant.aliveUntil else { return false }
        let source: Int? = inbox.withLock { inbox in
            guard inbox.isShown, !inbox.isPaused, !inbox.hasEnded, !inbox.needsKey, inbox.lastArrival != nil else { return nil }
            return inbox.source
        }
        return source.map { participant.brokenVideos & 1 << $0 == 0 } ?? false
    }

    /// How long a sender that nobody sees goes on before it is asked to stop: a view that changes back and forth costs no key frames.
    static let pausePatience = Duration.seconds(3)
    /// How long a view waits for a sender that was asked to go on.
    static let wakePatience = Duration.milliseconds(1_500)

    /// Which views show this sender. What nobody sees is not decoded, and after a while not sent.
    func setShown(_ views: ViewSet, now: Instant) {
        enum Step { case none, begin, wake }
        let shown = !views.isEmpty
        let step: Step = inbox.withLock { inbox in
            inbox.demand.keep(views)
            guard inbox.isShown != shown else { return .none }
            inbox.isShown = shown
            inbox.needsKey = true
            inbox.hiddenSince = shown ? nil : now
            guard shown else { return .none }
            inbox.shownSince = now
            guard inbox.isPaused else { return .begin }
            (inbox.isPaused, inbox.woken) = (false, now)
            return .wake
        }
        if step == .wake { tellWanted(true) }
        if step != .none { askForKeyFrame() }
    }

    /// To be called about once a second: asks a sender that nobody has seen for a while to stop.
    func pauseIfUnseen(now: Instant) {
        let pauses = inbox.withLock { inbox in
            guard !inbox.isPaused, let since = inbox.hiddenSince, now - since >= Self.pausePatience, let last = inbox.lastArrival,
                now - last < .seconds(2)
            else { return false }
            inbox.isPaused = true
            return true
        }
        if pauses { tellWanted(false) }
    }

    private func tellWanted(_ wanted: Bool) {
        guard let worker = participant.worker else { return }
        core.core.workers[worker].post(.wantVideo(session: participant.session, wanted))
        tellControl()
    }

    private func tellControl() { core.core.events.send(.videoWanted(meeting: meeting, session: participant.session, wish)) }

    /// What its sender is asked for.
    var wish: PictureWish { inbox.withLock { PictureWish(isWanted: !$0.isPaused, lines: $0.demand.wanted) } }

    /// The sender was asked to stop.
    var isPaused: Bool { inbox.withLock { $0.isPaused } }

    /// Whether it is worth waiting for this sender's picture before it is shown: it was asked to go on just now, or will be.
    func isWorthWaiting(now: Instant) -> Bool {
        let (isPaused, woken) = inbox.withLock { ($0.isPaused, $0.woken) }
        if isPaused { return true }
        guard let woken, now - woken < Self.wakePatience else { return false }
        return latest.withLock { !$0.hasPicture || $0.decoded < woken }
    }

    /// The tile of a view that shows it. The lines of the largest are told to the peer when they change, for its choice among the layers of a simulcast, and to who
    /// sends it, who scales down.
    /// - Parameters:
    ///   - fits: pictures are scaled to the tile as they are decoded; not for a screen, which may stay the same for long and then be enlarged.
    ///   - thrift: how many rungs of lines less, since the machine is short.
    func setTile(_ size: (width: Int, height: Int)?, of view: ViewID = .programme, fits: Bool, thrift: Int, now: Instant) {
        let tile = size.map { TileSizes.Tile(width: $0.width, height: $0.height) }
        tell { $0.demand.show(tile, in: view, fits: fits, isSending: $0.lastArrival != nil, thrift: thrift, now: now) }
    }

    /// It is about to be shown in a larger tile: asks for the lines of it.
    /// - Returns: whether they are on their way.
    func isGrowing(to lines: Int, thrift: Int, now: Instant) -> Bool {
        tell { inbox in
            guard inbox.isShown, !inbox.isPaused, inbox.lastArrival != nil, inbox.size.height > 0 else { return nil }
            return inbox.demand.grow(to: lines, from: inbox.size.height, thrift: thrift, now: now)
        }
    }

    /// Tells what follows for the sender.
    /// - Returns: whether anything was decided at all.
    @discardableResult
    private func tell(_ decide: (inout Inbox) -> TileDemand.Change?) -> Bool {
        let (decision, source) = inbox.withLock { inbox in (decide(&inbox), inbox.source) }
        guard let decision else { return false }
        if decision.isWish { tellControl() }
        if let lines = decision.layer, let worker = participant.worker {
            core.core.workers[worker].post(.wantHeight(session: participant.session, source: source, lines: lines))
        }
        return true
    }

    /// Whether frames come, decoded or not.
    func isArriving(now: Instant, within age: Duration) -> Bool { inbox.withLock { $0.lastArrival.map { now - $0 <= age } ?? false } }

    /// Of the last picture as it came, in pixels.
    var size: (Int, Int) { inbox.withLock { $0.size } }
    var counters: Counters { latest.withLock { $0.counters } }
}
