/// The header of an RTP packet, RFC 3550 §5.1. Places in the datagram are ranges: no copy, no reference.
package struct RTPHeader: Equatable, Sendable {
    package var marker: Bool
    /// 0 … 127.
    package var payloadType: UInt8
    package var sequenceNumber: UInt16
    package var timestamp: UInt32
    package var ssrc: UInt32
    /// 0 … 15 contributing sources, skipped.
    package var contributingSources = 0
    /// What the header extension begins with: 0xBEDE for the one-byte form, 0x100X for the two-byte form (RFC 8285 §4); nil without extension.
    package var extensionProfile: UInt16?
    /// The elements of the extension, without its four bytes of head.
    package var extensionElements = 0..<0
    /// The payload without padding.
    package var payload = 0..<0

    package static let fixedSize = 12

    package init(marker: Bool, payloadType: UInt8, sequenceNumber: UInt16, timestamp: UInt32, ssrc: UInt32) {
        self.marker = marker
        self.payloadType = payloadType
        self.sequenceNumber = sequenceNumber
        self.timestamp = timestamp
        self.ssrc = ssrc
    }

    /// - Throws: `PacketError` where the packet claims more than `datagram` has.
    package init(parsing datagram: RawSpan) throws(PacketError) {
        let first: UInt8 = try datagram.bigEndian(at: 0)
        guard first >> 6 == 2 else { throw .wrongVersion(first >> 6) }
        let second: UInt8 = try datagram.bigEndian(at: 1)
        marker = second & 0x80 != 0
        payloadType = second & 0x7f
        sequenceNumber = try datagram.bigEndian(at: 2)
        timestamp = try datagram.bigEndian(at: 4)
        ssrc = try datagram.bigEndian(at: 8)
        contributingSources = Int(first & 0x0f)
        var start = Self.fixedSize + 4 * contributingSources
        if first & 0x10 != 0 {
            extensionProfile = try datagram.bigEndian(at: start)
            let words: UInt16 = try datagram.bigEndian(at: start + 2)
            extensionElements = try datagram.checked(start + 4..<start + 4 + 4 * Int(words))
            start = extensionElements.upperBound
        }
        var end = datagram.byteCount
        if first & 0x20 != 0 {
            let padding: UInt8 = try datagram.bigEndian(at: end - 1)
            guard padding > 0, start + Int(padding) <= end else { throw .contradiction(.padding) }
            end -= Int(padding)
        }
        guard start <= end else { throw .truncated(needed: start, have: end) }
        payload = start..<end
    }

    /// Writes the fixed header and `extensions`. The payload follows.
    package func write(_ extensions: HeaderExtensionWriter, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>) {
        writer.append(UInt8(extensions.isEmpty ? 0x80 : 0x90), to: &buffer)
        writer.append((marker ? 0x80 : 0) | payloadType & 0x7f, to: &buffer)
        writer.append(sequenceNumber, to: &buffer)
        writer.append(timestamp, to: &buffer)
        writer.append(ssrc, to: &buffer)
        extensions.write(with: &writer, to: &buffer)
    }
}
