import Base
import TestSupport
import Testing

@testable import RTP

/// Sixteen first numbers: around every wrap, and somewhere else.
let firstNumbers: [UInt16] = [0, 1, 2, 3, 100, 32_766, 32_767, 32_768, 32_769, 40_000, 65_000, 65_531, 65_532, 65_533, 65_534, 65_535]

struct RTPHeaderTests {
    /// A packet whose extension block has these words, profile included, and the payload 7, 7.
    private func packet(profile: UInt16, _ elements: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [
            0x90, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, UInt8(profile >> 8), UInt8(profile & 255), 0, UInt8(elements.count / 4),
        ]
        bytes += elements + [7, 7]
        return bytes
    }

    @Test(
        arguments: [
            // The level (id 2), then an element that claims more than the block has.
            (0xbede, [0x20, 0x9e, 0x3f, 1]), (0xbede, [0x20, 0x9e, 0, 0x1f]), (0xbede, [0x20, 0x9e, 0x1a, 0]),
            (0x1000, [2, 1, 0x9e, 9]), (0x1000, [2, 1, 0x9e, 0, 9, 200, 1, 1]), (0x1007, [2, 1, 0x9e, 0, 0, 0, 9, 2]),
            (0xbede, [0x20, 0x9e, 0xf7, 1]), (0xbede, [0x20, 0x9e, 0x05, 1]),
        ] as [(UInt16, [UInt8])])
    func `an element that runs over its block is passed over with the rest of it, and what stood before counts`(
        profile: UInt16, elements: [UInt8]
    ) throws {
        let bytes = packet(profile: profile, elements)
        let header = try RTPHeader(parsing: bytes.span.bytes)
        var map = HeaderExtensionMap()
        (map.audioLevel, map.mid, map.transportSequenceNumber) = (2, 1, 9)
        let extensions = try HeaderExtensions(parsing: bytes.span.bytes, header: header, map: map)
        #expect(extensions.audioLevel == -30 && extensions.mid == nil && extensions.transportSequenceNumber == nil)
        #expect(bytes[header.payload].elementsEqual([7, 7]))
    }

    private func written(_ header: RTPHeader, _ extensions: HeaderExtensionWriter, payload: [UInt8]) -> [UInt8] {
        var room = [UInt8](repeating: 0, count: 1_500)
        var writer = ByteWriter()
        var span = room.mutableSpan
        header.write(extensions, with: &writer, to: &span)
        writer.append(payload.span, to: &span)
        return Array(room.prefix(writer.count))
    }

    @Test(arguments: [1, 14, 15, 200] as [UInt8], firstNumbers)
    func `what is written is read, in the one-byte and in the two-byte form`(id: UInt8, sequence: UInt16) throws {
        var extensions = HeaderExtensionWriter()
        extensions.add(id, name: Array("mid0".utf8).span)
        extensions.addAudioLevel(2, decibels: -30, hasVoice: true)
        extensions.addTransportSequenceNumber(3, sequence)
        let header = RTPHeader(marker: true, payloadType: 111, sequenceNumber: sequence, timestamp: .max, ssrc: 7)
        let bytes = written(header, extensions, payload: [9, 8, 7])
        let read = try RTPHeader(parsing: bytes.span.bytes)
        #expect(read.marker && read.payloadType == 111 && read.sequenceNumber == sequence && read.timestamp == .max && read.ssrc == 7)
        #expect(Array(bytes[read.payload]) == [9, 8, 7])
        var map = HeaderExtensionMap()
        (map.mid, map.audioLevel, map.transportSequenceNumber) = (id, 2, 3)
        let found = try HeaderExtensions(parsing: bytes.span.bytes, header: read, map: map)
        #expect(found.mid.map { Array(bytes[$0]) } == Array("mid0".utf8))
        #expect(found.audioLevel == -30 && found.hasVoice == true && found.transportSequenceNumber == sequence)
    }

    @Test func `every cut and every lie about a length is refused, none is trapped on`() throws {
        var extensions = HeaderExtensionWriter()
        extensions.add(1, name: Array("a".utf8).span)
        let bytes = written(RTPHeader(marker: false, payloadType: 96, sequenceNumber: 1, timestamp: 1, ssrc: 1), extensions, payload: [])
        for length in 0..<bytes.count {
            #expect(throws: PacketError.self) { try RTPHeader(parsing: Array(bytes.prefix(length)).span.bytes) }
        }
        var padded = bytes + [200]
        padded[0] |= 0x20
        #expect(throws: PacketError.contradiction(.padding)) { try RTPHeader(parsing: padded.span.bytes) }
        var long = bytes
        long[15] = 255
        #expect(throws: PacketError.self) { try RTPHeader(parsing: long.span.bytes) }
    }
}

struct UnwrapperTests {
    @Test(arguments: firstNumbers)
    func `numbers grow across the wrap, and late ones keep their place`(first: UInt16) {
        var unwrapper = SequenceUnwrapper()
        let start = unwrapper.unwrap(first)
        for step in 1..<70_000 as Range<Int64> {
            #expect(unwrapper.unwrap(first &+ UInt16(truncatingIfNeeded: step)) == start + step)
            if step % 1_000 == 0 { #expect(unwrapper.unwrap(first &+ UInt16(truncatingIfNeeded: step - 5)) == start + step - 5) }
        }
    }
}

struct ReportTests {
    @Test func `reports come back as they went, and the walk stops at a lie`() throws {
        var room = [UInt8](repeating: 0, count: 1_500)
        var writer = ByteWriter()
        let block = ReportBlock(
            ssrc: 9, fractionLost: 64, cumulativeLost: -3, extendedHighestSequence: 70_000, jitter: 12, lastSenderReport: 5,
            delaySinceLastSenderReport: 6)
        var span = room.mutableSpan
        let report = SenderReport(ssrc: 1, ntp: NTPTime(bits: 0x0102_0304_0506_0708), rtpTimestamp: 2, packetCount: 3, octetCount: 4)
        let start = report.begin(blocks: 1, with: &writer, to: &span)
        block.write(with: &writer, to: &span)
        RTCPHeader.finish(start, with: &writer, to: &span)
        SourceDescription.write(ssrcs: [1, 2], cname: Array("điểm cầu".utf8), with: &writer, to: &span)
        Bye.write(ssrcs: [1], with: &writer, to: &span)
        let bytes = Array(room.prefix(writer.count))
        let first = try RTCPHeader(parsing: bytes.span.bytes, at: 0)
        #expect(try SenderReport(parsing: bytes.span.bytes, header: first) == report)
        #expect(try ReportBlocks(of: first).block(0, of: bytes.span.bytes) == block)
        let second = try RTCPHeader(parsing: bytes.span.bytes, at: first.end)
        let third = try RTCPHeader(parsing: bytes.span.bytes, at: second.end)
        #expect(second.packetType == 202 && third.packetType == 203 && third.end == bytes.count)
        for length in 0..<first.end {
            #expect(throws: PacketError.self) { try RTCPHeader(parsing: Array(bytes.prefix(length)).span.bytes, at: 0) }
        }
    }

    @Test(arguments: firstNumbers)
    func `what a NACK asks for is what was lost`(first: UInt16) throws {
        let lost = [0, 1, 5, 16, 17, 40, 41, 300].map { first &+ UInt16($0) }
        var room = [UInt8](repeating: 0, count: 1_500)
        var writer = ByteWriter()
        var span = room.mutableSpan
        NegativeAcknowledgement.write(sender: 1, media: 2, lost: lost, with: &writer, to: &span)
        let bytes = Array(room.prefix(writer.count))
        let header = try RTCPHeader(parsing: bytes.span.bytes, at: 0)
        var asked: [UInt16] = []
        try NegativeAcknowledgement.forEachLost(in: bytes.span.bytes, FeedbackHeader(parsing: bytes.span.bytes, header: header)) {
            asked.append($0)
        }
        #expect(asked == lost)
    }

    @Test(arguments: [0, 1, 150_000, 262_143, 262_144, 1_500_000, 2_000_000_000])
    func `an estimate keeps its size to within its 18 bits`(bitsPerSecond: Int) throws {
        var room = [UInt8](repeating: 0, count: 100)
        var writer = ByteWriter()
        var span = room.mutableSpan
        ReceiverEstimate.write(sender: 1, bitsPerSecond: bitsPerSecond, media: [2, 3], with: &writer, to: &span)
        let bytes = Array(room.prefix(writer.count))
        let header = try RTCPHeader(parsing: bytes.span.bytes, at: 0)
        let read = try ReceiverEstimate.bitsPerSecond(in: bytes.span.bytes, FeedbackHeader(parsing: bytes.span.bytes, header: header))
        let value = try #require(read)
        #expect(value <= bitsPerSecond && Double(bitsPerSecond - value) <= Double(bitsPerSecond) / 131_072)
    }
}

struct TransportFeedbackTests {
    @Test(arguments: firstNumbers, 0..<4 as Range<UInt64>)
    func `every packet is told of with its arrival to within a step, and lost ones as lost`(first: UInt16, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ UInt64(first))
        var writer = TransportFeedbackWriter()
        var sent: [UInt16: Instant?] = [:]
        var told: [UInt16: Instant?] = [:]
        for step in 0..<400 {
            let number = first &+ UInt16(step)
            let now = Instant(sinceStart: .seconds(5) + .milliseconds(5 * step) + .microseconds(Int.random(in: 0..<3_000, using: &random)))
            let isLost = Int.random(in: 0..<10, using: &random) == 0 && step > 0 && step < 399
            sent[number] = .some(isLost ? nil : now)
            if !isLost { writer.received(number, now: now) }
            guard let due = writer.deadline, due <= now || step == 399 else { continue }
            var room = [UInt8](repeating: 0, count: 1_500)
            var bytes = ByteWriter()
            var span = room.mutableSpan
            #expect(writer.write(sender: 1, media: 2, with: &bytes, to: &span))
            let message = Array(room.prefix(bytes.count))
            let header = try RTCPHeader(parsing: message.span.bytes, at: 0)
            try TransportFeedback.forEach(in: message.span.bytes, FeedbackHeader(parsing: message.span.bytes, header: header)) {
                told[$0.sequenceNumber] = .some($0.arrival)
            }
        }
        #expect(told.count == sent.count)
        for (number, arrival) in sent {
            switch (arrival, told[number] ?? nil) {
            case (nil, nil): break
            case (let arrival?, let said?): #expect(abs((arrival - said).nanoseconds) <= 500_000)
            default: Issue.record("number \(number): sent \(String(describing: arrival)), told \(String(describing: told[number]))")
            }
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `noise is refused or read, never trapped on`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bytes = (0..<Int.random(in: 0..<80, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        if bytes.count > 4 { bytes.replaceSubrange(0..<4, with: [0x8f, 205, 0, UInt8(bytes.count / 4 - 1)]) }
        guard let header = try? RTCPHeader(parsing: bytes.span.bytes, at: 0),
            let feedback = try? FeedbackHeader(parsing: bytes.span.bytes, header: header)
        else { return }
        var count = 0
        do { try TransportFeedback.forEach(in: bytes.span.bytes, feedback) { _ in count += 1 } } catch {}
        #expect(count <= TransportFeedback.mostPackets)
    }
}
