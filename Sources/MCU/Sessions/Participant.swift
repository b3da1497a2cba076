import Base
import Foundation
import Peer
import RTP
import SDP
import Synchronization

/// One session as all threads know it: what came in last, what control decided, what the worker measured. Each field has its own small lock or atomic,
/// and none is held across a codec call.
final class Participant: Sendable {
    let session: UUID
    private let kindNow: Atomic<Int>
    let name: String
    let joined: Instant
    /// Whose session it is; nil where it stands for people of its own.
    let person: UUID?
    /// What it was told that it may send of a picture, bit/s.
    let receiveCap: Int
    /// Of the negotiation: what the session sends and receives.
    private let flows = Atomic<Int>(0)
    private let soundRow = Atomic<Int>(0)
    /// The best tier that the client said it takes (b=TIAS).
    let bestTier: TierID

    private let inbox = Guarded(JitterBuffer())
    private let stats = Guarded(PeerStatistics())
    private let connected = Atomic<Bool>(false)
    private let owner = Atomic<Int>(-1)
    private let mutedByControl = Atomic<Bool>(false)
    private let hiddenByControl = Atomic<Bool>(false)
    private let wantedStreams = Atomic<UInt64>(0)
    private let presentTier = Atomic<Int>(-1)
    private let pictured = Atomic<Bool>(true)
    private let chosenView = Atomic<Int>(0)
    private let heardMix = Atomic<Int>(0)
    private let spokenMix = Atomic<Int>(0)
    /// Of the header extension, −127 … 0; 1 while packets carry none.
    private let saidLevel = Atomic<Int>(1)
    private let doubted = Atomic<Bool>(false)
    private let heardLevel = Atomic<Int>(-127)
    private let lastAudio = Atomic<Int64>(0)
    private let speaks = Atomic<Bool>(false)
    /// Below every level: nothing was said.
    private static let none = -128
    private let loudest = Atomic<Int>(none)
    private let heard = Atomic<Bool>(false)
    /// Packets came in that the jitter buffer was spared.
    private let withheld = Atomic<Bool>(false)
    private let waits = Atomic<Bool>(false)
    private let tierOfSound = Atomic<Int>(SoundTier.repairing.rawValue)
    private let formOfSound = Atomic<Int>(-1)
    private let mostTicks = Atomic<Int>(6)
    private let lineAliveUntil = Atomic<Int64>(0)
    private let broken = Atomic<Int>(0)

    init(
        session: UUID, kind: SessionKind, name: String, joined: Instant, negotiated: NegotiatedSession, person: UUID? = nil,
        receiveCap: Int = PeerConfiguration.receiveCap
    ) {
        self.session = session
        self.name = name
        self.joined = joined
        self.person = person
        self.receiveCap = receiveCap
        kindNow = Atomic(Self.kinds.firstIndex(of: kind) ?? 0)
        bestTier = TierTable.usual.best(within: negotiated.video?.stream.maxBitsPerSecond)
        follow(negotiated)
    }

    // MARK: What was negotiated

    private enum Flow {
        static let (audioIn, videoIn, audioOut, videoOut, screenIn) = (1, 2, 4, 8, 16)
    }

    /// Takes over what a negotiation says, the first and later ones.
    func follow(_ negotiated: NegotiatedSession) {
        var now = 0
        if negotiated.audio?.stream.receives == true { now |= Flow.audioIn }
        if negotiated.video?.stream.receives == true { now |= Flow.videoIn }
        if negotiated.audio?.stream.sends == true { now |= Flow.audioOut }
        if negotiated.video?.stream.sends == true { now |= Flow.videoOut }
        if negotiated.furtherVideos.contains(where: \.stream.receives) { now |= Flow.screenIn }
        flows.store(now, ordering: .relaxed)
        kind = SessionKind(negotiated, before: kind)
        soundRow.store(SoundClass(negotiated.audio).index, ordering: .relaxed)
        mostTicks.store((negotiated.audio?.maxPacketMilliseconds ?? 120) / 20, ordering: .relaxed)
    }

    /// What it takes of the mix.
    var soundClass: SoundClass { SoundClass(index: soundRow.load(ordering: .relaxed)) }

    private static let kinds: [SessionKind] = [.participant, .publisher, .viewer]
    /// What the last negotiation made of it.
    private(set) var kind: SessionKind {
        get { Self.kinds[kindNow.load(ordering: .relaxed)] }
        set { kindNow.store(Self.kinds.firstIndex(of: newValue) ?? 0, ordering: .relaxed) }
    }

    private func has(_ flow: Int) -> Bool { flows.load(ordering: .relaxed) & flow != 0 }
    var sendsAudio: Bool { has(Flow.audioIn) }
    var sendsVideo: Bool { has(Flow.videoIn) }
    var receivesAudio: Bool { has(Flow.audioOut) }
    var receivesVideo: Bool { has(Flow.videoOut) }
    /// Its shared screen was negotiated; pictures may or may not come.
    var sharesScreen: Bool { has(Flow.screenIn) }

    // MARK: Pictures

    private struct Sources: Sendable {
        weak var camera: VideoSource?
        weak var screen: VideoSource?
    }
    private let sources = Guarded(Sources())

    func attach(camera: VideoSource, screen: VideoSource) { sources.withLock { $0 = Sources(camera: camera, screen: screen) } }

    /// A whole frame from the worker's thread.
    func receive(_ frame: ReceivedVideo, bytes: Span<UInt8>) {
        guard let decoder = sources.withLock({ frame.source == 0 ? $0.camera : $0.screen }) else { return }
        decoder.receive(
            bytes, source: frame.source, isKey: frame.isKey, size: (frame.width, frame.height), timestamp: frame.timestamp,
            arrival: frame.arrival)
    }

    /// The sender said goodbye for a video.
    func endedVideo(_ source: Int) {
        sources.withLock { source == 0 ? $0.camera : $0.screen }?.end()
    }

    /// When its line counts as dead, published by the worker some times a second.
    var aliveUntil: Instant {
        get { Instant(nanoseconds: lineAliveUntil.load(ordering: .relaxed)) }
        set { lineAliveUntil.store(newValue.nanoseconds, ordering: .relaxed) }
    }

    /// Whether its line counts as dead. One that sends no sound may pause for as long as reports do (RFC 3550 §6.2), until its pauses are known.
    func isInterrupted(now: Instant) -> Bool {
        let patience: Duration = sendsAudio ? .zero : .seconds(6)
        return isConnected && aliveUntil > .start && now > aliveUntil + patience
    }

    /// A bit for each video source of which something is missing, published by the worker some times a second.
    var brokenVideos: Int {
        get { broken.load(ordering: .relaxed) }
        set { if broken.load(ordering: .relaxed) != newValue { broken.store(newValue, ordering: .relaxed) } }
    }

    // MARK: Sound

    /// Quieter than this is not even kept, unless it is heard: 10 dB below what the mixer takes for sound.
    private static let quiet = -65

    /// A packet from the worker's thread. One that says it is silent, of a sender that nobody hears, ends here: a room that is quiet costs no lock.
    func receive(_ packet: ReceivedAudio, payload: Span<UInt8>) {
        guard !packet.isRedundant else { return receive(redundant: packet, payload: payload) }
        let now = packet.arrival.nanoseconds
        if now - lastAudio.load(ordering: .relaxed) > 100_000_000 { lastAudio.store(now, ordering: .relaxed) }
        let doubted = isDoubted
        let said = doubted ? 1 : packet.level ?? 1
        if saidLevel.load(ordering: .relaxed) != said { saidLevel.store(said, ordering: .relaxed) }
        if !doubted, let level = packet.level {
            let isQuiet = level < Self.quiet && !isHeard
            if isQuiet {
                if !withheld.load(ordering: .relaxed) { withheld.store(true, ordering: .relaxed) }
                return
            }
            loudest.max(level, ordering: .relaxed)
        }
        let begins = withheld.load(ordering: .relaxed)
        if begins { withheld.store(false, ordering: .relaxed) }
        inbox.withLock {
            if begins { $0.resume() }
            $0.insert(payload, ssrc: packet.ssrc, sequenceNumber: packet.sequenceNumber, timestamp: packet.timestamp, now: packet.arrival)
        }
        if !waits.load(ordering: .relaxed) { waits.store(true, ordering: .releasing) }
    }

    /// What a later packet has of this one. What was kept from the buffer is not wanted now either.
    private func receive(redundant packet: ReceivedAudio, payload: Span<UInt8>) {
        guard !withheld.load(ordering: .relaxed) else { return }
        inbox.withLock {
            $0.insert(
                redundant: payload, ssrc: packet.ssrc, sequenceNumber: packet.sequenceNumber, timestamp: packet.timestamp,
                now: packet.arrival)
        }
    }

    /// The next packet for the mixer's thread, copied into `payload`; how often its sender has begun anew, and by how many samples it should be shortened.
    /// - Parameter held: samples that the decoder has.
    func nextAudio(now: Instant, held: Int, into payload: inout [UInt8]) -> (next: JitterBuffer.Next, beginning: Int, excess: Int) {
        inbox.withLock { inbox in
            var span = payload.mutableSpan
            return (inbox.next(now: now, held: held, into: &span), inbox.beginnings, inbox.excess)
        }
    }

    /// The decoder made its sound shorter by so many samples, or longer where negative.
    func shortenedAudio(by samples: Int) { inbox.withLock { $0.shortened(by: samples) } }

    /// What became of the packets of its sound.
    var soundStatistics: JitterBuffer.Statistics { inbox.withLock { $0.statistics } }

    /// Something came in that neither was played nor skipped.
    var hasAudioWaiting: Bool { waits.load(ordering: .acquiring) }

    /// Lets a tick pass that nobody hears.
    func skipAudio(now: Instant) {
        waits.store(false, ordering: .relaxed)
        if inbox.withLock({ $0.skipTick(now: now) }) { waits.store(true, ordering: .relaxed) }
    }

    /// The mixer decodes this one.
    var isHeard: Bool {
        get { heard.load(ordering: .relaxed) }
        set { if heard.load(ordering: .relaxed) != newValue { heard.store(newValue, ordering: .relaxed) } }
    }

    /// The loudest level that packets said since the last call; nil where none came, or only silence of one who is not heard.
    func takeLoudest() -> Int? {
        guard loudest.load(ordering: .relaxed) > Self.none else { return nil }
        let level = loudest.exchange(Self.none, ordering: .relaxed)
        return level > Self.none ? level : nil
    }

    /// Was found to say other levels than it sends; its packets are measured as those of one who says none. Set by the mixer, once.
    var isDoubted: Bool { doubted.load(ordering: .relaxed) }
    func doubt() {
        doubted.store(true, ordering: .relaxed)
        saidLevel.store(1, ordering: .relaxed)
    }

    /// dBov as the sender says it (RFC 6464), nil where it does not.
    var levelFromExtension: Int? {
        let level = saidLevel.load(ordering: .relaxed)
        return level > 0 || isDoubted ? nil : level
    }

    /// dBov as the mixer measured it.
    var measuredLevel: Int {
        get { heardLevel.load(ordering: .relaxed) }
        set { if heardLevel.load(ordering: .relaxed) != newValue { heardLevel.store(newValue, ordering: .relaxed) } }
    }

    var isSpeaking: Bool {
        get { speaks.load(ordering: .relaxed) }
        set { if speaks.load(ordering: .relaxed) != newValue { speaks.store(newValue, ordering: .relaxed) } }
    }

    // MARK: Control

    var isMuted: Bool {
        get { mutedByControl.load(ordering: .relaxed) }
        set { mutedByControl.store(newValue, ordering: .relaxed) }
    }

    var isHidden: Bool {
        get { hiddenByControl.load(ordering: .relaxed) }
        set { hiddenByControl.store(newValue, ordering: .relaxed) }
    }

    // MARK: The worker

    /// What its line asks of its sound. It begins with error correction, until the line is known.
    var soundTier: SoundTier {
        get { SoundTier(rawValue: tierOfSound.load(ordering: .relaxed)) ?? .repairing }
        set { if soundTier != newValue { tierOfSound.store(newValue.rawValue, ordering: .relaxed) } }
    }

    /// In which form it should be sent its mix, by its line and by what it negotiated.
    var soundForm: SoundForm { SoundForm(soundTier, soundClass, mostTicks: mostTicks.load(ordering: .relaxed)) }

    /// In which it is; nil before its first packet. Written by its worker.
    var sentSound: SoundForm? {
        get {
            let index = formOfSound.load(ordering: .relaxed)
            return index < 0 ? nil : SoundForm(index: index)
        }
        set { formOfSound.store(newValue?.index ?? -1, ordering: .relaxed) }
    }

    var isConnected: Bool {
        get { connected.load(ordering: .relaxed) }
        set { connected.store(newValue, ordering: .relaxed) }
    }

    /// The worker that owns the peer; nil before anybody reached it.
    var worker: Int? {
        get { owner.load(ordering: .relaxed) < 0 ? nil : owner.load(ordering: .relaxed) }
        set { owner.store(newValue ?? -1, ordering: .relaxed) }
    }

    var network: PeerStatistics {
        get { stats.withLock { $0 } }
        set { stats.withLock { $0 = newValue } }
    }

    /// What must be encoded for this session: the stream that it has and the one that it waits for. Written by its worker.
    var streams: StreamSet {
        get { StreamSet(bits: wantedStreams.load(ordering: .relaxed)) }
        set { wantedStreams.store(newValue.bits, ordering: .relaxed) }
    }

    /// The mix that it hears, as control says.
    var mix: MixID {
        get { MixID(number: heardMix.load(ordering: .relaxed)) ?? .floor }
        set { heardMix.store(newValue.number, ordering: .relaxed) }
    }

    /// The mix that it speaks into, as control says.
    var voiceMix: MixID {
        get { MixID(number: spokenMix.load(ordering: .relaxed)) ?? .floor }
        set { spokenMix.store(newValue.number, ordering: .relaxed) }
    }

    /// The view that it takes, as control says.
    var view: ViewID {
        get { ViewID(number: chosenView.load(ordering: .relaxed)) ?? .programme }
        set { chosenView.store(newValue.number, ordering: .relaxed) }
    }

    /// Its line carries a picture besides the sound.
    var hasPicture: Bool {
        get { pictured.load(ordering: .relaxed) }
        set { pictured.store(newValue, ordering: .relaxed) }
    }

    /// The tier that it is sent; nil before its first picture.
    var shownTier: TierID? {
        get {
            let index = presentTier.load(ordering: .relaxed)
            return index < 0 ? nil : TierID(index: index)
        }
        set { presentTier.store(newValue?.index ?? -1, ordering: .relaxed) }
    }

    /// Whether sound came within the last second.
    func isSendingAudio(now: Instant) -> Bool {
        let last = lastAudio.load(ordering: .relaxed)
        return last > 0 && now.nanoseconds - last < 1_000_000_000
    }
}
