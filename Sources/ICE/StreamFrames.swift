/// Datagrams on a TCP connection: a length in two bytes, then so many bytes of one (RFC 4571 §2, as ICE uses it: RFC 6544 §3). Takes a stream in pieces of any
/// size and hands out whole frames; keeps one frame at the most, and allocates nothing after it was made.
package struct StreamFrames: Sendable {
    /// Why a stream is none of ours; nothing more can be read from it.
    package enum Failure: Error, Equatable, Sendable {
        /// A frame that no datagram of ours fills. Other protocols' first bytes, read as a length, are longer: "GET ", a TLS record.
        case tooLong(Int)
    }

    /// As the largest datagram that is taken from UDP.
    package static let largest = 2_048
    package static let headerSize = 2

    private var frame = [UInt8](repeating: 0, count: largest)
    /// Bytes of the frame that came, those of its length included.
    private var have = 0
    private var length = 0

    package init() {}

    /// Whether a frame has begun that is not whole.
    package var isWithin: Bool { have > 0 }

    /// - Parameter body: takes each frame that became whole, in order; one without bytes is left out (RFC 4571 §2 allows it, and it says nothing).
    /// - Throws: where a length is too large; frames before it were handed out.
    package mutating func take(_ bytes: Span<UInt8>, _ body: (Span<UInt8>) -> Void) throws(Failure) {
        var index = 0
        while index < bytes.count {
            if have < Self.headerSize {
                length = length << 8 | Int(bytes[index])
                have += 1
                index += 1
                guard have == Self.headerSize else { continue }
                guard length <= Self.largest else { throw .tooLong(length) }
            } else {
                let part = min(length + Self.headerSize - have, bytes.count - index)
                let place = have - Self.headerSize
                for offset in 0..<part { frame[place + offset] = bytes[index + offset] }
                have += part
                index += part
            }
            guard have == length + Self.headerSize else { continue }
            if length > 0 { body(frame.span.extracting(first: length)) }
            (have, length) = (0, 0)
        }
    }
}
