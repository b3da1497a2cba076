import Base
import RTP

/// Which packets of its mix one listener is sent. Forms differ in how long their packets are; another one begins where packets of both begin, so that nothing
/// is heard twice or left out, and timestamps rise.
struct SoundGate {
    /// The form that is sent.
    private(set) var present: SoundForm
    /// The form that should be sent.
    var wanted: SoundForm
    /// Packets are sent with those before them, where they are made so.
    var takesRedundancy = false
    /// When what was sent last ends.
    private var end = Instant.start
    /// Packets of a tick of one source that were sent one after the other: only of those may others tell. Who spoke must not hear itself out of the mix of all,
    /// nor who came from another mix what was said there.
    private var run = 0
    private var source: (isOwn: Bool, mix: MixID) = (false, .floor)

    init(_ form: SoundForm) { (present, wanted) = (form, form) }

    /// - Returns: what is to be sent of a tick's frame; nil for nothing in this tick.
    mutating func take(_ frame: AudioFrame, for listener: ObjectIdentifier) -> AudioFrame.Packet? {
        if let own = frame.own(of: listener) {
            present = own.form
            follow(isOwn: true, frame.mix)
            return pass(own)
        }
        if wanted != present, frame.isMade(wanted), frame.begins(wanted), frame.begins(present) || !frame.isMade(present) {
            present = wanted
        }
        follow(isOwn: false, frame.mix)
        return pass(frame.packet(of: frame.isMade(present) ? present : present.sibling))
    }

    private mutating func follow(isOwn: Bool, _ mix: MixID) {
        guard isOwn != source.isOwn || mix != source.mix else { return }
        source = (isOwn, mix)
        run = 0
    }

    private mutating func pass(_ packet: AudioFrame.Packet?) -> AudioFrame.Packet? {
        guard var packet, !packet.range.isEmpty, packet.captured >= end else { return nil }
        run = packet.form.ticks > 1 ? 0 : packet.captured == end ? min(run + 1, RedundantAudioWriter.reach + 1) : 1
        if !takesRedundancy || run <= RedundantAudioWriter.reach { packet.redundancy = 0 }
        end = packet.captured + AudioFrame.tick * packet.form.ticks
        return packet
    }
}
