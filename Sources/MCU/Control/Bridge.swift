import Base
import Foundation
import Peer
import RTP
import Synchronization

/// One meeting's media: who is in it, its mixer and its composer. The list of those present is the only thing that threads share here.
final class Bridge: Sendable {
    let meeting: UUID
    let composer: Composer
    let core: MediaCore
    private struct Present: Sendable {
        var members: [Member] = []
        /// Counts changes: of the list, and of what a member sends or receives.
        var version = 0
        /// Somebody receives a picture, be it that the way to it is not there yet.
        var hasViewers = false

        mutating func changed() {
            version += 1
            hasViewers = members.contains { $0.participant.receivesVideo }
        }
    }
    private let present = Guarded(Present())
    private let sound = Guarded(AudioMixer.Counters())
    private let floorHolder = Guarded<UUID?>(nil)
    private let leavers = Guarded(Composer.Counters())
    /// Counts changes of what stream a session is sent or waits for.
    private let streamChanges = Atomic<Int>(0)

    /// A participant and the decoders of its camera and of the screen that it shares.
    struct Member: Sendable {
        let participant: Participant
        let video: VideoSource
        let screen: VideoSource
        /// The label of the shared screen.
        let screenName: String

        init(_ participant: Participant, core: MediaCore, meeting: UUID) {
            self.participant = participant
            video = VideoSource(core: core, participant: participant, meeting: meeting)
            screen = VideoSource(core: core, participant: participant, meeting: meeting)
            screenName = core.configuration.words.screen + participant.name
        }

        var pictureCounters: Composer.Counters {
            var counters = Composer.Counters()
            counters.add(video.counters)
            counters.add(screen.counters)
            return counters
        }
    }

    init(meeting: UUID, core: MediaCore) {
        self.meeting = meeting
        self.core = core
        composer = Composer(core: core)
    }

    /// Those present, in the order of joining.
    var members: [Member] { present.withLock { $0.members } }

    /// The same for a thread that keeps its own list.
    /// - Returns: nil where nothing has changed since `version`, which is brought up to date.
    func members(newerThan version: inout Int) -> [Member]? {
        let known = version
        let (members, now): ([Member]?, Int) = present.withLock { ($0.version == known ? nil : $0.members, $0.version) }
        version = now
        return members
    }

    /// Whether anybody receives a picture; every 25th beat counts as one all the same, since senders that nobody sees are asked to stop then.
    func mayHaveViewers(_ beat: Instant) -> Bool {
        present.withLock { $0.hasViewers } || beat.nanoseconds / 40_000_000 % 25 == 0
    }

    /// A session is sent another stream, or waits for one.
    func streamsChanged() { streamChanges.wrappingAdd(1, ordering: .releasing) }
    var streamVersion: Int { streamChanges.load(ordering: .acquiring) }

    /// What a member sends or receives has changed.
    func membersChanged() { present.withLock { $0.changed() } }

    func add(_ participant: Participant) {
        let member = Member(participant, core: core, meeting: meeting)
        present.withLock {
            $0.members.append(member)
            $0.changed()
        }
        participant.attach(camera: member.video, screen: member.screen)
    }

    /// Who has the floor: heard even while others are louder.
    var floor: UUID? {
        get { floorHolder.withLock { $0 } }
        set { floorHolder.withLock { $0 = newValue } }
    }

    /// Packets decoded and encoded for the sound.
    var soundCounters: AudioMixer.Counters {
        get { sound.withLock { $0 } }
        set { sound.withLock { $0 = newValue } }
    }

    /// Takes a participant out; says so once.
    func remove(_ participant: Participant, reason: LeaveReason) {
        let isLast: Bool? = present.withLock { present in
            guard let index = present.members.firstIndex(where: { $0.participant === participant }) else { return nil }
            leavers.withLock { $0.add(present.members[index].pictureCounters) }
            present.members.remove(at: index)
            present.changed()
            return present.members.isEmpty
        }
        guard let isLast else { return }
        participant.isConnected = false
        core.left(participant)
        core.events.send(.left(meeting: meeting, session: participant.session, reason: reason))
        if isLast { core.bridgeIsEmpty(self) }
    }

    /// - Parameter stream: that it waits for.
    func sessionConnected(_ participant: Participant, waitingFor stream: PictureStream) {
        membersChanged()
        if participant.receivesVideo { wantsKeyFrame(stream) }
    }

    /// What was counted of pictures, decoders included.
    var pictureCounters: Composer.Counters {
        var counters = composer.counters
        counters.add(leavers.withLock { $0 })
        for member in members { counters.add(member.pictureCounters) }
        return counters
    }

    func wantsKeyFrame(_ stream: PictureStream) { composer.wantsKeyFrame(stream) }

    func post(_ command: MediaCommand) {
        for worker in core.workers { worker.post(command) }
    }
}
