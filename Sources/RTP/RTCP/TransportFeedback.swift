import Base

/// Transport-wide congestion control feedback (205, format 15), draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1: when each of a run of packets
/// arrived, in steps of 250 µs.
package enum TransportFeedback {
    package static let format: UInt8 = 15
    /// Packets that one message may speak of. 2 000 are two seconds of the thickest stream; more is no honest receiver's.
    package static let mostPackets = 2_000
    static let deltaStep: Int64 = 250_000

    /// One packet as a message tells of it.
    package struct Entry: Equatable, Sendable {
        package var sequenceNumber: UInt16
        /// On the receiver's clock; nil where the packet did not arrive.
        package var arrival: Instant?
    }

    /// What a message says of itself: the first number that it tells of, how many, and which message of its sender it is.
    package struct Header: Equatable, Sendable {
        package var base: UInt16
        package var packets: Int
        package var count: UInt8
    }

    package static func header(of datagram: RawSpan, _ feedback: FeedbackHeader) throws(PacketError) -> Header {
        let start = feedback.information.lowerBound
        let packets: UInt16 = try datagram.bigEndian(at: start + 2)
        guard packets <= mostPackets else { throw .tooMany(.chunk) }
        return Header(base: try datagram.bigEndian(at: start), packets: Int(packets), count: try datagram.bigEndian(at: start + 7))
    }

    /// Calls `body` for each packet in order.
    /// - Throws: `PacketError` where chunks or deltas are missing.
    package static func forEach(in datagram: RawSpan, _ feedback: FeedbackHeader, _ body: (Entry) -> Void) throws(PacketError) {
        let header = try header(of: datagram, feedback)
        let (start, base, count) = (feedback.information.lowerBound, header.base, header.packets)
        let reference = try datagram.bigEndian24(at: start + 4)
        let deltas = try placeOfDeltas(datagram, chunks: start + 8, packets: count, end: feedback.information.upperBound)
        var walk = Walk(
            time: Int64(Int32(bitPattern: reference << 8) >> 8) * 64_000_000, delta: deltas, end: feedback.information.upperBound)
        try forEachStatus(datagram, chunks: start + 8, packets: count) { index, status throws(PacketError) in
            body(Entry(sequenceNumber: base &+ UInt16(index), arrival: try walk.next(status, datagram)))
        }
    }

    private struct Walk {
        var time: Int64
        var delta: Int
        let end: Int

        mutating func next(_ status: UInt16, _ datagram: RawSpan) throws(PacketError) -> Instant? {
            switch status {
            case 1:
                guard delta < end else { throw .truncated(needed: delta + 1, have: end) }
                let small: UInt8 = try datagram.bigEndian(at: delta)
                delta += 1
                time &+= Int64(small) * TransportFeedback.deltaStep
            case 2:
                guard delta + 2 <= end else { throw .truncated(needed: delta + 2, have: end) }
                let large: UInt16 = try datagram.bigEndian(at: delta)
                delta += 2
                time &+= Int64(Int16(bitPattern: large)) * TransportFeedback.deltaStep
            default: return nil
            }
            return Instant(nanoseconds: time)
        }
    }

    private static func placeOfDeltas(_ datagram: RawSpan, chunks: Int, packets: Int, end: Int) throws(PacketError) -> Int {
        var place = chunks
        var seen = 0
        while seen < packets {
            guard place + 2 <= end else { throw .truncated(needed: place + 2, have: end) }
            seen += length(of: try datagram.bigEndian(at: place))
            place += 2
        }
        return place
    }

    private static func length(of chunk: UInt16) -> Int {
        if chunk & 0x8000 == 0 { return max(1, Int(chunk & 0x1fff)) }
        return chunk & 0x4000 == 0 ? 14 : 7
    }

    private static func forEachStatus(
        _ datagram: RawSpan, chunks: Int, packets: Int, _ body: (Int, UInt16) throws(PacketError) -> Void
    ) throws(PacketError) {
        var place = chunks
        var index = 0
        while index < packets {
            let chunk: UInt16 = try datagram.bigEndian(at: place)
            place += 2
            for symbol in 0..<min(length(of: chunk), packets - index) {
                try body(index, status(chunk, symbol))
                index += 1
            }
        }
    }

    private static func status(_ chunk: UInt16, _ symbol: Int) -> UInt16 {
        if chunk & 0x8000 == 0 { return chunk >> 13 & 3 }
        if chunk & 0x4000 == 0 { return chunk >> UInt16(13 - symbol) & 1 }
        return chunk >> UInt16(12 - 2 * symbol) & 3
    }
}

/// Notes the arrival of packets with a transport-wide number and tells the sender of them: every 100 ms of a picture, every 250 ms where there is sound
/// alone, whose feedback would otherwise be a fifth of its packets.
package struct TransportFeedbackWriter: Sendable {
    package static let interval = Duration.milliseconds(100)
    package static let longestInterval = Duration.milliseconds(250)
    /// So many packets in a shorter time are more than sound.
    private static let many = 10
    /// Packets noted between two messages; what is beyond is told of as far as it goes.
    private static let window = 512

    private var unwrapper = SequenceUnwrapper()
    /// Made with the first packet: one who only listens sends none.
    private var arrivals: [Int64] = []
    private var began = Instant.start
    private var next: Int64?
    private var highest: Int64 = -1
    private var messages: UInt8 = 0
    private var due: Instant?

    package init() {}

    /// When to ask for a message; nil while there is nothing to tell.
    package var deadline: Instant? { due }

    package mutating func received(_ number: UInt16, now: Instant) {
        let sequence = unwrapper.unwrap(number)
        let first = next ?? sequence
        let place = Int(sequence % Int64(Self.window))
        if sequence < first {
            // Told of as missing already, and only late: the next message says so.
            guard highest - sequence < Int64(Self.window), arrivals[place] < 0 else { return }
            next = sequence
        } else if next == nil || sequence - first >= Int64(Self.window) {
            restart(at: sequence)
        } else if sequence > highest {
            // Their places still hold what came a round before.
            for missing in (highest + 1)...sequence { arrivals[Int(missing % Int64(Self.window))] = -1 }
        }
        if arrivals[place] < 0 { arrivals[place] = now.nanoseconds }
        highest = max(highest, sequence)
        if due == nil { (began, due) = (now, now + Self.longestInterval) }
        if highest - (next ?? highest) >= Self.many { due = min(due ?? now, began + Self.interval) }
    }

    private mutating func restart(at sequence: Int64) {
        if arrivals.isEmpty { arrivals = [Int64](repeating: -1, count: Self.window) }
        for index in arrivals.indices { arrivals[index] = -1 }
        (next, highest) = (sequence, sequence)
    }

    /// Writes the message that is due.
    /// - Returns: whether one was written.
    package mutating func write(
        sender: UInt32, media: UInt32, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>
    ) -> Bool {
        due = nil
        guard let first = next, highest >= first else { return false }
        let count = Int(highest - first) + 1
        guard let earliest = firstArrival(first, count) else { return false }
        let start = FeedbackHeader.begin(
            format: TransportFeedback.format, packetType: RTCPHeader.PacketType.transportFeedback, sender: sender, media: media,
            with: &writer,
            to: &buffer)
        writer.append(UInt16(truncatingIfNeeded: first), to: &buffer)
        writer.append(UInt16(count), to: &buffer)
        let reference = earliest / 64_000_000
        writer.append(UInt32(truncatingIfNeeded: reference) << 8 | UInt32(messages), to: &buffer)
        messages &+= 1
        writeChunks(first, count, reference * 64_000_000, with: &writer, to: &buffer)
        writeDeltas(first, count, reference * 64_000_000, with: &writer, to: &buffer)
        RTCPHeader.finish(start, with: &writer, to: &buffer)
        next = highest + 1
        return true
    }

    private func arrival(_ sequence: Int64) -> Int64 { arrivals[Int(sequence % Int64(Self.window))] }

    private func firstArrival(_ first: Int64, _ count: Int) -> Int64? {
        for index in 0..<count where arrival(first + Int64(index)) >= 0 { return arrival(first + Int64(index)) }
        return nil
    }

    /// The step from `time` to this packet's arrival in 250 µs, and the status that announces it. `time` moves by what is written, so that rounding does not add up.
    private func step(_ sequence: Int64, _ time: inout Int64) -> (status: UInt16, delta: Int64) {
        let arrived = arrival(sequence)
        guard arrived >= 0 else { return (0, 0) }
        let delta = min(32_767, max(-32_768, (arrived - time) / TransportFeedback.deltaStep))
        time += delta * TransportFeedback.deltaStep
        return (delta >= 0 && delta <= 255 ? 1 : 2, delta)
    }

    /// Two-bit vectors of seven throughout: a run of lost packets longer than that as a run.
    private func writeChunks(
        _ first: Int64, _ count: Int, _ reference: Int64, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>
    ) {
        var time = reference
        var index = 0
        while index < count {
            var run = 0
            while index + run < count, arrival(first + Int64(index + run)) < 0 { run += 1 }
            if run > 7 {
                writer.append(UInt16(run), to: &buffer)
                index += run
                continue
            }
            var chunk: UInt16 = 0xc000
            for symbol in 0..<7 where index + symbol < count {
                chunk |= step(first + Int64(index + symbol), &time).status << UInt16(12 - 2 * symbol)
            }
            writer.append(chunk, to: &buffer)
            index += 7
        }
    }

    private func writeDeltas(
        _ first: Int64, _ count: Int, _ reference: Int64, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>
    ) {
        var time = reference
        for index in 0..<count {
            let (status, delta) = step(first + Int64(index), &time)
            if status == 1 { writer.append(UInt8(delta), to: &buffer) }
            if status == 2 { writer.append(UInt16(bitPattern: Int16(delta)), to: &buffer) }
        }
    }
}
