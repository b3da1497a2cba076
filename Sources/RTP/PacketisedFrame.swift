import Base
import Synchronization

/// One encoded VP8 picture cut into RTP payloads, once, for all receivers. Each payload is a one-byte descriptor and a part of the frame.
///
/// Immutable, so it may be read by all workers at once.
///
/// Invariant behind `@unchecked`: it is written only by the pool that made it, while the pool holds the one reference, and only read after that.
package final class PacketisedFrame: @unchecked Sendable {
    /// Of a payload, descriptor included. With IPv6, UDP, RTP with extensions and the SRTP tag it stays within 1280, which every path carries.
    package static let largestPayload = 1_180

    package private(set) var isKeyFrame = false
    /// 90 kHz of the bridge.
    package private(set) var timestamp: UInt32 = 0
    /// The moment that the picture stands for.
    package private(set) var captured = Instant.start
    package private(set) var count = 0
    private var bytes: [UInt8] = []
    private var payloadSize = 1

    fileprivate init() {}

    /// Cuts `frame` into payloads of equal size, the last one excepted: a frame then leaves as one segmented send.
    /// - Parameter largest: of a payload, descriptor included, at most `largestPayload`: on a thin line sound waits behind each packet.
    package convenience init(
        _ frame: Span<UInt8>, isKeyFrame: Bool, timestamp: UInt32, captured: Instant, largest: Int = largestPayload
    ) {
        self.init()
        fill(frame, isKeyFrame: isKeyFrame, timestamp: timestamp, captured: captured, largest: largest, isFilledUp: false)
    }

    /// - Parameter isFilledUp: the last payload is as long as the others, by a few zeros that say nothing: the last partition of a VP8 frame ends where the
    ///   frame does, and its decoder reads zeros past that end (RFC 6386 §7.3, §9.5). A sound may then follow in the same segmented send.
    fileprivate func fill(
        _ frame: Span<UInt8>, isKeyFrame: Bool, timestamp: UInt32, captured: Instant, largest: Int, isFilledUp: Bool
    ) {
        (self.isKeyFrame, self.timestamp, self.captured) = (isKeyFrame, timestamp, captured)
        let room = min(Self.largestPayload, max(100, largest)) - 1
        let pieces = max(1, (frame.count + room - 1) / room)
        let part = max(1, (frame.count + pieces - 1) / pieces)
        count = max(1, (frame.count + part - 1) / part)
        payloadSize = part + 1
        bytes.removeAll(keepingCapacity: true)
        // Frames of one stream are of one size within a factor of two, key frames excepted.
        bytes.reserveCapacity(max(Self.usualBytes, count * payloadSize))
        for piece in 0..<count {
            bytes.append(VP8Descriptor.shortForm(startsFrame: piece == 0))
            frame.extracting(piece * part..<min((piece + 1) * part, frame.count)).withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
        }
        while isFilledUp, bytes.count < count * payloadSize { bytes.append(0) }
        encodedBytes = frame.count
    }

    private static let usualBytes = 16 << 10

    /// Bytes of the frame as it was encoded.
    package private(set) var encodedBytes = 0
    /// Bytes of each payload but the last, descriptor included.
    package var payloadBytes: Int { payloadSize }

    /// - Parameter index: 0 ..< `count`; another is empty.
    package func withPayload<Result>(_ index: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        let start = min(bytes.count, max(0, index) * payloadSize)
        return bytes.withUnsafeBufferPointer { body($0.span.extracting(start..<min($0.count, start + payloadSize))) }
    }

    package func isLast(_ index: Int) -> Bool { index == count - 1 }
}

/// Frames that go round: one whose receivers and whose history are done with it is filled again, so that a stream allocates nothing. Has one owner at a time.
package struct PacketisedFramePool {
    /// More than a history of pictures holds.
    private static let most = PacketHistory.capacity + 16
    private var frames: [PacketisedFrame] = []
    private var next = 0

    package init() { frames.reserveCapacity(Self.most) }

    /// As `PacketisedFrame.init`, with all payloads of one size: a few zeros may follow the last partition.
    package mutating func make(
        _ frame: Span<UInt8>, isKeyFrame: Bool, timestamp: UInt32, captured: Instant, largest: Int = PacketisedFrame.largestPayload
    ) -> PacketisedFrame {
        let made = take()
        made.fill(frame, isKeyFrame: isKeyFrame, timestamp: timestamp, captured: captured, largest: largest, isFilledUp: true)
        return made
    }

    private mutating func take() -> PacketisedFrame {
        // The oldest is the likeliest to be free.
        for _ in frames.indices {
            next = (next + 1) % frames.count
            if isKnownUniquelyReferenced(&frames[next]) {
                // The last reader let it go before this; the fence makes its reads happen before our writes.
                atomicMemoryFence(ordering: .acquiring)
                return frames[next]
            }
        }
        let frame = PacketisedFrame()
        if frames.count < Self.most { frames.append(frame) }
        return frame
    }
}
