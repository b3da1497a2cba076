import Audio
import Base
import Foundation
import RTP
import Synchronization

/// One meeting's sound: every 20 ms, for each mix that somebody hears, whose voices are in it, their sum, and from it one packet for all listeners and one for each
/// who is heard.
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
    private let seats: Int
    /// All who may send sound.
    private var legs: [AudioLeg] = []
    private var legsByID: [UInt: AudioLeg] = [:]
    private var members: [Bridge.Member] = []
    private var membersVersion = -1
    /// The floor first, then those of the others that somebody hears or speaks into.
    private var mixes: [Mix]
    private var mixesByNumber = [Mix?](repeating: nil, count: MixID.most)
    private var payload = [UInt8](repeating: 0, count: AudioFrame.largestPacket * 2)
    private var ticks: UInt64 = 0
    private var lastActive: UInt?
    private var counters = Counters()
    private var floor: Mix { mixes[0] }

    init(bridge: Bridge, seats: Int) {
        self.bridge = bridge
        self.seats = seats
        let floor = Mix(.floor, seats: seats)
        mixes = [floor]
        mixesByNumber[0] = floor
    }

    /// - Parameter captured: the moment that the tick stands for, on the bridge clock.
    func tick(captured: Instant, now: Instant) {
        ticks &+= 1
        follow()
        for leg in legs where isMade(leg.mix) { listen(leg, now: now) }
        for mix in mixes where isMade(mix.id) { select(mix, now: now) }
        for leg in legs { take(leg, now: now) }
        for mix in mixes { noteActive(mix) }
        for mix in mixes where isMade(mix.id) {
            mix.add(legs, in: captured.nanoseconds / AudioFrame.tick.nanoseconds)
            encode(mix, captured: captured)
        }
        if ticks % 500 == 0 { relax(now: now) }
        bridge.soundCounters = counters
    }

    /// A mix that nobody hears is not made, and who speaks into it is not decoded. The floor is: who speaks is known by it.
    private func isMade(_ id: MixID) -> Bool { id == .floor || mixesByNumber[id.number]?.isTaken == true }

    /// Lets go of codecs that nobody has needed for a while.
    private func relax(now: Instant) {
        for leg in legs { leg.relax(now: now, after: Self.idle) }
        for mix in mixes { mix.relax() }
    }

    // MARK: Who is in

    private func follow() {
        guard let changed = bridge.members(newerThan: &membersVersion) else { return }
        members = changed
        legs.removeAll(keepingCapacity: true)
        var byID: [UInt: AudioLeg] = [:]
        for member in members where member.participant.sendsAudio {
            let id = AudioLeg.key(member.participant)
            let leg = legsByID[id] ?? AudioLeg(member.participant)
            byID[id] = leg
            legs.append(leg)
            if leg.mix != member.participant.voiceMix {
                mixesByNumber[leg.mix.number]?.remove(leg)
                leg.mix = member.participant.voiceMix
            }
        }
        for (id, leg) in legsByID where byID[id] == nil {
            leg.participant.isHeard = false
            leg.participant.isSpeaking = false
            mixesByNumber[leg.mix.number]?.remove(leg)
        }
        legsByID = byID
        followMixes()
    }

    private func followMixes() {
        for number in 1..<MixID.most {
            guard let id = MixID(number: number) else { continue }
            let isUsed = members.contains { $0.participant.mix == id || $0.participant.voiceMix == id }
            if isUsed, mixesByNumber[number] == nil {
                mixesByNumber[number] = Mix(id, seats: seats)
            } else if !isUsed {
                mixesByNumber[number] = nil
            }
        }
        mixes = mixesByNumber.compactMap { $0 }
        for mix in mixes { mix.lookForListeners(among: members) }
    }

    // MARK: Who is heard

    /// The levels first.
    private func listen(_ leg: AudioLeg, now: Instant) {
        if let level = leg.listen(now: now, payload: &payload, decoded: &counters.decoded) { report(leg, level, now) }
    }

    private func report(_ leg: AudioLeg, _ level: Int, _ now: Instant) {
        leg.participant.measuredLevel = level
        mixesByNumber[leg.mix.number]?.selector
            .report(leg.key, level: level, owner: leg.owner, isProven: leg.isProven, now: now)
    }

    private func select(_ mix: Mix, now: Instant) {
        for id in mix.selected { legsByID[id]?.isSelected = false }
        // Who has the floor has it in the mix that it speaks into.
        let floor = bridge.floor.flatMap { session in legs.first { $0.participant.session == session && $0.mix == mix.id }?.key }
        if let floor, mix.selector.level(of: floor) == nil {
            mix.selector.report(floor, level: AudioLevel.silence, owner: legsByID[floor]?.owner ?? 0, now: now)
        }
        mix.selector.select(now: now, floor: floor, into: &mix.selected)
        for id in mix.selected { legsByID[id]?.isSelected = true }
    }

    /// Decodes those who are heard, passes over the others.
    private func take(_ leg: AudioLeg, now: Instant) {
        guard isMade(leg.mix) else {
            leg.isSelected = false
            leg.participant.isHeard = false
            return leg.skip(now: now)
        }
        leg.participant.isHeard = leg.isSelected
        if !leg.isMeasured {
            if leg.isWanted { leg.pull(now: now, payload: &payload, decoded: &counters.decoded) } else { leg.skip(now: now) }
        }
        if leg.saysLevel, leg.believe(isDecoded: leg.isSelected || leg.isMeasured) { counters.doubted &+= 1 }
        leg.shape(now: now)
    }

    /// Ticks between two looks at who listens over what kind of line. In between a packet of the other kind does as well.
    private static let lookInterval: UInt64 = 25

    private func encode(_ mix: Mix, captured: Instant) {
        let frame = mix.frames.take()
        frame.begin(timestamp: BridgeClock.audioTimestamp(captured), captured: captured, of: mix.id)
        if mix.isLooking || ticks % Self.lookInterval == 0 { mix.lookForListeners(among: members) }
        counters.encoded &+= mix.encode(into: frame)
        bridge.post(.audio(bridge, frame))
    }

    // MARK: Who speaks

    private func noteActive(_ mix: Mix) {
        for leg in mix.speaking { leg.participant.isSpeaking = leg.isSelected }
        mix.speaking.removeAll(keepingCapacity: true)
        guard isMade(mix.id) else { return }
        for id in mix.selected {
            guard let leg = legsByID[id] else { continue }
            leg.participant.isSpeaking = (mix.selector.level(of: id) ?? AudioLevel.silence) > -50
            mix.speaking.append(leg)
        }
        // Who speaks on the floor is who is shown.
        guard mix.id == .floor, mix.selector.active != lastActive else { return }
        lastActive = mix.selector.active
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
