import RTP
import Testing

/// RTCP as it is on the wire, and what is read of it. The bytes are by hand, after the drawings of RFC 3550, 4585, 5104 and the two drafts.
struct RTCPTableTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var hex: String
        var said: [String]

        init(_ what: String, _ hex: String, _ said: String...) {
            testDescription = what
            self.hex = hex
            self.said = said
        }
    }

    static let block = "00000009 40fffffd 00011170 0000000c 00000005 00000006"
    static let blockSaid = "block 9: 64/256, -3, 70000, jitter 12, 5, 6"
    static let report = "00000001 0102030405060708 00000002 00000003 00000004"
    static let reportSaid = "SR 1 at 102030405060708, 2, 3 packets, 4 octets"

    static let rows = [
        Row("sender report", "80c80006 \(report)", reportSaid),
        Row("sender report with a block", "81c8000c \(report) \(block)", reportSaid, blockSaid),
        Row("sender report without its numbers", "80c80001 00000001", "contradiction in rtcpLength"),
        Row("receiver report, empty", "80c90001 00000007"),
        Row("receiver report", "81c90007 00000007 \(block)", blockSaid),
        Row(
            "two blocks, the second with the most and the least of all",
            "82c9000d 00000007 \(block) ffffffff ff7fffff ffffffff 00000000 00000000 00000000",
            blockSaid, "block 4294967295: 255/256, 8388607, 4294967295, jitter 0, 0, 0"),
        Row(
            "the least loss that 24 bits hold", "81c90007 00000007 00000001 00800000 00000000 00000000 00000000 00000000",
            "block 1: 0/256, -8388608, 0, jitter 0, 0, 0"),
        Row("two blocks said, one there", "82c90007 00000007 \(block)", "contradiction in rtcpLength"),
        Row("a name", "81ca0003 00000001 01026162 00000000", "type 202"),
        Row("goodbye of two", "82cb0002 00000001 ffffffff", "BYE 1", "BYE 4294967295"),
        Row("goodbye with a reason", "81cb0002 00000001 02627900", "BYE 1"),
        Row("goodbye of nobody", "80cb0000"),
        Row("goodbye of three with room for one", "83cb0001 00000001", "contradiction in rtcpLength"),
        Row("NACK of one", "81cd0003 00000001 00000002 00640000", "NACK 2: 100"),
        Row("NACK of a mask", "81cd0003 00000001 00000002 00648003", "NACK 2: 100 101 102 116"),
        Row("NACK over the wrap", "81cd0003 00000001 00000002 fffe0007", "NACK 2: 65534 65535 0 1"),
        Row("NACK of two entries", "81cd0004 00000001 00000002 00010000 00ff0001", "NACK 2: 1 255 256"),
        Row("NACK of nothing", "81cd0002 00000001 00000002", "NACK 2:"),
        Row("feedback without a source", "81cd0001 00000001", "contradiction in feedbackLength"),
        Row("PLI", "81ce0002 00000001 00000002", "PLI 2"),
        Row("FIR of two", "84ce0006 00000001 00000000 00000002 07000000 00000003 ff000000", "FIR 2 number 7", "FIR 3 number 255"),
        Row("half a FIR", "84ce0003 00000001 00000000 00000002", "contradiction in feedbackLength"),
        Row("REMB", "8fce0005 00000001 00000000 52454d42 010bd090 00000002", "REMB 1000000"),
        Row("REMB of nobody", "8fce0004 00000001 00000000 52454d42 000003e8", "REMB 1000"),
        Row("REMB for two with room for one", "8fce0005 00000001 00000000 52454d42 020bd090 00000002", "contradiction in feedbackLength"),
        Row("REMB beyond any rate", "8fce0004 00000001 00000000 52454d42 00ffffff", "contradiction in bitrate"),
        Row("another application's message", "8fce0004 00000001 00000000 41414141 000003e8", "unknown message"),
        Row(
            "transport feedback: a vector of small, lost, large", "8fcd0006 00000001 00000002 00050003 00000101 d2000403 e8000000",
            "5 at 65000 µs", "6 lost", "7 at 315000 µs"),
        Row(
            "transport feedback: a run of lost, then a vector of one bit each, over the wrap",
            "8fcd0006 00000001 00000002 fffe0003 00000000 0002a000 08000000", "65534 lost", "65535 lost", "0 at 2000 µs"),
        Row(
            "transport feedback: a run of small", "8fcd0006 00000001 00000002 00010003 00000000 20030102 03000000", "1 at 250 µs",
            "2 at 750 µs",
            "3 at 1500 µs"),
        Row("transport feedback: back in time", "8fcd0005 00000001 00000002 00010001 00000101 4001fffc", "1 at 63000 µs"),
        Row("transport feedback: before the start", "8fcd0005 00000001 00000002 00010001 ffffff00 20010000", "1 at -64000 µs"),
        Row(
            "transport feedback without a delta", "8fcd0005 00000001 00000002 fffe0003 00000000 0002a000", "65534 lost", "65535 lost",
            "cut: needs 25, has 24"),
        Row("transport feedback without a chunk", "8fcd0004 00000001 00000002 00010001 00000000", "cut: needs 22, has 20"),
        Row("transport feedback of 2001", "8fcd0005 00000001 00000002 000107d1 00000000 07d10000", "too many in chunk"),
        Row("an unknown type is passed over", "80cc0002 00000001 41424344 81ce0002 00000001 00000002", "type 204", "PLI 2"),
        Row("padding is no content", "a1ce0003 00000001 00000002 00000004", "PLI 2"),
        Row("padding of nothing", "a0c90001 00000000", "contradiction in padding"),
        Row("padding beyond the message", "a0c90001 000000ff", "contradiction in padding"),
        Row("another version", "40c90001 00000007", "version 1"),
        Row("longer than the datagram", "80c90002 00000007", "cut: needs 12, has 8"),
        Row("cut in the head", "80c9", "cut: needs 4, has 2"),
        Row("a compound", "80c90001 00000007 81ca0003 00000001 01026162 00000000 81ce0002 00000001 00000002", "type 202", "PLI 2"),
    ]

    @Test(arguments: rows)
    func `these bytes say this`(row: Row) {
        let bytes = bytes(row.hex)
        var said: [String] = []
        do throws(PacketError) {
            var place = 0
            while place < bytes.count {
                let header = try RTCPHeader(parsing: bytes.span.bytes, at: place)
                try read(header, bytes, into: &said)
                place = header.end
            }
        } catch { said.append(words(error)) }
        #expect(said == row.said)
    }

    typealias Write = @Sendable (inout ByteWriter, inout MutableSpan<UInt8>) -> Void

    static let written: [(hex: String, write: Write)] = [
        (
            "81c8000c \(report) \(block)",
            { writer, span in
                let report = SenderReport(
                    ssrc: 1, ntp: NTPTime(bits: 0x0102_0304_0506_0708), rtpTimestamp: 2, packetCount: 3, octetCount: 4)
                let start = report.begin(blocks: 1, with: &writer, to: &span)
                ReportBlock(
                    ssrc: 9, fractionLost: 64, cumulativeLost: -3, extendedHighestSequence: 70_000, jitter: 12, lastSenderReport: 5,
                    delaySinceLastSenderReport: 6
                ).write(with: &writer, to: &span)
                RTCPHeader.finish(start, with: &writer, to: &span)
            }
        ),
        (
            "80c90001 00000007",
            {
                let start = ReceiverReport.begin(ssrc: 7, blocks: 0, with: &$0, to: &$1)
                RTCPHeader.finish(start, with: &$0, to: &$1)
            }
        ),
        ("81ca0003 00000001 01026162 00000000", { SourceDescription.write(ssrcs: [1], cname: [0x61, 0x62], with: &$0, to: &$1) }),
        ("81ca0003 00000001 01036162 63000000", { SourceDescription.write(ssrcs: [1], cname: [0x61, 0x62, 0x63], with: &$0, to: &$1) }),
        ("82cb0002 00000001 ffffffff", { Bye.write(ssrcs: [1, .max], with: &$0, to: &$1) }),
        (
            "81cd0003 00000001 00000002 00648003",
            { NegativeAcknowledgement.write(sender: 1, media: 2, lost: [100, 101, 102, 116], with: &$0, to: &$1) }
        ),
        (
            "81cd0004 00000001 00000002 fffe0007 00110000",
            { NegativeAcknowledgement.write(sender: 1, media: 2, lost: [65_534, 65_535, 0, 1, 17], with: &$0, to: &$1) }
        ),
        ("81ce0002 00000001 00000002", { PictureLossIndication.write(sender: 1, media: 2, with: &$0, to: &$1) }),
        ("84ce0004 00000001 00000000 00000002 07000000", { FullIntraRequest.write(sender: 1, media: 2, number: 7, with: &$0, to: &$1) }),
        (
            "8fce0005 00000001 00000000 52454d42 010bd090 00000002",
            { ReceiverEstimate.write(sender: 1, bitsPerSecond: 1_000_000, media: [2], with: &$0, to: &$1) }
        ),
    ]

    @Test(arguments: written.indices)
    func `this is written in these bytes, and in no less room`(index: Int) {
        let (hex, write) = Self.written[index]
        let expected = bytes(hex)
        for room in [1_500, expected.count, expected.count - 1, 0] {
            var buffer = [UInt8](repeating: 0xee, count: room)
            var writer = ByteWriter()
            var span = buffer.mutableSpan
            write(&writer, &span)
            #expect(writer.overflowed == (room < expected.count))
            if room >= expected.count { #expect(Array(buffer.prefix(writer.count)) == expected) }
        }
    }

    // MARK: Reading

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue).map { UInt8($0) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private func read(_ header: RTCPHeader, _ bytes: [UInt8], into said: inout [String]) throws(PacketError) {
        let datagram = bytes.span.bytes
        switch header.packetType {
        case RTCPHeader.PacketType.senderReport:
            let report = try SenderReport(parsing: datagram, header: header)
            said.append(
                "SR \(report.ssrc) at \(String(report.ntp.bits, radix: 16)), \(report.rtpTimestamp), \(report.packetCount) packets, \(report.octetCount) octets"
            )
            try readBlocks(header, bytes, into: &said)
        case RTCPHeader.PacketType.receiverReport: try readBlocks(header, bytes, into: &said)
        case RTCPHeader.PacketType.bye: try Bye.forEachSource(of: header, in: datagram) { said.append("BYE \($0)") }
        case RTCPHeader.PacketType.transportFeedback, RTCPHeader.PacketType.payloadFeedback:
            try readFeedback(header, FeedbackHeader(parsing: datagram, header: header), bytes, into: &said)
        default: said.append("type \(header.packetType)")
        }
    }

    private func readBlocks(_ header: RTCPHeader, _ bytes: [UInt8], into said: inout [String]) throws(PacketError) {
        let blocks = try ReportBlocks(of: header)
        for index in 0..<blocks.count {
            let block = try blocks.block(index, of: bytes.span.bytes)
            said.append(
                "block \(block.ssrc): \(block.fractionLost)/256, \(block.cumulativeLost), \(block.extendedHighestSequence), jitter \(block.jitter), "
                    + "\(block.lastSenderReport), \(block.delaySinceLastSenderReport)")
        }
    }

    private func readFeedback(
        _ header: RTCPHeader, _ feedback: FeedbackHeader, _ bytes: [UInt8], into said: inout [String]
    ) throws(PacketError) {
        let datagram = bytes.span.bytes
        switch (header.packetType, header.count) {
        case (RTCPHeader.PacketType.transportFeedback, NegativeAcknowledgement.format):
            var line = "NACK \(feedback.media):"
            try NegativeAcknowledgement.forEachLost(in: datagram, feedback) { line += " \($0)" }
            said.append(line)
        case (RTCPHeader.PacketType.transportFeedback, TransportFeedback.format):
            try TransportFeedback.forEach(in: datagram, feedback) { entry in
                let fate = entry.arrival.map { "at \($0.nanoseconds / 1_000) µs" } ?? "lost"
                said.append("\(entry.sequenceNumber) \(fate)")
            }
        case (_, PictureLossIndication.format): said.append("PLI \(feedback.media)")
        case (_, FullIntraRequest.format):
            try FullIntraRequest.forEachRequest(in: datagram, feedback) { said.append("FIR \($0) number \($1)") }
        default: said.append(try ReceiverEstimate.bitsPerSecond(in: datagram, feedback).map { "REMB \($0)" } ?? "unknown message")
        }
    }

    private func words(_ error: PacketError) -> String {
        switch error {
        case .truncated(let needed, let have): "cut: needs \(needed), has \(have)"
        case .wrongVersion(let version): "version \(version)"
        case .contradiction(let field): "contradiction in \(field.rawValue)"
        case .tooMany(let field): "too many in \(field.rawValue)"
        }
    }
}
