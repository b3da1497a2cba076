import COpenSSL

/// CRC-32 of ITU V.42, as FINGERPRINT has it (RFC 8489 §14.7).
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xedb8_8320 }
    }

    static func of(_ bytes: RawSpan) -> UInt32 {
        var crc: UInt32 = .max
        for index in 0..<bytes.byteCount {
            crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes.byte(at: index) ?? 0)) & 0xff)]
        }
        return ~crc
    }
}

/// MESSAGE-INTEGRITY with a short-term credential: HMAC-SHA1 keyed by the password (RFC 8489 §9.1, §14.5).
enum STUNIntegrity {
    static let size = 20

    /// - Parameter end: where the attribute begins; everything before it is hashed, with the header's length reaching past the attribute.
    /// - Returns: false where the hash could not be made.
    static func hash(_ message: RawSpan, upTo end: Int, key: [UInt8], into digest: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        guard end >= STUNMessage.headerSize, end <= message.byteCount, end <= STUNMessage.maximumSize, digest.count >= size else {
            return false
        }
        return withUnsafeTemporaryAllocation(byteCount: end, alignment: 1) { copy in
            message.withUnsafeBytes { copy.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<end])) }
            let length = UInt16(truncatingIfNeeded: end - STUNMessage.headerSize + 4 + size)
            copy[2] = UInt8(length >> 8)
            copy[3] = UInt8(length & 0xff)
            let data = copy.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return nc_hmac_sha1(key, key.count, data, end, digest.baseAddress) == 1
        }
    }
}

extension STUNMessage {
    /// Whether the datagram that this was parsed from carries the integrity that `key` (the password's bytes) makes. Constant time.
    package func hasIntegrity(key: [UInt8], in datagram: RawSpan) -> Bool {
        guard let integrity, integrity + 4 + STUNIntegrity.size <= datagram.byteCount else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(EVP_MAX_MD_SIZE)) { digest in
            guard STUNIntegrity.hash(datagram, upTo: integrity, key: key, into: digest) else { return false }
            return datagram.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress, let digest = digest.baseAddress else { return false }
                return CRYPTO_memcmp(base + integrity + 4, digest, STUNIntegrity.size) == 0
            }
        }
    }

    /// The ufrag that the peer addresses, the part of USERNAME before the colon (RFC 8445 §7.2.2), of a datagram that may be a binding
    /// request. Cheap and unproven: it only finds the session, which then checks everything.
    package static func localUfrag(of datagram: RawSpan) -> UsernameFragment? {
        guard datagram.byteCount >= headerSize, datagram.byte(at: 0) == 0, datagram.byte(at: 1) == 1 else { return nil }
        var offset = headerSize
        for _ in 0..<maximumAttributes {
            // Cut short there is no name; the session's own parser says why.
            guard let type = try? datagram.number(at: offset, as: UInt16.self),
                let length = try? datagram.number(at: offset + 2, as: UInt16.self), offset + 4 + Int(length) <= datagram.byteCount
            else { return nil }
            if type == STUNAttribute.username {
                let name = datagram.extracting((offset + 4)..<(offset + 4 + Int(length)))
                for index in 0..<name.byteCount where name.byte(at: index) == UInt8(ascii: ":") {
                    return UsernameFragment(name.extracting(0..<index))
                }
                return nil
            }
            offset += 4 + (Int(length) + 3) & ~3
        }
        return nil
    }
}
