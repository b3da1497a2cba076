/// One encoded VP8 picture cut into RTP payloads, once, for all receivers. Each payload is a one-byte descriptor and a part of the frame.
///
/// Immutable, so it may be read by all workers at once.
package final class PacketisedFrame: Sendable {
    /// Of a payload, descriptor included. With IPv6, UDP, RTP with extensions and the SRTP tag it stays within 1280, which every path carries.
    package static let largestPayload = 1_180

    package let isKeyFrame: Bool
    /// 90 kHz of the bridge.
    package let timestamp: UInt32
    /// The moment that the picture stands for.
    package let captured: Instant
    package let count: Int
    private let bytes: [UInt8]
    private let payloadSize: Int

    /// Cuts `frame` into payloads of equal size, the last one excepted: a frame then leaves as one segmented send.
    package init(_ frame: Span<UInt8>, isKeyFrame: Bool, timestamp: UInt32, captured: Instant) {
        (self.isKeyFrame, self.timestamp, self.captured) = (isKeyFrame, timestamp, captured)
        let room = Self.largestPayload - 1
        let count = max(1, (frame.count + room - 1) / room)
        let part = max(1, (frame.count + count - 1) / count)
        self.count = max(1, (frame.count + part - 1) / part)
        payloadSize = part + 1
        let pieces = self.count
        bytes = [UInt8](unsafeUninitializedCapacity: frame.count + pieces) { buffer, written in
            // Every byte of the buffer is written: descriptors and parts lie end to end.
            for piece in 0..<pieces {
                buffer[written] = VP8Descriptor.shortForm(startsFrame: piece == 0)
                written += 1
                for index in piece * part..<min((piece + 1) * part, frame.count) {
                    buffer[written] = frame[index]
                    written += 1
                }
            }
        }
    }

    /// Bytes of the frame as it was encoded.
    package var encodedBytes: Int { bytes.count - count }

    /// - Parameter index: 0 ..< `count`; another is empty.
    package func withPayload<Result>(_ index: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        let start = min(bytes.count, max(0, index) * payloadSize)
        return bytes.withUnsafeBufferPointer { body($0.span.extracting(start..<min($0.count, start + payloadSize))) }
    }

    package func isLast(_ index: Int) -> Bool { index == count - 1 }
}
