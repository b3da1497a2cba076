/// Why bytes are not the Ogg Opus file that they claim to be; offsets are of the page.
package enum OggError: Error, Equatable {
    case truncated(offset: Int)
    case notAPage(offset: Int)
    case wrongChecksum(offset: Int)
    /// The first packet is not an OpusHead of version 1 with one stream of one or two channels (RFC 7845 §5.1).
    case notOpus
    case packetTooLong(offset: Int)
    case tooLong(packets: Int)
    case badPacket(index: Int)
    case empty
}

/// One page of an Ogg file, RFC 3533 §6. Holds places in the file: no copy.
struct OggPage: Equatable {
    var isContinued: Bool
    var isLast: Bool
    var serial: UInt32
    /// Where the lacing values are.
    var lacing: Range<Int>
    /// What the lacing values divide. The next page begins at its end.
    var body: Range<Int>

    init(parsing file: RawSpan, at offset: Int) throws(OggError) {
        guard offset >= 0, offset + 27 <= file.byteCount else { throw .truncated(offset: offset) }
        guard Self.word(file, offset) == 0x5367_674f, Self.byte(file, offset + 4) == 0 else { throw .notAPage(offset: offset) }
        let flags = Self.byte(file, offset + 5)
        let segments = Int(Self.byte(file, offset + 26))
        lacing = (offset + 27)..<(offset + 27 + segments)
        guard lacing.upperBound <= file.byteCount else { throw .truncated(offset: offset) }
        var length = 0
        for place in lacing { length += Int(Self.byte(file, place)) }
        body = lacing.upperBound..<(lacing.upperBound + length)
        guard body.upperBound <= file.byteCount else { throw .truncated(offset: offset) }
        (isContinued, isLast, serial) = (flags & 1 != 0, flags & 4 != 0, Self.word(file, offset + 14))
        let checksum = Self.word(file, offset + 22)
        guard Self.checksum(of: file, from: offset, to: body.upperBound) == checksum else { throw .wrongChecksum(offset: offset) }
    }

    /// CRC-32 of the page with its own field taken as zero: polynomial 0x04c11db7, not reflected, from 0.
    static func checksum(of file: RawSpan, from start: Int, to end: Int) -> UInt32 {
        var checksum: UInt32 = 0
        for place in start..<end {
            let byte = (start + 22..<start + 26).contains(place) ? 0 : Self.byte(file, place)
            checksum = (checksum << 8) ^ table[Int((checksum >> 24) ^ UInt32(byte))]
        }
        return checksum
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index) << 24) { value, _ in value & 0x8000_0000 == 0 ? value << 1 : (value << 1) ^ 0x04c1_1db7 }
    }

    /// Checked by the span itself.
    private static func byte(_ file: RawSpan, _ offset: Int) -> UInt8 { file.unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    private static func word(_ file: RawSpan, _ offset: Int) -> UInt32 {
        UInt32(littleEndian: file.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
