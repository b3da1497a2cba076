import Base

/// The ids under which header extensions travel, as the SDP agreed; nil is not agreed. RFC 8285.
package struct HeaderExtensionMap: Equatable, Sendable {
    /// RFC 9143 §15.
    package var mid: UInt8?
    /// RFC 8852.
    package var rid: UInt8?
    package var repairedRID: UInt8?
    /// RFC 6464.
    package var audioLevel: UInt8?
    package var absoluteSendTime: UInt8?
    package var transportSequenceNumber: UInt8?
    package init() {}
}

/// What a packet's header extension says of the things that we read. Unknown elements are skipped.
package struct HeaderExtensions: Equatable, Sendable {
    /// Places of the names in the datagram.
    package var mid: Range<Int>?
    package var rid: Range<Int>?
    package var repairedRID: Range<Int>?
    /// dBov, −127 … 0.
    package var audioLevel: Int?
    package var hasVoice: Bool?
    /// 24 bits: seconds with 18 binary places, wrapping every 64 s.
    package var absoluteSendTime: UInt32?
    package var transportSequenceNumber: UInt16?

    package init() {}

    /// An element that claims more than the block has, and all behind it, is passed over: the payload is none the worse for it.
    /// - Throws: `PacketError` where the block itself is not in `datagram`.
    package init(parsing datagram: RawSpan, header: RTPHeader, map: HeaderExtensionMap) throws(PacketError) {
        guard let profile = header.extensionProfile else { return }
        let isTwoByte = profile & 0xfff0 == 0x1000
        guard isTwoByte || profile == 0xbede else { return }
        var place = header.extensionElements.lowerBound
        let end = header.extensionElements.upperBound
        while place < end {
            let first: UInt8 = try datagram.bigEndian(at: place)
            // A zero byte is padding between elements, in both forms.
            if first == 0 {
                place += 1
                continue
            }
            let id: UInt8
            let body: Range<Int>
            if isTwoByte {
                guard place + 1 < end else { return }
                let length: UInt8 = try datagram.bigEndian(at: place + 1)
                (id, body) = (first, place + 2..<place + 2 + Int(length))
            } else {
                id = first >> 4
                // RFC 8285 §4.2: 15 ends the processing, and so does 0 with a length.
                if id == 15 || id == 0 { return }
                body = place + 1..<place + 2 + Int(first & 0x0f)
            }
            guard body.upperBound <= end else { return }
            try take(id, body, of: datagram, map)
            place = body.upperBound
        }
    }

    private mutating func take(_ id: UInt8, _ body: Range<Int>, of datagram: RawSpan, _ map: HeaderExtensionMap) throws(PacketError) {
        switch id {
        case map.mid: mid = body
        case map.rid: rid = body
        case map.repairedRID: repairedRID = body
        case map.audioLevel where !body.isEmpty:
            let value: UInt8 = try datagram.bigEndian(at: body.lowerBound)
            audioLevel = -Int(value & 0x7f)
            hasVoice = value & 0x80 != 0
        case map.absoluteSendTime where body.count >= 3: absoluteSendTime = try datagram.bigEndian24(at: body.lowerBound)
        case map.transportSequenceNumber where body.count >= 2: transportSequenceNumber = try datagram.bigEndian(at: body.lowerBound)
        default: break
        }
    }

    /// Seconds since the start as the 24-bit value of abs-send-time.
    package static func absoluteSendTime(_ instant: Instant) -> UInt32 {
        // 2^18 / 10^9 without overflow: first to units of 2^-18 of the nanoseconds modulo 64 s.
        let nanoseconds = UInt64(bitPattern: instant.nanoseconds) % 64_000_000_000
        return UInt32(truncatingIfNeeded: (nanoseconds << 18) / 1_000_000_000) & 0xff_ffff
    }
}

/// The elements that we put into a packet. Written in the one-byte form where all ids and lengths fit it, otherwise in the two-byte form.
package struct HeaderExtensionWriter {
    private struct Element {
        var id: UInt8 = 0
        var length: UInt8 = 0
        var bytes = InlineArray<16, UInt8>(repeating: 0)
    }
    private var elements = InlineArray<6, Element>(repeating: Element())
    private var count = 0

    package init() {}
    package var isEmpty: Bool { count == 0 }

    /// A short name, MID or RID; longer than 16 bytes is left out, as RFC 8852 limits it.
    package mutating func add(_ id: UInt8?, name: Span<UInt8>) {
        guard let id, name.count > 0, name.count <= 16, count < 6 else { return }
        elements[count].id = id
        elements[count].length = UInt8(name.count)
        for index in name.indices { elements[count].bytes[index] = name[index] }
        count += 1
    }

    /// - Parameter decibels: dBov, −127 … 0.
    package mutating func addAudioLevel(_ id: UInt8?, decibels: Int, hasVoice: Bool) {
        add(id, UInt64(min(127, max(0, -decibels))) | (hasVoice ? 0x80 : 0), length: 1)
    }

    package mutating func addAbsoluteSendTime(_ id: UInt8?, _ instant: Instant) {
        add(id, UInt64(HeaderExtensions.absoluteSendTime(instant)), length: 3)
    }

    package mutating func addTransportSequenceNumber(_ id: UInt8?, _ number: UInt16) { add(id, UInt64(number), length: 2) }

    private mutating func add(_ id: UInt8?, _ value: UInt64, length: Int) {
        guard let id, count < 6 else { return }
        elements[count].id = id
        elements[count].length = UInt8(length)
        for index in 0..<length { elements[count].bytes[index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (length - 1 - index))) }
        count += 1
    }

    func write(with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>) {
        guard count > 0 else { return }
        var isTwoByte = false
        for index in 0..<count where elements[index].id > 14 { isTwoByte = true }
        writer.append(UInt16(isTwoByte ? 0x1000 : 0xbede), to: &buffer)
        let lengthPlace = writer.count
        writer.append(UInt16(0), to: &buffer)
        let start = writer.count
        for index in 0..<count {
            let length = Int(elements[index].length)
            if isTwoByte {
                writer.append(elements[index].id, to: &buffer)
                writer.append(UInt8(length), to: &buffer)
            } else {
                writer.append(elements[index].id << 4 | UInt8(length - 1), to: &buffer)
            }
            for byte in 0..<length { writer.append(elements[index].bytes[byte], to: &buffer) }
        }
        while (writer.count - start) % 4 != 0, !writer.overflowed { writer.append(UInt8(0), to: &buffer) }
        writer.patch(UInt16((writer.count - start) / 4), at: lengthPlace, in: &buffer)
    }
}
