/// What every RTP payload of VP8 begins with, RFC 7741 §4.2.
package struct VP8Descriptor: Equatable, Sendable {
    /// First packet of a partition.
    package var startsPartition: Bool
    package var partition: UInt8
    /// 7 or 15 bits.
    package var pictureID: UInt16?
    package var isReference: Bool
    /// Bytes of the descriptor; the VP8 data follows.
    package var size: Int

    /// Whether the first packet of a frame: RFC 7741 §4.4.
    package var startsFrame: Bool { startsPartition && partition == 0 }

    /// - Throws: `PacketError` where the payload ends within the descriptor, or after it.
    package init(parsing payload: RawSpan) throws(PacketError) {
        let first: UInt8 = try payload.bigEndian(at: 0)
        startsPartition = first & 0x10 != 0
        partition = first & 0x07
        isReference = first & 0x20 == 0
        size = 1
        if first & 0x80 != 0 {
            let flags: UInt8 = try payload.bigEndian(at: 1)
            size = 2
            if flags & 0x80 != 0 {
                let short: UInt8 = try payload.bigEndian(at: size)
                if short & 0x80 != 0 {
                    let long: UInt16 = try payload.bigEndian(at: size)
                    pictureID = long & 0x7fff
                    size += 2
                } else {
                    pictureID = UInt16(short)
                    size += 1
                }
            }
            if flags & 0x40 != 0 { size += 1 }
            if flags & 0x30 != 0 { size += 1 }
        }
        guard size < payload.byteCount else { throw .truncated(needed: size + 1, have: payload.byteCount) }
    }

    /// The one-byte form: no picture ID, partition 0.
    package static func shortForm(startsFrame: Bool) -> UInt8 { startsFrame ? 0x10 : 0x00 }
}

/// What the first bytes of a VP8 frame say, RFC 6386 §9.1.
package struct VP8FrameHeader: Equatable, Sendable {
    package var isKey: Bool
    /// Pixels; 0 in a frame that is no key frame.
    package var width = 0
    package var height = 0

    /// - Throws: `PacketError` where a key frame lacks its start code or its size.
    package init(parsing frame: RawSpan) throws(PacketError) {
        let first: UInt8 = try frame.bigEndian(at: 0)
        isKey = first & 1 == 0
        guard isKey else { return }
        guard try frame.bigEndian24(at: 3) == 0x9d012a else { throw .contradiction(.descriptor) }
        let low: UInt16 = try frame.bigEndian(at: 6)
        let high: UInt16 = try frame.bigEndian(at: 8)
        width = Int(low.byteSwapped & 0x3fff)
        height = Int(high.byteSwapped & 0x3fff)
    }
}
