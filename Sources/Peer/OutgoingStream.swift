import Base
import RTP
import SDP

/// One SSRC of ours: numbers packets and makes their headers from a template made once, so a packet costs a copy and a few bytes.
final class OutgoingStream {
    static let largestHeader = 48
    let ssrc: UInt32
    let payloadType: UInt8
    /// Hz.
    let clockRate: Int64
    private var header = InlineArray<48, UInt8>(repeating: 0)
    private(set) var headerLength = 12
    private var sendTimeAt: Int?
    private var transportSequenceAt: Int?
    private var audioLevelAt: Int?
    /// What the next packet says of its loudness (RFC 6464), −127 … 0 dBov; only where the stream says it at all.
    var audioLevel = -127
    var hasTransportSequence: Bool { transportSequenceAt != nil }
    private var sequenceNumber: UInt16
    var nextSequence: UInt16 { sequenceNumber }
    private let timestampOffset: UInt32
    private(set) var packets: UInt32 = 0
    private(set) var octets: UInt32 = 0
    /// The media clock: what timestamp stood for which moment last.
    private var mapping: (timestamp: UInt32, captured: Instant)?

    /// Whether `captured` is after what was sent last: one moment has one timestamp and one picture or sound (RFC 3550 §5.1), and timestamps rise.
    func isNext(_ captured: Instant) -> Bool { mapping.map { captured > $0.captured } ?? true }

    /// - Parameter earlier: the stream that this SSRC was before a renegotiation: numbers go on where it stopped, since SRTP seals none twice.
    init(
        _ stream: NegotiatedStream, clockRate: Int64, firstSequence: UInt16, timestampOffset: UInt32, continuing earlier: OutgoingStream?,
        saysLevel: Bool = false
    ) {
        (ssrc, payloadType, self.clockRate) = (stream.localSSRC, stream.payloadType, clockRate)
        (sequenceNumber, self.timestampOffset) = (earlier?.sequenceNumber ?? firstSequence, timestampOffset)
        (packets, octets, mapping) = (earlier?.packets ?? 0, earlier?.octets ?? 0, earlier?.mapping)
        makeHeader(stream, saysLevel: saysLevel)
    }

    private func makeHeader(_ stream: NegotiatedStream, saysLevel: Bool) {
        let ids = stream.sendExtensions
        let mid = Array(stream.mid.utf8)
        let isTwoByte = [ids.mid, ids.absoluteSendTime, ids.transportSequence, saysLevel ? ids.audioLevel : nil].contains { ($0 ?? 0) > 14 }
        var bytes: [UInt8] = []
        func begin(_ id: UInt8, _ count: Int) {
            if isTwoByte { bytes += [id, UInt8(count)] } else { bytes.append(id << 4 | UInt8(count - 1)) }
        }
        if let id = ids.mid, (1...16).contains(mid.count) {
            begin(id, mid.count)
            bytes += mid
        }
        if let id = ids.absoluteSendTime {
            begin(id, 3)
            sendTimeAt = 16 + bytes.count
            bytes += [0, 0, 0]
        }
        if let id = ids.transportSequence {
            begin(id, 2)
            transportSequenceAt = 16 + bytes.count
            bytes += [0, 0]
        }
        if saysLevel, let id = ids.audioLevel {
            begin(id, 1)
            audioLevelAt = 16 + bytes.count
            bytes.append(127)
        }
        for (offset, shift) in [24, 16, 8, 0].enumerated() { header[8 + offset] = UInt8(truncatingIfNeeded: ssrc >> UInt32(shift)) }
        header[0] = 0x80
        guard !bytes.isEmpty else { return }
        while bytes.count % 4 != 0 { bytes.append(0) }
        header[0] = 0x90
        (header[12], header[13]) = isTwoByte ? (0x10, 0x00) : (0xbe, 0xde)
        header[15] = UInt8(bytes.count / 4)
        for (index, byte) in bytes.enumerated() { header[16 + index] = byte }
        headerLength = 16 + bytes.count
    }

    /// Writes the next packet.
    /// - Parameter timestamp: of the bridge's clock, at `clockRate`.
    /// - Returns: its length; nil where `packet` has no room for it.
    func write(
        _ payload: Span<UInt8>, timestamp: UInt32, captured: Instant, marker: Bool, transportSequence: UInt16, now: Instant,
        into packet: inout MutableSpan<UInt8>
    ) -> Int? {
        let length = headerLength + payload.count
        guard length <= packet.count else { return nil }
        // One copy of memory each, since the compiler makes loops of bytes of them where the lengths are not the same; the room was checked above.
        packet.withUnsafeMutableBufferPointer { packet in
            guard let to = packet.baseAddress else { return }
            header.span.withUnsafeBufferPointer { if let from = $0.baseAddress { to.update(from: from, count: headerLength) } }
            payload.withUnsafeBufferPointer {
                if let from = $0.baseAddress { (to + headerLength).update(from: from, count: payload.count) }
            }
        }
        packet[1] = marker ? payloadType | 0x80 : payloadType
        (packet[2], packet[3]) = (UInt8(sequenceNumber >> 8), UInt8(sequenceNumber & 255))
        let stamp = timestamp &+ timestampOffset
        for index in 0..<4 { packet[4 + index] = UInt8(truncatingIfNeeded: stamp >> UInt32(24 - 8 * index)) }
        if let at = sendTimeAt {
            // 6.18 fixed point seconds, 24 bits: wraps every 64 s.
            let time = (now.nanoseconds % 64_000_000_000) << 18 / 1_000_000_000
            for index in 0..<3 { packet[at + index] = UInt8(truncatingIfNeeded: time >> Int64(16 - 8 * index)) }
        }
        if let at = audioLevelAt { packet[at] = UInt8(clamping: -audioLevel) & 0x7f | (audioLevel > -50 ? 0x80 : 0) }
        if let at = transportSequenceAt {
            (packet[at], packet[at + 1]) = (UInt8(transportSequence >> 8), UInt8(transportSequence & 255))
        }
        sequenceNumber &+= 1
        packets &+= 1
        octets &+= UInt32(truncatingIfNeeded: payload.count)
        mapping = (stamp, captured)
        return length
    }

    /// Makes the packet just written one with redundant sound (RFC 2198).
    func setPayloadTypes(_ type: UInt8, inner: UInt8, in packet: inout MutableSpan<UInt8>) {
        packet[1] = packet[1] & 0x80 | type
        RedundantAudioWriter.setPayloadType(inner, at: headerLength, in: &packet)
    }

    /// Writes a packet of padding alone (RFC 3550 §5.1), as senders probe a line with on their retransmission stream.
    /// - Parameter count: bytes of padding, 1 … 255.
    /// - Returns: its length; nil where `packet` has no room for it.
    func writePadding(
        _ count: Int, timestamp: UInt32, captured: Instant, transportSequence: UInt16, now: Instant, into packet: inout MutableSpan<UInt8>
    ) -> Int? {
        var zeros = InlineArray<255, UInt8>(repeating: 0)
        let count = min(255, max(1, count))
        zeros[count - 1] = UInt8(count)
        let length = write(
            zeros.span.extracting(first: count), timestamp: timestamp, captured: captured, marker: false,
            transportSequence: transportSequence, now: now, into: &packet)
        if length != nil { packet[0] |= 0x20 }
        return length
    }

    /// Writes a sender report without blocks (RFC 3550 §6.4.1); none before the first packet. The pair is this moment's, carried on from the last frame,
    /// so sound and picture of one bridge share one line of time.
    func writeSenderReport(now: Instant, ntp: NTPTime, with writer: inout ByteWriter, to buffer: inout MutableSpan<UInt8>) {
        guard let mapping else { return }
        let passed = (now - mapping.captured).nanoseconds
        let units = passed / 1_000_000_000 * clockRate + passed % 1_000_000_000 * clockRate / 1_000_000_000
        let report = SenderReport(
            ssrc: ssrc, ntp: ntp, rtpTimestamp: mapping.timestamp &+ UInt32(truncatingIfNeeded: units), packetCount: packets,
            octetCount: octets)
        let start = report.begin(blocks: 0, with: &writer, to: &buffer)
        RTCPHeader.finish(start, with: &writer, to: &buffer)
    }
}
