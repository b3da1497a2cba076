import Base
import RTP
import Synchronization

/// The encoded sound of one mix in one tick: for each class one packet for all who only listen over clean lines, one for those over lossy lines; and one
/// for each who is heard. Immutable once posted.
///
/// Invariant behind `@unchecked`: the mixer writes only while it holds the one reference (`AudioFramePool.take` checks that), and never after posting.
final class AudioFrame: @unchecked Sendable {
    /// RFC 6716 §3.2.1: one frame of 20 ms is at most this long.
    static let largestPacket = 1_276

    private(set) var timestamp: UInt32 = 0
    private(set) var captured = Instant.start
    /// Whose sound it is.
    private(set) var mix = MixID.floor
    private var bytes: [UInt8] = Array(repeating: 0, count: largestPacket * 4)
    private var used = 0
    /// For those who only listen, by class: over clean lines, and then over lossy ones. Where a class has only one, it is for all of it.
    private var shared = InlineArray<18, Range<Int>>(repeating: 0..<0)
    private var own: [(participant: ObjectIdentifier, range: Range<Int>)] = []

    fileprivate init() { own.reserveCapacity(16) }

    func begin(timestamp: UInt32, captured: Instant, of mix: MixID = .floor) {
        self.timestamp = timestamp
        self.captured = captured
        self.mix = mix
        used = 0
        shared = InlineArray(repeating: 0..<0)
        own.removeAll(keepingCapacity: true)
    }

    /// Takes one packet: for `participant`, or where nil for all who are not named.
    /// - Parameter repairs: it carries its predecessor, for lines that lose packets.
    func add(_ packet: Span<UInt8>, for participant: ObjectIdentifier?, repairs: Bool = false, _ soundClass: SoundClass = .full) {
        let range = used..<(used + packet.count)
        if range.upperBound > bytes.count {
            bytes.append(contentsOf: repeatElement(0, count: max(range.upperBound - bytes.count, bytes.count)))
        }
        for index in packet.indices { bytes[used &+ index] = packet[index] }
        used = range.upperBound
        if let participant { own.append((participant, range)) } else { shared[Self.place(soundClass, repairs: repairs)] = range }
    }

    private static func place(_ soundClass: SoundClass, repairs: Bool) -> Int { 2 &* soundClass.index &+ (repairs ? 1 : 0) }

    /// The packet for `participant`; empty where there is none in this tick.
    func withPacket(
        for participant: ObjectIdentifier, repairs: Bool = false, _ soundClass: SoundClass = .full, _ body: (Span<UInt8>) -> Void
    ) {
        var range = shared[Self.place(soundClass, repairs: repairs)]
        if range.isEmpty { range = shared[Self.place(soundClass, repairs: !repairs)] }
        for entry in own where entry.participant == participant { range = entry.range }
        bytes.withUnsafeBufferPointer { body($0.span.extracting(range)) }
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
