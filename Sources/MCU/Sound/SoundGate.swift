import Base

/// Which packets of its mix one listener is sent. Forms differ in how long their packets are; another one begins where packets of both begin, so that nothing
/// is heard twice or left out, and timestamps rise.
struct SoundGate {
    /// The form that is sent.
    private(set) var present: SoundForm
    /// The form that should be sent.
    var wanted: SoundForm
    /// When what was sent last ends.
    private var end = Instant.start

    init(_ form: SoundForm) { (present, wanted) = (form, form) }

    /// - Returns: what is to be sent of a tick's frame; nil for nothing in this tick.
    mutating func take(_ frame: AudioFrame, for listener: ObjectIdentifier) -> AudioFrame.Packet? {
        if let own = frame.own(of: listener) {
            present = own.form
            return pass(own)
        }
        if wanted != present, frame.isMade(wanted), frame.begins(wanted), frame.begins(present) || !frame.isMade(present) {
            present = wanted
        }
        return pass(frame.packet(of: frame.isMade(present) ? present : present.sibling))
    }

    private mutating func pass(_ packet: AudioFrame.Packet?) -> AudioFrame.Packet? {
        guard let packet, !packet.range.isEmpty, packet.captured >= end else { return nil }
        end = packet.captured + AudioFrame.tick * packet.form.ticks
        return packet
    }
}
