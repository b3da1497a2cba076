import RTP
import SDP

/// What the peer reads of an RTP packet (RFC 3550 §5.1) and of its extensions (RFC 8285). Every place lies inside the packet.
struct IncomingPacket: Equatable {
    var payloadType: UInt8
    var marker: Bool
    var sequenceNumber: UInt16
    var timestamp: UInt32
    var ssrc: UInt32
    /// Without padding.
    var payload: Range<Int>
    /// Content of the mid extension.
    var mid: Range<Int>?
    /// −127 … 0 dBov, and the voice flag (RFC 6464).
    var level: Int?
    var hasVoice: Bool?
    /// The transport-wide number.
    var transportSequence: UInt16?
    private static let mostExtensions = 32

    /// - Returns: nil where the packet claims more than there is.
    init?(parsing packet: Span<UInt8>, audioLevelID: UInt8?, midID: UInt8?, transportID: UInt8? = nil) {
        guard packet.count >= 12, packet[0] >> 6 == 2 else { return nil }
        marker = packet[1] & 0x80 != 0
        payloadType = packet[1] & 0x7f
        sequenceNumber = UInt16(packet[2]) << 8 | UInt16(packet[3])
        timestamp = packet.word(at: 4)
        ssrc = packet.word(at: 8)
        var start = 12 + 4 * Int(packet[0] & 15)
        var block: Range<Int>?
        var isTwoByte = false
        if packet[0] & 0x10 != 0 {
            guard packet.count >= start + 4 else { return nil }
            let profile = UInt16(packet[start]) << 8 | UInt16(packet[start + 1])
            let end = start + 4 + 4 * (Int(packet[start + 2]) << 8 | Int(packet[start + 3]))
            guard end <= packet.count else { return nil }
            isTwoByte = profile & 0xfff0 == 0x1000
            if isTwoByte || profile == 0xbede { block = (start + 4)..<end }
            start = end
        }
        var end = packet.count
        if packet[0] & 0x20 != 0 { end -= Int(packet[end - 1]) }
        guard start <= end else { return nil }
        payload = start..<end
        guard let block else { return }
        readExtensions(packet, block, isTwoByte, audioLevelID, midID, transportID)
    }

    private mutating func readExtensions(
        _ packet: Span<UInt8>, _ block: Range<Int>, _ isTwoByte: Bool, _ levelID: UInt8?, _ midID: UInt8?, _ transportID: UInt8?
    ) {
        var at = block.lowerBound
        for _ in 0..<Self.mostExtensions {
            while at < block.upperBound, packet[at] == 0 { at += 1 }  // padding
            guard at < block.upperBound, !isTwoByte || at + 1 < block.upperBound else { return }
            let id = isTwoByte ? packet[at] : packet[at] >> 4
            let content = isTwoByte ? (at + 2)..<(at + 2 + Int(packet[at + 1])) : (at + 1)..<(at + 2 + Int(packet[at] & 15))
            guard content.upperBound <= block.upperBound, isTwoByte || id != 15 else { return }
            if id == levelID, !content.isEmpty {
                level = -Int(packet[content.lowerBound] & 0x7f)
                hasVoice = packet[content.lowerBound] & 0x80 != 0
            }
            if id == midID { mid = content }
            if id == transportID, content.count == 2 {
                transportSequence = UInt16(packet[content.lowerBound]) << 8 | UInt16(packet[content.lowerBound + 1])
            }
            at = content.upperBound
        }
    }
}

extension Span where Element == UInt8 {
    /// Big-endian. The caller has checked the length; past the end it traps as any subscript does.
    func word(at offset: Int) -> UInt32 {
        UInt32(self[offset]) << 24 | UInt32(self[offset + 1]) << 16 | UInt32(self[offset + 2]) << 8 | UInt32(self[offset + 3])
    }
}

extension [UInt8] {
    /// Big-endian.
    mutating func append(word: UInt32) {
        append(UInt8(truncatingIfNeeded: word >> 24))
        append(UInt8(truncatingIfNeeded: word >> 16))
        append(UInt8(truncatingIfNeeded: word >> 8))
        append(UInt8(truncatingIfNeeded: word))
    }
}
