import Base
import Audio
import Foundation
import RTP
import Synchronization

/// One meeting's sound: every 20 ms, who is heard, the sum, and from it one packet for all listeners and one for each who is heard.
/// Who is heard is chosen first, by the levels that senders say (RFC 6464); only those are decoded. Touched by its mixer thread only.
final class AudioMixer {
    /// Codecs of one who fell silent are kept so long.
    private static let idle = Duration.seconds(60)

    struct Counters: Sendable {
        var decoded: UInt64 = 0
        var encoded: UInt64 = 0
        /// Senders that were found to say other levels than they send.
        var doubted: UInt64 = 0

        mutating func add(_ other: Counters) {
            decoded += other.decoded
            encoded += other.encoded
            doubted += other.doubted
        }
    }

    let bridge: Bridge
    /// All who may send sound.
    private var legs: [AudioLeg] = []
    private var legsByID: [UInt: AudioLeg] = [:]
    private var members: [Bridge.Member] = []
    private var membersVersion = -1
    /// Who listens may have changed: somebody came or left, or is heard now or no longer.
    private var isLooking = true
    private var selector: SpeakerSelector
    private var selected: [UInt] = []
    /// Those in this tick's mix: the selected, and one who fades out; and those of the last one.
    private var heard: [AudioLeg] = []
    private var heardBefore: [AudioLeg] = []
    private var speaking: [AudioLeg] = []
    private var bus = MixBus()
    /// The mix for those who only listen, by class: over clean lines, and then over lossy ones. Made when somebody first takes it.
    private var shared = [SharedMix?](repeating: nil, count: 2 * SoundClass.count)
    /// A bit for each of them that somebody takes.
    private var listens = 0
    private var frames = AudioFramePool()
    private var payload = [UInt8](repeating: 0, count: AudioFrame.largestPacket * 2)
    private var ticks: UInt64 = 0
    private var lastActive: UInt?
    private var counters = Counters()

    init(bridge: Bridge, seats: Int) {
        self.bridge = bridge
        var settings = SpeakerSelector.Settings()
        settings.seats = min(seats, MixBus.mostVoices)
        selector = SpeakerSelector(settings)
    }

    /// One output of the mix, for all who take it.
    private final class SharedMix {
        var encoder: MixEncoder
        init(repairs: Bool, _ soundClass: SoundClass) throws(OpusError) { encoder = try MixEncoder(repairs: repairs, soundClass) }
    }

    /// - Parameter captured: the moment that the tick stands for, on the bridge clock.
    func tick(captured: Instant, now: Instant) {
        ticks &+= 1
        follow()
        for leg in legs { listen(leg, now: now) }
        select(now: now)
        for leg in legs { take(leg, now: now) }
        noteActive()
        mix()
        encode(captured: captured)
        if ticks % 500 == 0 { relax(now: now) }
        bridge.soundCounters = counters
    }

    /// Lets go of codecs that nobody has needed for a while.
    private func relax(now: Instant) {
        for leg in legs { leg.relax(now: now, after: Self.idle) }
        for place in shared.indices where listens & 1 << place == 0 && place > 1 { shared[place] = nil }
    }

    // MARK: Who is in

    private func follow() {
        guard let changed = bridge.members(newerThan: &membersVersion) else { return }
        members = changed
        isLooking = true
        legs.removeAll(keepingCapacity: true)
        var byID: [UInt: AudioLeg] = [:]
        for member in members where member.participant.sendsAudio {
            let id = AudioLeg.key(member.participant)
            let leg = legsByID[id] ?? AudioLeg(member.participant)
            byID[id] = leg
            legs.append(leg)
        }
        for (id, leg) in legsByID where byID[id] == nil {
            leg.participant.isHeard = false
            leg.participant.isSpeaking = false
            selector.remove(id)
            speaking.removeAll { $0 === leg }
        }
        legsByID = byID
    }

    // MARK: Who is heard

    /// The levels first. One who does not say its level must be decoded to be measured.
    private func listen(_ leg: AudioLeg, now: Instant) {
        if leg.saysLevel {
            if let level = leg.listen() { report(leg, level, now) }
        } else {
            leg.pull(now: now, payload: &payload, decoded: &counters.decoded)
            if leg.hasSound { report(leg, leg.measure(), now) }
        }
    }

    private func report(_ leg: AudioLeg, _ level: Int, _ now: Instant) {
        leg.participant.measuredLevel = level
        selector.report(leg.key, level: level, owner: leg.owner, isProven: leg.isProven, now: now)
    }

    private func select(now: Instant) {
        for id in selected { legsByID[id]?.isSelected = false }
        let floor = bridge.floor.flatMap { session in legs.first { $0.participant.session == session }?.key }
        if let floor, selector.level(of: floor) == nil {
            selector.report(floor, level: AudioLevel.silence, owner: legsByID[floor]?.owner ?? 0, now: now)
        }
        selector.select(now: now, floor: floor, into: &selected)
        for id in selected { legsByID[id]?.isSelected = true }
    }

    /// Decodes those who are heard, passes over the others.
    private func take(_ leg: AudioLeg, now: Instant) {
        leg.participant.isHeard = leg.isSelected
        if leg.saysLevel {
            if leg.isWanted { leg.pull(now: now, payload: &payload, decoded: &counters.decoded) } else { leg.skip(now: now) }
            if leg.believe(isDecoded: leg.isSelected) { counters.doubted &+= 1 }
        }
        leg.shape(now: now)
    }

    // MARK: The sum

    private func mix() {
        bus.clear()
        swap(&heard, &heardBefore)
        heard.removeAll(keepingCapacity: true)
        for leg in legs where leg.isInMix && heard.count < MixBus.mostVoices {
            heard.append(leg)
            if leg.hasSound { bus.add(leg.tick.span) }
            leg.makeOwnMix()
        }
        if !heard.elementsEqual(heardBefore, by: ===) { isLooking = true }
    }

    private func encode(captured: Instant) {
        let frame = frames.take()
        frame.begin(timestamp: BridgeClock.audioTimestamp(captured), captured: captured)
        if isLooking || ticks % Self.lookInterval == 0 { lookForListeners() }
        for place in shared.indices where listens & 1 << place != 0 {
            shared[place]?.encoder.encodeAll(of: &bus, into: frame)
            counters.encoded &+= 1
        }
        for leg in heard where leg.participant.receivesAudio {
            guard let own = leg.own else { continue }
            if leg.hasSound {
                own.encoder.encode(&bus, without: leg.tick, for: leg.id, into: frame)
            } else {
                own.encoder.encodeAll(of: &bus, for: leg.id, into: frame)
            }
            counters.encoded &+= 1
        }
        bridge.post(.audio(bridge, frame))
    }

    /// Ticks between two looks at who listens over what kind of line. In between a packet of the other kind does as well.
    private static let lookInterval: UInt64 = 25

    private func lookForListeners() {
        isLooking = false
        listens = 0
        for member in members where member.participant.receivesAudio && !isHeard(member.participant) {
            listens |= 1 << (2 * member.participant.soundClass.index + (member.participant.wantsRepair ? 1 : 0))
        }
        for place in shared.indices where listens & 1 << place != 0 && shared[place] == nil {
            // Without memory for an encoder the class has no packet in this tick.
            shared[place] = try? SharedMix(repairs: place % 2 == 1, SoundClass(index: place / 2))
        }
    }

    private func isHeard(_ participant: Participant) -> Bool { heard.contains { $0.participant === participant } }

    // MARK: Who speaks

    private func noteActive() {
        for leg in speaking { leg.participant.isSpeaking = leg.isSelected }
        speaking.removeAll(keepingCapacity: true)
        for id in selected {
            guard let leg = legsByID[id] else { continue }
            leg.participant.isSpeaking = (selector.level(of: id) ?? AudioLevel.silence) > -50
            speaking.append(leg)
        }
        guard selector.active != lastActive else { return }
        lastActive = selector.active
        let speaker = lastActive.flatMap { legsByID[$0]?.participant }
        bridge.composer.speaker = speaker?.session
        bridge.core.events.send(.speakerChanged(meeting: bridge.meeting, session: speaker?.session))
    }
}

/// The media clocks of everything that the server sends, from one zero, so that sound and picture of one moment have the same time.
enum BridgeClock {
    static func audioTimestamp(_ captured: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: (captured.nanoseconds / 1_000) &* 48 / 1_000)
    }
    static func videoTimestamp(_ captured: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: (captured.nanoseconds / 1_000) &* 90 / 1_000)
    }
}
