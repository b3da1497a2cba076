/// What feedback messages (205, 206) have in common, RFC 4585 §6.1.
package struct FeedbackHeader: Equatable, Sendable {
    package var sender: UInt32
    package var media: UInt32
    /// The feedback control information.
    package var information: Range<Int>

    package init(parsing datagram: RawSpan, header: RTCPHeader) throws(PacketError) {
        guard header.body.count >= 8 else { throw .contradiction(.feedbackLength) }
        sender = try datagram.bigEndian(at: header.body.lowerBound)
        media = try datagram.bigEndian(at: header.body.lowerBound + 4)
        information = header.body.lowerBound + 8..<header.body.upperBound
    }

    static func begin(
        format: UInt8, packetType: UInt8, sender: UInt32, media: UInt32, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>
    ) -> Int {
        let start = RTCPHeader.begin(count: format, packetType: packetType, with: &writer, to: &buffer)
        writer.append(sender, to: &buffer)
        writer.append(media, to: &buffer)
        return start
    }
}

/// Generic NACK (205, format 1), RFC 4585 §6.2.1.
package enum NegativeAcknowledgement {
    package static let format: UInt8 = 1
    /// 253 entries fill a datagram of 1 KiB; more is no honest receiver's.
    private static let mostEntries = 253

    /// Calls `body` for each number that is missed, ascending within an entry.
    package static func forEachLost(in datagram: RawSpan, _ feedback: FeedbackHeader, _ body: (UInt16) -> Void) throws(PacketError) {
        guard feedback.information.count % 4 == 0 else { throw .contradiction(.feedbackLength) }
        let entries = feedback.information.count / 4
        guard entries <= mostEntries else { throw .tooMany(.feedbackLength) }
        for entry in 0..<entries {
            let first: UInt16 = try datagram.bigEndian(at: feedback.information.lowerBound + 4 * entry)
            let mask: UInt16 = try datagram.bigEndian(at: feedback.information.lowerBound + 4 * entry + 2)
            body(first)
            for bit in 0..<16 where mask & (1 << UInt16(bit)) != 0 { body(first &+ 1 &+ UInt16(bit)) }
        }
    }

    /// - Parameter lost: ascending (across the wrap); at most what 253 entries carry is written.
    package static func write(
        sender: UInt32, media: UInt32, lost: [UInt16], with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>
    ) {
        let start = FeedbackHeader.begin(
            format: format, packetType: RTCPHeader.PacketType.transportFeedback, sender: sender, media: media, with: &writer, to: &buffer)
        var place = 0
        var entries = 0
        while place < lost.count, entries < mostEntries {
            let first = lost[place]
            var mask: UInt16 = 0
            place += 1
            while place < lost.count {
                let step = lost[place] &- first
                guard step >= 1, step <= 16 else { break }
                mask |= 1 << (step - 1)
                place += 1
            }
            writer.append(first, to: &buffer)
            writer.append(mask, to: &buffer)
            entries += 1
        }
        RTCPHeader.finish(start, with: &writer, to: &buffer)
    }
}

/// Picture loss indication (206, format 1), RFC 4585 §6.3.1.
package enum PictureLossIndication {
    package static let format: UInt8 = 1

    package static func write(sender: UInt32, media: UInt32, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>) {
        let start = FeedbackHeader.begin(
            format: format, packetType: RTCPHeader.PacketType.payloadFeedback, sender: sender, media: media, with: &writer, to: &buffer)
        RTCPHeader.finish(start, with: &writer, to: &buffer)
    }
}

/// Full intra request (206, format 4), RFC 5104 §4.3.1.
package enum FullIntraRequest {
    package static let format: UInt8 = 4

    /// Calls `body` with each source that is asked and the request's number: a repeated number is the same request.
    package static func forEachRequest(
        in datagram: RawSpan, _ feedback: FeedbackHeader, _ body: (UInt32, UInt8) -> Void
    ) throws(PacketError) {
        guard feedback.information.count % 8 == 0 else { throw .contradiction(.feedbackLength) }
        guard feedback.information.count <= 8 * 32 else { throw .tooMany(.feedbackLength) }
        for place in stride(from: feedback.information.lowerBound, to: feedback.information.upperBound, by: 8) {
            body(try datagram.bigEndian(at: place), try datagram.bigEndian(at: place + 4))
        }
    }

    package static func write(
        sender: UInt32, media: UInt32, number: UInt8, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>
    ) {
        let start = FeedbackHeader.begin(
            format: format, packetType: RTCPHeader.PacketType.payloadFeedback, sender: sender, media: 0, with: &writer, to: &buffer)
        writer.append(media, to: &buffer)
        writer.append(UInt32(number) << 24, to: &buffer)
        RTCPHeader.finish(start, with: &writer, to: &buffer)
    }
}

/// Receiver estimated maximum bitrate (206, format 15, "REMB"), draft-alvestrand-rmcat-remb-03 §2.2.
package enum ReceiverEstimate {
    package static let format: UInt8 = 15
    private static let name: UInt32 = 0x5245_4d42

    /// - Returns: bit/s; nil where the application message is another one.
    package static func bitsPerSecond(in datagram: RawSpan, _ feedback: FeedbackHeader) throws(PacketError) -> Int? {
        let start = feedback.information.lowerBound
        let word: UInt32 = try datagram.bigEndian(at: start)
        guard word == name else { return nil }
        let packed: UInt32 = try datagram.bigEndian(at: start + 4)
        guard start + 8 + 4 * Int(packed >> 24) <= feedback.information.upperBound else { throw .contradiction(.feedbackLength) }
        let exponent = packed >> 18 & 0x3f
        let mantissa = UInt64(packed & 0x3_ffff)
        guard exponent <= 40 else { throw .contradiction(.bitrate) }
        return Int(mantissa << UInt64(exponent))
    }

    package static func write(
        sender: UInt32, bitsPerSecond: Int, media: [UInt32], with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>
    ) {
        let start = FeedbackHeader.begin(
            format: format, packetType: RTCPHeader.PacketType.payloadFeedback, sender: sender, media: 0, with: &writer, to: &buffer)
        var mantissa = UInt32(clamping: max(0, bitsPerSecond))
        var exponent: UInt32 = 0
        while mantissa > 0x3_ffff {
            mantissa >>= 1
            exponent += 1
        }
        writer.append(name, to: &buffer)
        writer.append(UInt32(min(255, media.count)) << 24 | exponent << 18 | mantissa, to: &buffer)
        for ssrc in media.prefix(255) { writer.append(ssrc, to: &buffer) }
        RTCPHeader.finish(start, with: &writer, to: &buffer)
    }
}
