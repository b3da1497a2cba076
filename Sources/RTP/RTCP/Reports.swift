/// One sender's reception as its receiver reports it, RFC 3550 §6.4.1. 24 bytes.
package struct ReportBlock: Equatable, Sendable {
    package static let size = 24
    package var ssrc: UInt32
    /// Lost since the last report, in 256ths.
    package var fractionLost: UInt8
    /// 24 bits, signed: duplicates can make it negative.
    package var cumulativeLost: Int32
    package var extendedHighestSequence: UInt32
    /// In units of the media clock.
    package var jitter: UInt32
    /// Middle 32 bits of the NTP time of the last sender report; 0 before one.
    package var lastSenderReport: UInt32
    /// Since that report arrived, in 65 536ths of a second.
    package var delaySinceLastSenderReport: UInt32

    package init(
        ssrc: UInt32, fractionLost: UInt8, cumulativeLost: Int32, extendedHighestSequence: UInt32, jitter: UInt32, lastSenderReport: UInt32,
        delaySinceLastSenderReport: UInt32
    ) {
        (self.ssrc, self.fractionLost, self.cumulativeLost) = (ssrc, fractionLost, cumulativeLost)
        (self.extendedHighestSequence, self.jitter) = (extendedHighestSequence, jitter)
        (self.lastSenderReport, self.delaySinceLastSenderReport) = (lastSenderReport, delaySinceLastSenderReport)
    }

    package init(parsing datagram: RawSpan, at offset: Int) throws(PacketError) {
        ssrc = try datagram.bigEndian(at: offset)
        fractionLost = try datagram.bigEndian(at: offset + 4)
        let lost = try datagram.bigEndian24(at: offset + 5)
        cumulativeLost = Int32(bitPattern: lost << 8) >> 8
        extendedHighestSequence = try datagram.bigEndian(at: offset + 8)
        jitter = try datagram.bigEndian(at: offset + 12)
        lastSenderReport = try datagram.bigEndian(at: offset + 16)
        delaySinceLastSenderReport = try datagram.bigEndian(at: offset + 20)
    }

    package func write(with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>) {
        writer.append(ssrc, to: &buffer)
        let lost = UInt32(bitPattern: min(0x7f_ffff, max(-0x80_0000, cumulativeLost))) & 0xff_ffff
        writer.append(UInt32(fractionLost) << 24 | lost, to: &buffer)
        writer.append(extendedHighestSequence, to: &buffer)
        writer.append(jitter, to: &buffer)
        writer.append(lastSenderReport, to: &buffer)
        writer.append(delaySinceLastSenderReport, to: &buffer)
    }

    /// Round trip of the sender report that this block answers, RFC 3550 §6.4.1.
    /// - Parameter arrival: middle 32 bits of our NTP time when the block came.
    package func roundTripMilliseconds(arrival: UInt32) -> Double? {
        guard lastSenderReport != 0 else { return nil }
        let elapsed = Int32(bitPattern: arrival &- lastSenderReport &- delaySinceLastSenderReport)
        return elapsed < 0 ? 0 : Double(elapsed) * 1_000 / 65_536
    }
}

/// Sender report (200), RFC 3550 §6.4.1, without its blocks.
package struct SenderReport: Equatable, Sendable {
    package var ssrc: UInt32
    package var ntp: NTPTime
    package var rtpTimestamp: UInt32
    package var packetCount: UInt32
    package var octetCount: UInt32

    package init(ssrc: UInt32, ntp: NTPTime, rtpTimestamp: UInt32, packetCount: UInt32, octetCount: UInt32) {
        self.ssrc = ssrc
        self.ntp = ntp
        self.rtpTimestamp = rtpTimestamp
        self.packetCount = packetCount
        self.octetCount = octetCount
    }

    package init(parsing datagram: RawSpan, header: RTCPHeader) throws(PacketError) {
        let start = header.body.lowerBound
        guard header.body.count >= 24 else { throw .contradiction(.rtcpLength) }
        ssrc = try datagram.bigEndian(at: start)
        ntp = NTPTime(bits: try datagram.bigEndian(at: start + 4))
        rtpTimestamp = try datagram.bigEndian(at: start + 12)
        packetCount = try datagram.bigEndian(at: start + 16)
        octetCount = try datagram.bigEndian(at: start + 20)
    }

    /// Writes the report up to its blocks; the caller appends `blocks` of them and finishes the packet.
    package func begin(blocks: UInt8, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>) -> Int {
        let start = RTCPHeader.begin(count: blocks, packetType: RTCPHeader.PacketType.senderReport, with: &writer, to: &buffer)
        writer.append(ssrc, to: &buffer)
        writer.append(ntp.bits, to: &buffer)
        writer.append(rtpTimestamp, to: &buffer)
        writer.append(packetCount, to: &buffer)
        writer.append(octetCount, to: &buffer)
        return start
    }
}

/// The report blocks of a sender or receiver report.
package struct ReportBlocks: Equatable, Sendable {
    package let count: Int
    private let start: Int

    package init(of header: RTCPHeader) throws(PacketError) {
        start = header.body.lowerBound + (header.packetType == RTCPHeader.PacketType.senderReport ? 24 : 4)
        count = Int(header.count)
        guard start + count * ReportBlock.size <= header.body.upperBound else { throw .contradiction(.rtcpLength) }
    }

    package func block(_ index: Int, of datagram: RawSpan) throws(PacketError) -> ReportBlock {
        try ReportBlock(parsing: datagram, at: start + index * ReportBlock.size)
    }
}

/// Begins a receiver report (201) of `ssrc`; the caller appends `blocks` blocks and finishes the packet.
package enum ReceiverReport {
    package static func begin(ssrc: UInt32, blocks: UInt8, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>) -> Int {
        let start = RTCPHeader.begin(count: blocks, packetType: RTCPHeader.PacketType.receiverReport, with: &writer, to: &buffer)
        writer.append(ssrc, to: &buffer)
        return start
    }
}

/// Source description (202) with one CNAME for each of several sources, RFC 3550 §6.5.
package enum SourceDescription {
    package static func write(
        ssrcs: [UInt32], cname: [UInt8], with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>
    ) {
        let start = RTCPHeader.begin(
            count: UInt8(min(31, ssrcs.count)), packetType: RTCPHeader.PacketType.sourceDescription, with: &writer, to: &buffer)
        for ssrc in ssrcs.prefix(31) {
            writer.append(ssrc, to: &buffer)
            writer.append(UInt8(1), to: &buffer)
            writer.append(UInt8(min(255, cname.count)), to: &buffer)
            writer.append(cname.span.extracting(first: 255), to: &buffer)
            // An item of type 0 ends the list, and the chunk is padded to a word: at least one zero.
            writer.append(UInt8(0), to: &buffer)
            writer.pad(to: &buffer)
        }
        RTCPHeader.finish(start, with: &writer, to: &buffer)
    }
}

/// Goodbye (203), RFC 3550 §6.6.
package enum Bye {
    package static func write(ssrcs: [UInt32], with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>) {
        let start = RTCPHeader.begin(count: UInt8(min(31, ssrcs.count)), packetType: RTCPHeader.PacketType.bye, with: &writer, to: &buffer)
        for ssrc in ssrcs.prefix(31) { writer.append(ssrc, to: &buffer) }
        RTCPHeader.finish(start, with: &writer, to: &buffer)
    }

    /// The sources that say goodbye.
    package static func forEachSource(of header: RTCPHeader, in datagram: RawSpan, _ body: (UInt32) -> Void) throws(PacketError) {
        guard header.body.count >= 4 * Int(header.count) else { throw .contradiction(.rtcpLength) }
        for index in 0..<Int(header.count) { body(try datagram.bigEndian(at: header.body.lowerBound + 4 * index)) }
    }
}
