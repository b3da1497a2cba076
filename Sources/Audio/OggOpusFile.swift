/// The packets of an Ogg Opus file (RFC 7845), ready to be sent one after another. Takes bytes, not a path.
package struct OggOpusFile: Sendable {
    /// Twenty minutes of 20 ms packets.
    static let mostPackets = 60_000
    static let mostBytesPerPacket = 61_440

    /// Samples at 48 kHz that a player drops from the start, because the decoder still settles.
    package private(set) var preSkip = 0
    package private(set) var channels = 1
    private var storage: [UInt8] = []
    private var ends: [Int] = []
    private var durations: [Int] = []

    package var packetCount: Int { ends.count }
    /// Of all packets, in samples at 48 kHz, pre-skip included.
    package private(set) var samples = 0

    /// - Throws: `OggError`; a second logical stream in the file is passed over.
    package init(parsing file: RawSpan) throws(OggError) {
        var collector = OggPacketCollector()
        var serial: UInt32?
        var offset = 0
        while offset < file.byteCount {
            let page = try OggPage(parsing: file, at: offset)
            if serial ?? page.serial == page.serial {
                serial = page.serial
                try collector.take(page, of: file)
            }
            offset = page.body.upperBound
        }
        try readHead(collector)
        try readPackets(collector)
    }

    /// Samples of packet `index` at 48 kHz.
    package func duration(ofPacket index: Int) -> Int { durations[index] }

    /// The bytes of packet `index`, 0 ..< `packetCount`; not a copy.
    package subscript(index: Int) -> ArraySlice<UInt8> { storage[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

    private mutating func readHead(_ packets: borrowing OggPacketCollector) throws(OggError) {
        guard packets.ends.count >= 2 else { throw .empty }
        let head = Array(packets.bytes[0..<packets.ends[0]])
        guard head.count >= 19, head.starts(with: Array("OpusHead".utf8)), head[8] & 0xf0 == 0, (1...2).contains(head[9]), head[18] == 0
        else { throw .notOpus }
        channels = Int(head[9])
        preSkip = Int(head[10]) | Int(head[11]) << 8
    }

    private mutating func readPackets(_ packets: borrowing OggPacketCollector) throws(OggError) {
        let all = packets.bytes.span.bytes
        for index in 2..<packets.ends.count {  // after OpusHead and OpusTags
            let range = packets.ends[index - 1]..<packets.ends[index]
            // The error names the packet; what Opus has against it is of no use to the reader.
            guard let packet = try? OpusPacket(parsing: all.extracting(range)) else { throw .badPacket(index: index) }
            durations.append(packet.samples)
            samples += packet.samples
            ends.append(range.upperBound - packets.ends[1])
        }
        guard !ends.isEmpty else { throw .empty }
        storage = Array(packets.bytes[packets.ends[1]..<packets.ends[packets.ends.count - 1]])
    }
}

/// Joins the segments of pages to packets: a value of 255 goes on, a smaller one ends the packet (RFC 3533 §5).
struct OggPacketCollector: ~Copyable {
    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []

    mutating func take(_ page: OggPage, of file: RawSpan) throws(OggError) {
        let start = ends.last ?? 0
        if !page.isContinued, bytes.count > start { bytes.removeLast(bytes.count - start) }  // its end was never sent
        // Without a beginning, what is continued cannot be used.
        var isSkipping = page.isContinued && bytes.count == start
        var place = page.body.lowerBound
        for index in page.lacing {
            let length = Int(file.unsafeLoad(fromByteOffset: index, as: UInt8.self))
            if !isSkipping { for i in place..<place + length { bytes.append(file.unsafeLoad(fromByteOffset: i, as: UInt8.self)) } }
            place += length
            guard bytes.count - (ends.last ?? 0) <= OggOpusFile.mostBytesPerPacket else { throw .packetTooLong(offset: index) }
            guard length < 255 else { continue }
            if !isSkipping { ends.append(bytes.count) }
            isSkipping = false
            guard ends.count <= OggOpusFile.mostPackets + 2 else { throw .tooLong(packets: ends.count) }
        }
    }
}
