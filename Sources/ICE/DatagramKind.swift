/// What arrives on the one UDP port, told by its first bytes: RFC 7983 §7, and RFC 5761 §4 between RTP and RTCP.
package enum DatagramKind: Sendable, Equatable {
    case stun, dtls, rtp, rtcp, unknown

    package init(_ datagram: RawSpan) {
        guard let first = datagram.byte(at: 0) else {
            self = .unknown
            return
        }
        switch first {
        case 0...3: self = datagram.byteCount >= STUNMessage.headerSize ? .stun : .unknown
        case 20...63: self = .dtls
        case 128...191:
            // The whole second byte: an RTCP packet type, or marker and payload type. Types 64 to 95 are kept free for this.
            guard let second = datagram.byte(at: 1), datagram.byteCount >= 8 else {
                self = .unknown
                return
            }
            self = (192...223).contains(second) ? .rtcp : datagram.byteCount >= 12 ? .rtp : .unknown
        default: self = .unknown
        }
    }
}

extension RawSpan {
    /// The byte at `offset`, nil past the end.
    func byte(at offset: Int) -> UInt8? {
        guard offset >= 0, offset < byteCount else { return nil }
        return unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The big-endian number at `offset`. Past the end it throws.
    func number<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Value.Type) throws(STUNError) -> Value {
        guard offset >= 0, offset + MemoryLayout<Value>.size <= byteCount else { throw .truncated }
        return Value(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    func isEqual(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        for index in 0..<byteCount where byte(at: index) != other.byte(at: index) { return false }
        return true
    }
}
