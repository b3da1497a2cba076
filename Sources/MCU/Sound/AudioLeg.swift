import Audio
import Base
import Foundation
import RTP

/// One sender at the mixer. Its decoder and its own encoder are made when it is first heard, and go when it has not been heard for a while.
/// Touched by its mixer's thread only.
final class AudioLeg {
    private final class Decoder {
        var voice: VoiceDecoder
        /// Of its sender, as the jitter buffer counts.
        private var beginning = 0
        init() throws(OpusError) { voice = try VoiceDecoder() }

        /// Another source speaks now: what libopus remembers of the one before is none of its sound.
        func follow(_ beginning: Int) {
            guard beginning != self.beginning else { return }
            self.beginning = beginning
            voice.reset()
        }
    }

    /// One output of the mix, for the one who speaks.
    final class OwnMix {
        var encoder: MixEncoder
        init(_ form: SoundForm) throws(OpusError) { encoder = try MixEncoder(form) }
    }

    let participant: Participant
    let id: ObjectIdentifier
    /// The same as a number, for the selector.
    let key: UInt
    /// Whose it is as a number, for the selector; 0 where it stands for itself.
    let owner: UInt
    static func key(_ participant: Participant) -> UInt { UInt(bitPattern: ObjectIdentifier(participant)) }
    private var decoder: Decoder?
    private var ramp = MuteRamp(isMuted: true)
    /// This tick's sound, where `hasSound`.
    private(set) var tick = [Int16](repeating: 0, count: AudioFormat.samplesPerTick)
    private(set) var hasSound = false
    /// Of the tick's packets as the sender says, else of its sound; −127 where it is muted or silent.
    private(set) var level = AudioLevel.silence
    private(set) var own: OwnMix?
    /// Into which it speaks.
    var mix = MixID.floor
    /// Chosen by the selector for this tick.
    var isSelected = false
    /// Made when it is first decoded: hundreds never are, and are gone past in every tick.
    private var checker: Checker?

    private final class Checker {
        var check = LevelCheck()
        /// It was decoded in the last tick too.
        var isRunning = false
        /// What its packets said since the last tick.
        var said: Int?
    }
    /// When it was last part of a mix.
    private var lastHeard = Instant.start

    init(_ participant: Participant) {
        self.participant = participant
        id = ObjectIdentifier(participant)
        key = Self.key(participant)
        owner = participant.person.map(Self.owner) ?? 0
    }

    private static func owner(_ person: UUID) -> UInt {
        let (upper, lower) = withUnsafeBytes(of: person.uuid) { ($0.load(as: UInt.self), $0.load(fromByteOffset: 8, as: UInt.self)) }
        return upper ^ lower | 1
    }

    /// Whether the sender says how loud it is: what is not heard is then not decoded.
    var saysLevel: Bool { participant.levelFromExtension != nil }
    /// What it says of its level is not to be gone by now.
    private var isSuspect: Bool { checker?.check.isSuspect ?? false }
    /// It was decoded in this tick, to be measured.
    private(set) var isMeasured = false
    /// Something of it is in the mix, though it be the 10 ms in which it fades.
    var isInMix: Bool { hasSound && !ramp.isSilent || isSelected }

    /// Its level is known, be it that it was measured or that what it says is true.
    var isProven: Bool { !saysLevel || checker?.check.isProven ?? false }

    /// Its level in this tick: what the packets since the last one said, as far as it is believed; measured where nothing is said, or nothing believed.
    /// - Returns: nil where none came.
    func listen(now: Instant, payload: inout [UInt8], decoded: inout UInt64) -> Int? {
        let said = participant.takeLoudest()
        if let checker { checker.said = said }
        // One who is muted has nothing to prove.
        isMeasured = !saysLevel || isSuspect && !participant.isMuted
        if isMeasured {
            pull(now: now, payload: &payload, decoded: &decoded)
            return hasSound ? measure() : nil
        }
        guard let said else { return nil }
        let believed = checker.map { $0.check.counted(said, isDecoded: $0.isRunning) } ?? said
        level = participant.isMuted ? AudioLevel.silence : believed
        return level
    }

    /// Holds what was said against what was decoded in this tick.
    /// - Returns: whether it was found lying just now.
    func believe(isDecoded: Bool) -> Bool {
        guard isDecoded, !participant.isMuted else {
            if let checker, checker.isRunning { checker.isRunning = false }
            return false
        }
        let checker = checker ?? Checker()
        self.checker = checker
        if !checker.isRunning { checker.check.begin() }
        checker.isRunning = true
        checker.check.note(said: checker.said, measured: hasSound ? AudioLevel.decibels(of: tick.span) : AudioLevel.silence)
        guard checker.check.isLying, !participant.isDoubted else { return false }
        participant.doubt()
        return true
    }

    /// Decodes what is due in this tick and lets it fade in or out.
    /// - Parameter decoded: counts packets.
    func pull(now: Instant, payload: inout [UInt8], decoded: inout UInt64) {
        hasSound = false
        // Without memory for a decoder the voice is not heard in this tick.
        guard let decoder = decoder ?? (try? Decoder()) else { return }
        self.decoder = decoder
        let before = decoder.voice.packetsDecoded
        while decoder.voice.wantsPacket {
            let (next, beginning, excess) = participant.nextAudio(now: now, held: decoder.voice.buffered, into: &payload)
            decoder.follow(beginning)
            switch next {
            // What libopus refuses is concealed by the voice and counted there; the meeting goes on.
            case .packet(let length):
                do {
                    let shorter = try decoder.voice.decode(payload.span.extracting(0..<length).bytes, excess: excess)
                    if shorter != 0 { participant.shortenedAudio(by: shorter) }
                } catch {}
            case .recover(let length): decoder.voice.recover(from: payload.span.extracting(0..<length).bytes)
            case .conceal: decoder.voice.conceal()
            case .nothing: decoder.voice.nothing()
            }
        }
        decoded &+= decoder.voice.packetsDecoded &- before
        hasSound = Self.read(decoder, into: &tick)
    }

    private static func read(_ decoder: Decoder, into tick: inout [Int16]) -> Bool {
        var span = tick.mutableSpan
        return decoder.voice.read(into: &span)
    }

    /// The level of the tick that was pulled, for one who does not say it.
    private func measure() -> Int {
        level = hasSound && !participant.isMuted ? AudioLevel.decibels(of: tick.span) : AudioLevel.silence
        return level
    }

    /// Fades towards what the selector and control say.
    func shape(now: Instant) {
        ramp.isMuted = participant.isMuted || !isSelected
        guard hasSound else { return }
        var span = tick.mutableSpan
        ramp.apply(to: &span)
        if isSelected { lastHeard = now }
    }

    /// Passes over a tick that nobody hears: the buffer keeps its pace and nothing is decoded.
    func skip(now: Instant) {
        hasSound = false
        if participant.hasAudioWaiting { participant.skipAudio(now: now) }
    }

    /// Whether its sound must be decoded in this tick: it is heard, or it still fades.
    var isWanted: Bool { isSelected && !participant.isMuted || !ramp.isSilent }

    /// It was heard, and a packet of its own is not whole yet.
    var isAmidPacket: Bool { own?.encoder.isAmid ?? false }

    /// Another form begins where packets of both begin.
    /// - Parameter number: of the tick.
    func makeOwnMix(in number: Int64) {
        let wanted = participant.soundForm
        let present = own?.encoder.form ?? participant.sentSound ?? wanted
        let mayChange = number % Int64(wanted.ticks) == 0 && number % Int64(present.ticks) == 0
        let form = mayChange ? wanted : present
        // Without memory for an encoder it hears the mix of all, its own voice too.
        if own?.encoder.form != form { own = try? OwnMix(form) }
    }

    /// Lets go of codecs that were not used for a while.
    func relax(now: Instant, after idle: Duration) {
        guard !isSelected, now - lastHeard > idle else { return }
        own = nil
        if saysLevel { decoder = nil }
    }
}
