import Base

/// Why a datagram is not a STUN message.
package enum STUNError: Error, Equatable, Sendable {
    case truncated, notSTUN, tooLarge, tooManyAttributes, malformedAttribute, wrongFingerprint
}

/// The 96 bits that tie a response to its request.
package struct TransactionID: Hashable, Sendable {
    package var high: UInt32
    package var low: UInt64
    package init(high: UInt32, low: UInt64) { (self.high, self.low) = (high, low) }
}

/// A STUN message as ICE uses it (RFC 8489, RFC 8445 §16). Holds values and places in the datagram: no copy, no reference.
package struct STUNMessage: Equatable, Sendable {
    package enum Class: UInt8, Sendable { case request, indication, success, error }

    package static let headerSize = 20
    static let magicCookie: UInt32 = 0x2112_a442
    static let binding: UInt16 = 1
    /// More is not ICE: a check is about 100 bytes, and nothing above a packet of the line's size comes by itself.
    static let maximumSize = 1_500
    static let maximumAttributes = 32

    package var messageClass: Class
    package var method: UInt16
    package var transaction: TransactionID
    /// USERNAME, the bytes' place.
    package var username: Range<Int>?
    /// XOR-MAPPED-ADDRESS.
    package var mappedAddress: TransportAddress?
    package var priority: UInt32?
    package var useCandidate = false
    /// The tie-breaker where the sender claims to be controlling; `controlled` the other.
    package var controlling: UInt64?
    package var controlled: UInt64?
    package var errorCode: Int?
    /// The first comprehension-required attribute that is not known here, and how many there are (RFC 8489 §6.3.1).
    package var unknownRequired: UInt16?
    package var unknownRequiredCount = 0
    /// Where MESSAGE-INTEGRITY begins, its header included.
    package var integrity: Int?
    package var hasFingerprint = false

    /// - Throws: `STUNError`; a FINGERPRINT that is there must be right. Integrity is checked by `hasIntegrity(key:in:)`.
    package init(parsing datagram: RawSpan) throws(STUNError) {
        guard datagram.byteCount <= Self.maximumSize else { throw .tooLarge }
        let type: UInt16 = try datagram.number(at: 0, as: UInt16.self)
        let length = Int(try datagram.number(at: 2, as: UInt16.self))
        guard type >> 14 == 0, try datagram.number(at: 4, as: UInt32.self) == Self.magicCookie else { throw .notSTUN }
        guard length & 3 == 0, length + Self.headerSize == datagram.byteCount else { throw .truncated }
        // The class's two bits stand amid the method's, RFC 8489 §5.
        messageClass = Class(rawValue: UInt8((type >> 7 & 2) | (type >> 4 & 1))) ?? .request
        method = (type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80)
        transaction = TransactionID(
            high: try datagram.number(at: 8, as: UInt32.self), low: try datagram.number(at: 12, as: UInt64.self))
        try parseAttributes(datagram)
    }

    private mutating func parseAttributes(_ datagram: RawSpan) throws(STUNError) {
        var offset = Self.headerSize
        var count = 0
        while offset < datagram.byteCount {
            guard count < Self.maximumAttributes else { throw .tooManyAttributes }
            count += 1
            guard !hasFingerprint else { throw .malformedAttribute }  // it is the last one
            let type = try datagram.number(at: offset, as: UInt16.self)
            let length = Int(try datagram.number(at: offset + 2, as: UInt16.self))
            let value = (offset + 4)..<(offset + 4 + length)
            let next = offset + 4 + (length + 3) & ~3
            guard next <= datagram.byteCount else { throw .truncated }
            // What follows the integrity is not protected by it: only FINGERPRINT counts there (RFC 8489 §14.5).
            if integrity == nil || type == STUNAttribute.fingerprint { try read(type, value, datagram, at: offset) }
            offset = next
        }
    }

    private mutating func read(_ type: UInt16, _ value: Range<Int>, _ datagram: RawSpan, at offset: Int) throws(STUNError) {
        switch type {
        case STUNAttribute.username: username = username ?? value
        case STUNAttribute.xorMappedAddress: mappedAddress = try xorAddress(value, datagram)
        case STUNAttribute.priority: priority = try fixed(value, datagram, as: UInt32.self)
        case STUNAttribute.useCandidate:
            guard value.isEmpty else { throw .malformedAttribute }
            useCandidate = true
        case STUNAttribute.controlling: controlling = try fixed(value, datagram, as: UInt64.self)
        case STUNAttribute.controlled: controlled = try fixed(value, datagram, as: UInt64.self)
        case STUNAttribute.errorCode:
            let word = try datagram.number(at: value.lowerBound, as: UInt32.self)
            guard value.count >= 4 else { throw .malformedAttribute }
            errorCode = Int(word >> 8 & 7) * 100 + Int(word & 0xff)
        case STUNAttribute.messageIntegrity:
            guard value.count == 20 else { throw .malformedAttribute }
            integrity = offset
        case STUNAttribute.fingerprint:
            let claimed = try fixed(value, datagram, as: UInt32.self)
            guard claimed == CRC32.of(datagram.extracting(0..<offset)) ^ STUNAttribute.fingerprintMask else { throw .wrongFingerprint }
            hasFingerprint = true
        case STUNAttribute.mappedAddress, STUNAttribute.unknownAttributes, STUNAttribute.realm, STUNAttribute.nonce: break
        case 0..<0x8000:
            unknownRequired = unknownRequired ?? type
            unknownRequiredCount += 1
        default: break
        }
    }

    private func fixed<Value: FixedWidthInteger & BitwiseCopyable>(
        _ range: Range<Int>, _ datagram: RawSpan, as type: Value.Type
    ) throws(STUNError) -> Value {
        guard range.count == MemoryLayout<Value>.size else { throw .malformedAttribute }
        return try datagram.number(at: range.lowerBound, as: type)
    }

    private func xorAddress(_ range: Range<Int>, _ datagram: RawSpan) throws(STUNError) -> TransportAddress {
        let head = try datagram.number(at: range.lowerBound, as: UInt32.self)
        let port = UInt16(truncatingIfNeeded: head) ^ UInt16(Self.magicCookie >> 16)
        switch (TransportAddress.Family(rawValue: UInt8(truncatingIfNeeded: head >> 16)), range.count) {
        case (.ipv4, 8):
            let address = try datagram.number(at: range.lowerBound + 4, as: UInt32.self)
            return TransportAddress(ipv4: address ^ Self.magicCookie, port: port)
        case (.ipv6, 20):
            let high = try datagram.number(at: range.lowerBound + 4, as: UInt64.self)
            let low = try datagram.number(at: range.lowerBound + 12, as: UInt64.self)
            return TransportAddress(ipv6High: high ^ transaction.mask, low: low ^ transaction.low, port: port)
        default: throw .malformedAttribute
        }
    }
}

extension TransactionID {
    /// What the first eight bytes of an IPv6 address are hidden with: cookie and the id's first 32 bits.
    var mask: UInt64 { UInt64(STUNMessage.magicCookie) << 32 | UInt64(high) }
}

enum STUNAttribute {
    static let mappedAddress: UInt16 = 0x0001
    static let username: UInt16 = 0x0006
    static let messageIntegrity: UInt16 = 0x0008
    static let errorCode: UInt16 = 0x0009
    static let unknownAttributes: UInt16 = 0x000a
    static let realm: UInt16 = 0x0014
    static let nonce: UInt16 = 0x0015
    static let xorMappedAddress: UInt16 = 0x0020
    static let priority: UInt16 = 0x0024
    static let useCandidate: UInt16 = 0x0025
    static let fingerprint: UInt16 = 0x8028
    static let controlled: UInt16 = 0x8029
    static let controlling: UInt16 = 0x802a
    static let fingerprintMask: UInt32 = 0x5354_554e
}
