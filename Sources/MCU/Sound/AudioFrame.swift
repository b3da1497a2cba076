import Base
import RTP
import Synchronization

/// The encoded sound of one mix in one tick: for each form that somebody takes one packet for all who only listen, and one for each who is heard. Forms with
/// packets of several ticks have theirs in the last of these. Immutable once posted.
///
/// Invariant behind `@unchecked`: the mixer writes only while it holds the one reference (`AudioFramePool.take` checks that), and never after posting.
final class AudioFrame: @unchecked Sendable {
    /// RFC 6716 §3.2.1: one frame of 20 ms is at most this long.
    static let largestPacket = 1_276

    static let tick = Duration.milliseconds(20)

    /// One packet, or in a tick that completes none of its form the place of it.
    struct Packet {
        let form: SoundForm
        fileprivate(set) var range: Range<Int>
        /// Bytes of what earlier packets had (RFC 2198), before `range`; 0 for none.
        var redundancy = 0
        /// RTP, 48 kHz, and moment: of its first sample.
        let timestamp: UInt32
        let captured: Instant
    }

    /// Of this tick.
    private(set) var timestamp: UInt32 = 0
    private(set) var captured = Instant.start
    /// Whose sound it is.
    private(set) var mix = MixID.floor
    private var bytes: [UInt8] = Array(repeating: 0, count: largestPacket * 4)
    private var used = 0
    /// For those who only listen, by form.
    private var shared = Array(repeating: Place(), count: SoundForm.count)
    /// A bit for each form that is being made, be it that no packet of it ends in this tick.
    private var made = 0
    private var own: [(participant: ObjectIdentifier, form: SoundForm, place: Place)] = []

    private struct Place {
        var range = 0..<0
        var redundancy = 0
    }

    fileprivate init() { own.reserveCapacity(16) }

    func begin(timestamp: UInt32, captured: Instant, of mix: MixID = .floor) {
        self.timestamp = timestamp
        self.captured = captured
        self.mix = mix
        used = 0
        for index in shared.indices { shared[index] = Place() }
        made = 0
        own.removeAll(keepingCapacity: true)
    }

    /// The number of the tick; packets of several begin at its multiples.
    var number: Int64 { captured.nanoseconds / Self.tick.nanoseconds }
    /// Whether a packet of a form begins in this tick.
    func begins(_ form: SoundForm) -> Bool { number % Int64(form.ticks) == 0 }
    /// Whether one ends in it.
    func ends(_ form: SoundForm) -> Bool { number % Int64(form.ticks) == Int64(form.ticks - 1) }
    func isMade(_ form: SoundForm) -> Bool { made & 1 << form.index != 0 }

    /// A packet of this form is being made, and does not end in this tick.
    func note(for participant: ObjectIdentifier?, _ form: SoundForm) {
        if let participant { own.append((participant, form, Place())) } else { made |= 1 << form.index }
    }

    /// Takes one packet: for `participant`, or where nil for all who are not named.
    /// - Parameter redundancy: bytes of it that are of earlier packets.
    func add(_ packet: Span<UInt8>, for participant: ObjectIdentifier?, _ form: SoundForm = .clean, redundancy: Int = 0) {
        let range = used..<(used + packet.count)
        if range.upperBound > bytes.count {
            bytes.append(contentsOf: repeatElement(0, count: max(range.upperBound - bytes.count, bytes.count)))
        }
        for index in packet.indices { bytes[used &+ index] = packet[index] }
        used = range.upperBound
        let place = Place(range: range.lowerBound + redundancy..<range.upperBound, redundancy: redundancy)
        if let participant {
            own.append((participant, form, place))
        } else {
            made |= 1 << form.index
            shared[form.index] = place
        }
    }

    /// What one who is heard is sent; nil for one who only listens.
    func own(of participant: ObjectIdentifier) -> Packet? {
        for entry in own where entry.participant == participant { return packet(entry.form, entry.place) }
        return nil
    }

    /// What those who only listen are sent of a form; nil where nobody made it.
    func packet(of form: SoundForm) -> Packet? { isMade(form) ? packet(form, shared[form.index]) : nil }

    private func packet(_ form: SoundForm, _ place: Place) -> Packet {
        guard form.ticks > 1 else {
            return Packet(form: form, range: place.range, redundancy: place.redundancy, timestamp: timestamp, captured: captured)
        }
        let before = form.ticks - 1
        return Packet(
            form: form, range: place.range, redundancy: place.redundancy, timestamp: timestamp &- UInt32(960 * before),
            captured: captured - Self.tick * before)
    }

    /// The packet without redundancy.
    func withBytes(of packet: Packet, _ body: (Span<UInt8>) -> Void) {
        bytes.withUnsafeBufferPointer { body($0.span.extracting(packet.range)) }
    }

    /// The same behind what `redundancy` counts.
    func withPayload(of packet: Packet, _ body: (Span<UInt8>) -> Void) {
        let whole = packet.range.lowerBound - packet.redundancy..<packet.range.upperBound
        bytes.withUnsafeBufferPointer { body($0.span.extracting(whole)) }
    }
}

/// Frames that go round: a frame whose readers are done is taken again, so that a tick allocates nothing.
struct AudioFramePool {
    private var frames: [AudioFrame] = []
    private var next = 0

    mutating func take() -> AudioFrame {
        for _ in frames.indices {
            next = (next + 1) % frames.count
            if isKnownUniquelyReferenced(&frames[next]) {
                // The other side's last release happens before this read; the fence makes its reads of the bytes happen before our writes.
                atomicMemoryFence(ordering: .acquiring)
                return frames[next]
            }
        }
        let frame = AudioFrame()
        if frames.count < 64 { frames.append(frame) }
        return frame
    }
}
