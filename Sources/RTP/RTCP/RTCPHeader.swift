/// What every packet of an RTCP compound begins with, RFC 3550 §6.4.1. Holds places in the datagram: no copy, no reference.
package struct RTCPHeader: Equatable, Sendable {
    package enum PacketType {
        package static let senderReport: UInt8 = 200
        package static let receiverReport: UInt8 = 201
        package static let sourceDescription: UInt8 = 202
        package static let bye: UInt8 = 203
        package static let transportFeedback: UInt8 = 205
        package static let payloadFeedback: UInt8 = 206
    }
    /// Report blocks, sources, or feedback message type, as the packet type says.
    package var count: UInt8
    package var packetType: UInt8
    /// What follows the four bytes of header, without padding.
    package var body: Range<Int>
    /// Where the next packet of the compound begins.
    package var end: Int

    /// - Throws: `PacketError` where the packet claims more than `datagram` has.
    package init(parsing datagram: RawSpan, at offset: Int) throws(PacketError) {
        let first: UInt8 = try datagram.bigEndian(at: offset)
        guard first >> 6 == 2 else { throw .wrongVersion(first >> 6) }
        count = first & 0x1f
        packetType = try datagram.bigEndian(at: offset + 1)
        let words: UInt16 = try datagram.bigEndian(at: offset + 2)
        end = offset + 4 + 4 * Int(words)  // the field counts 32-bit words
        guard end <= datagram.byteCount else { throw .truncated(needed: end, have: datagram.byteCount) }
        var padding = 0
        if first & 0x20 != 0 {
            let length: UInt8 = try datagram.bigEndian(at: end - 1)
            padding = Int(length)
            guard padding > 0, padding <= end - offset - 4 else { throw .contradiction(.padding) }
        }
        body = offset + 4..<end - padding
    }

    /// Begins a packet; `finish` fills in its length.
    package static func begin(
        count: UInt8, packetType: UInt8, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>
    ) -> Int {
        let start = writer.count
        writer.append(0x80 | count & 0x1f, to: &buffer)
        writer.append(packetType, to: &buffer)
        writer.append(UInt16(0), to: &buffer)
        return start
    }

    package static func finish(_ start: Int, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>) {
        writer.pad(to: &buffer)
        writer.patch(UInt16(truncatingIfNeeded: (writer.count - start) / 4 - 1), at: start + 2, in: &buffer)
    }
}
