import Audio
import Base
import RTP

/// Which sound a session hears of its meeting, and into which it speaks.
package struct MixID: Hashable, Sendable {
    /// Mixes that a meeting may have.
    package static let most = 4
    /// 0 ..< `most`.
    package let number: Int
    package init?(number: Int) {
        guard (0..<Self.most).contains(number) else { return nil }
        self.number = number
    }
    private init(checked number: Int) { self.number = number }
    /// What everybody hears and speaks into who chose nothing else.
    package static let floor = MixID(checked: 0)
}

/// One sound of a meeting: whose voices are chosen for it, their sum, and an encoder for each class of those who only listen. A voice speaks into one mix,
/// so it is decoded once. Touched by its mixer's thread only.
final class Mix {
    let id: MixID
    var selector: SpeakerSelector
    var selected: [UInt] = []
    /// Those in this tick's mix: the selected, and one who fades out; and those of the last one.
    var heard: [AudioLeg] = []
    var heardBefore: [AudioLeg] = []
    var speaking: [AudioLeg] = []
    var bus = MixBus()
    /// For those who only listen, by form. Made when somebody first takes it.
    private var shared = [SharedMix?](repeating: nil, count: SoundForm.count)
    private var past = MixPast()
    /// Somebody is sent packets of several ticks: what was heard last is kept.
    private var keepsPast = false
    /// A bit for each of them that somebody takes.
    private var listens = 0
    /// Somebody hears it; the floor is made whether or not.
    var isTaken = false
    /// Who listens may have changed: somebody came or left, or is heard now or no longer.
    var isLooking = true
    var frames = AudioFramePool()

    init(_ id: MixID, seats: Int) {
        self.id = id
        var settings = SpeakerSelector.Settings()
        settings.seats = min(seats, MixBus.mostVoices)
        selector = SpeakerSelector(settings)
    }

    /// One output of the mix, for all who take it.
    private final class SharedMix {
        var encoder: MixEncoder
        init(_ form: SoundForm) throws(OpusError) { encoder = try MixEncoder(form, isShared: true) }
    }

    /// A voice that has left, or speaks into another mix now.
    func remove(_ leg: AudioLeg) {
        selector.remove(leg.key)
        selected.removeAll { $0 == leg.key }
        speaking.removeAll { $0 === leg }
        leg.isSelected = false
        leg.participant.isSpeaking = false
    }

    /// The sum of the voices that are in it.
    /// - Parameter number: of the tick.
    func add(_ legs: [AudioLeg], in number: Int64) {
        bus.clear()
        swap(&heard, &heardBefore)
        heard.removeAll(keepingCapacity: true)
        for leg in legs where leg.mix == id && (leg.isInMix || leg.isAmidPacket) && heard.count < MixBus.mostVoices {
            heard.append(leg)
            if leg.hasSound { bus.add(leg.tick.span) }
            if leg.participant.mix == id { leg.makeOwnMix(in: number) }
        }
        if !heard.elementsEqual(heardBefore, by: ===) { isLooking = true }
    }

    /// Who hears it, over which kind of line.
    func lookForListeners(among members: [Bridge.Member]) {
        isLooking = false
        listens = 0
        isTaken = false
        keepsPast = false
        for member in members where member.participant.receivesAudio && member.participant.mix == id {
            isTaken = true
            let (wanted, sent) = (member.participant.soundForm, member.participant.sentSound)
            if wanted.ticks > 1 || sent?.ticks ?? 1 > 1 { keepsPast = true }
            if isHeard(member.participant) { continue }
            // What is sent goes on until the other one begins.
            listens |= 1 << wanted.index | 1 << (sent ?? wanted).index
        }
        for place in shared.indices where listens & 1 << place != 0 && shared[place] == nil {
            // Without memory for an encoder the form has no packet in this tick.
            shared[place] = try? SharedMix(SoundForm(index: place))
        }
    }

    private func isHeard(_ participant: Participant) -> Bool { heard.contains { $0.participant === participant } }

    /// - Returns: packets made.
    func encode(into frame: AudioFrame) -> UInt64 {
        var count: UInt64 = 0
        for place in shared.indices where listens & 1 << place != 0 {
            guard let output = shared[place] else { continue }
            output.encoder.encodeAll(of: &bus, after: past, into: frame)
            if frame.ends(output.encoder.form) { count += 1 }
        }
        for leg in heard where leg.participant.receivesAudio && leg.participant.mix == id {
            guard let own = leg.own else { continue }
            if leg.hasSound {
                own.encoder.encode(&bus, without: leg.tick, after: past, for: leg.id, into: frame)
            } else {
                own.encoder.encodeAll(of: &bus, after: past, for: leg.id, into: frame)
            }
            if frame.ends(own.encoder.form) { count += 1 }
        }
        if keepsPast { past.keep(bus, number: frame.number) }
        return count
    }

    /// Lets go of encoders that nobody needs.
    func relax() { for place in shared.indices where listens & 1 << place == 0 && place > 1 { shared[place] = nil } }
}
