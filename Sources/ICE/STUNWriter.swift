import Base

/// Writes one STUN message into the caller's buffer, which is emptied first and keeps its capacity: nothing is allocated in steady state.
///
/// The array, and not an `OutputSpan`, because integrity and fingerprint go back over what is written.
package struct STUNWriter {
    private let transaction: TransactionID

    package init(_ messageClass: STUNMessage.Class, transaction: TransactionID, into out: inout [UInt8]) {
        self.transaction = transaction
        out.removeAll(keepingCapacity: true)
        let bits = UInt16(messageClass.rawValue)
        Self.append(STUNMessage.binding | (bits & 1) << 4 | (bits & 2) << 7, to: &out)
        Self.append(UInt16(0), to: &out)
        Self.append(STUNMessage.magicCookie, to: &out)
        Self.append(transaction.high, to: &out)
        Self.append(transaction.low, to: &out)
    }

    /// USERNAME, the receiver's ufrag first.
    package func username(_ name: [UInt8], into out: inout [UInt8]) {
        header(STUNAttribute.username, name.count, into: &out)
        out.append(contentsOf: name)
        while out.count & 3 != 0 { out.append(0) }
    }

    package func xorMappedAddress(_ address: TransportAddress, into out: inout [UInt8]) {
        header(STUNAttribute.xorMappedAddress, address.family == .ipv4 ? 8 : 20, into: &out)
        Self.append(UInt16(address.family.rawValue), to: &out)
        Self.append(address.port ^ UInt16(STUNMessage.magicCookie >> 16), to: &out)
        if let ipv4 = address.ipv4 {
            Self.append(ipv4 ^ STUNMessage.magicCookie, to: &out)
        } else {
            Self.append(address.high ^ transaction.mask, to: &out)
            Self.append(address.low ^ transaction.low, to: &out)
        }
    }

    package func priority(_ value: UInt32, into out: inout [UInt8]) {
        header(STUNAttribute.priority, 4, into: &out)
        Self.append(value, to: &out)
    }

    package func useCandidate(into out: inout [UInt8]) { header(STUNAttribute.useCandidate, 0, into: &out) }

    package func role(isControlling: Bool, tieBreaker: UInt64, into out: inout [UInt8]) {
        header(isControlling ? STUNAttribute.controlling : STUNAttribute.controlled, 8, into: &out)
        Self.append(tieBreaker, to: &out)
    }

    /// ERROR-CODE without a reason phrase: the number says it, and an answer must not be larger than the question.
    package func errorCode(_ code: Int, into out: inout [UInt8]) {
        header(STUNAttribute.errorCode, 4, into: &out)
        Self.append(UInt32(code / 100) << 8 | UInt32(code % 100), to: &out)
    }

    package func unknownAttribute(_ type: UInt16, into out: inout [UInt8]) {
        header(STUNAttribute.unknownAttributes, 2, into: &out)
        Self.append(type, to: &out)
        Self.append(UInt16(0), to: &out)
    }

    /// MESSAGE-INTEGRITY and FINGERPRINT, and with them the header's length. Nothing may be written after.
    package func finish(key: [UInt8], into out: inout [UInt8]) {
        let end = out.count
        header(STUNAttribute.messageIntegrity, STUNIntegrity.size, into: &out)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { digest in
            digest.initialize(repeating: 0)
            // A hash that fails leaves zeros, which no receiver accepts.
            _ = STUNIntegrity.hash(out.span.bytes, upTo: end, key: key, into: digest)
            out.append(contentsOf: digest[..<STUNIntegrity.size])
        }
        let length = UInt16(truncatingIfNeeded: out.count + 8 - STUNMessage.headerSize)
        out[2] = UInt8(length >> 8)
        out[3] = UInt8(length & 0xff)
        let fingerprint = CRC32.of(out.span.bytes) ^ STUNAttribute.fingerprintMask
        header(STUNAttribute.fingerprint, 4, into: &out)
        Self.append(fingerprint, to: &out)
    }

    private func header(_ type: UInt16, _ length: Int, into out: inout [UInt8]) {
        Self.append(type, to: &out)
        Self.append(UInt16(truncatingIfNeeded: length), to: &out)
    }

    private static func append<Value: FixedWidthInteger>(_ value: Value, to out: inout [UInt8]) {
        for shift in stride(from: Value.bitWidth - 8, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: value >> Value(shift))) }
    }
}
