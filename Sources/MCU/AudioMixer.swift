import Audio
import Foundation
import RTP

/// One meeting's sound: every 20 ms, who is heard, the sum, and from it one packet for all listeners and one for each who is heard.
/// Touched by its mixer thread only.
final class AudioMixer {
    /// One sender at the mixer: its decoder, and its own encoder once it has been heard.
    private final class Leg {
        let participant: Participant
        var voice: VoiceDecoder
        var ramp = MuteRamp()
        var own: OwnMix?
        var tick = [Int16](repeating: 0, count: AudioFormat.samplesPerTick)
        var hasSound = false
        var isPresent = true
        /// When its mix was last a mix of its own. The encoder is kept a while: a speaker comes back.
        var lastHeard = Instant.start

        init(_ participant: Participant) throws {
            self.participant = participant
            voice = try VoiceDecoder()
        }

        func decode(_ payload: [UInt8], _ length: Int) {
            // What libopus refuses is concealed by the voice and counted there; the meeting goes on.
            do { try voice.decode(payload.span.extracting(0..<length).bytes) } catch {}
        }

        func recover(_ payload: [UInt8], _ length: Int) { voice.recover(from: payload.span.extracting(0..<length).bytes) }

        /// Takes this tick's sound.
        /// - Returns: its level: as the sender says it where it does, otherwise measured; −127 where it is muted or silent.
        func read() -> Int {
            hasSound = tick.withUnsafeMutableBufferPointer { tick in
                var span = tick.mutableSpan
                let isSound = voice.read(into: &span)
                ramp.apply(to: &span)
                return isSound
            }
            guard hasSound, !participant.isMuted else { return AudioLevel.silence }
            return participant.levelFromExtension ?? Self.level(of: tick)
        }

        private static func level(of pcm: [Int16]) -> Int { AudioLevel.decibels(of: pcm.span) }
    }

    /// One output of the mix: for all who only listen, or for one who is heard.
    private final class OwnMix {
        var encoder: MixEncoder
        init() throws(OpusError) { encoder = try MixEncoder(AudioMixer.settings) }
    }

    static var settings: OpusEncoder.Settings {
        var settings = OpusEncoder.Settings()
        settings.bitsPerSecond = 40_000
        settings.complexity = 5
        settings.expectedLossPercent = 5
        return settings
    }

    let bridge: Bridge
    private var legs: [ObjectIdentifier: Leg] = [:]
    private var selector: SpeakerSelector<ObjectIdentifier>
    private var selected: [ObjectIdentifier] = []
    private var bus = MixBus()
    private var listeners: OwnMix
    private var frames = AudioFramePool()
    private var payload = [UInt8](repeating: 0, count: AudioFrame.largestPacket * 2)
    private(set) var ticks: UInt64 = 0
    private var lastActive: ObjectIdentifier?

    init(bridge: Bridge, seats: Int) throws {
        self.bridge = bridge
        var settings = SpeakerSelector<ObjectIdentifier>.Settings()
        settings.seats = min(seats, MixBus.mostVoices)
        selector = SpeakerSelector(settings)
        listeners = try OwnMix()
    }

    /// - Parameter captured: the moment that the tick stands for, on the bridge clock.
    func tick(captured: Instant, now: Instant) {
        ticks &+= 1
        let members = bridge.members
        follow(members)
        for member in members { if let leg = legs[ObjectIdentifier(member.participant)] { pull(leg, now: now) } }
        selector.select(now: now, into: &selected)
        noteActive(members)
        mix(now: now)
        encode(members, captured: captured)
    }

    // MARK: Who is in

    private func follow(_ members: [Bridge.Member]) {
        for leg in legs.values { leg.isPresent = false }
        for member in members where member.participant.sendsAudio {
            let key = ObjectIdentifier(member.participant)
            if let leg = legs[key] { leg.isPresent = true } else { legs[key] = try? Leg(member.participant) }
        }
        // Collected first: a dictionary must not change under its own iteration.
        guard legs.values.contains(where: { !$0.isPresent }) else { return }
        for (key, leg) in legs where !leg.isPresent {
            legs[key] = nil
            selector.remove(key)
        }
    }

    // MARK: One sender's tick

    private func pull(_ leg: Leg, now: Instant) {
        leg.ramp.isMuted = leg.participant.isMuted
        while leg.voice.wantsPacket {
            switch leg.participant.nextAudio(now: now, into: &payload) {
            case .packet(let length): leg.decode(payload, length)
            case .recover(let length): leg.recover(payload, length)
            case .conceal: leg.voice.conceal()
            case .nothing: leg.voice.nothing()
            }
        }
        let level = leg.read()
        leg.participant.measuredLevel = level
        if leg.hasSound { selector.report(ObjectIdentifier(leg.participant), level: level, now: now) }
    }

    // MARK: The sum

    private func mix(now: Instant) {
        bus.clear()
        for id in selected {
            guard let leg = legs[id], leg.hasSound || leg.own != nil else { continue }
            add(leg.tick)
            leg.lastHeard = now
            if leg.own == nil { leg.own = try? OwnMix() }
        }
    }

    private func encode(_ members: [Bridge.Member], captured: Instant) {
        let frame = frames.take()
        frame.begin(timestamp: BridgeClock.audioTimestamp(captured), captured: captured)
        if members.contains(where: { $0.participant.receivesAudio && !selected.contains(ObjectIdentifier($0.participant)) }) {
            listeners.encoder.encodeAll(of: &bus, into: frame)
        }
        for id in selected {
            if let leg = legs[id], leg.participant.receivesAudio { leg.own?.encoder.encode(&bus, without: leg.tick, for: id, into: frame) }
        }
        bridge.post(.audio(bridge, frame))
    }

    private func add(_ voice: [Int16]) { bus.add(voice.span) }

    // MARK: Who speaks

    private func noteActive(_ members: [Bridge.Member]) {
        for member in members {
            let id = ObjectIdentifier(member.participant)
            member.participant.isSpeaking = selected.contains(id) && (selector.level(of: id) ?? -127) > -50
        }
        guard selector.active != lastActive else { return }
        lastActive = selector.active
        let speaker = members.first { ObjectIdentifier($0.participant) == lastActive }?.participant
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
