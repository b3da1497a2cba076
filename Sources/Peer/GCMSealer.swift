import COpenSSL

/// Seals RTP packets with AES-128-GCM (RFC 7714 §8) straight through OpenSSL. Each picture is sealed once for each receiver, most of whom are cold in the
/// processor's cache by then, so what counts is how little memory a packet touches: a cipher's context and one line of state
/// (docs/decisions/srtp-engine.md). Opening, RTCP and AES-CM stay with libsrtp2.
///
/// The vector of GCM must never come twice under one key: packets of an SSRC are sealed in the order of their numbers only, and one that is not newer than the
/// last is refused.
struct GCMSealer: ~Copyable {
    private struct Stream {
        var ssrc: UInt32 = 0
        /// The 48-bit index of the last packet: roll-over counter and sequence number (RFC 3711 §3.3.1).
        var index: UInt64 = 0
    }

    /// Sound, picture and its repairs, and as many again for a session that is negotiated anew under other numbers.
    static let mostStreams = 8
    static let tagLength = 16

    private let context: OpaquePointer
    /// The session salt with the room of the vector: two bytes, SSRC, roll-over counter, sequence number (RFC 7714 §8.1).
    private let salt: InlineArray<12, UInt8>
    /// In place, not on the heap: one line of memory less for each packet.
    private var streams = InlineArray<8, Stream>(repeating: Stream())
    private var streamCount = 0

    /// - Parameter key: master key of 16 bytes, and master salt of 12 behind it.
    init(key: [UInt8]) throws(SRTPError) {
        guard key.count == 28, let algorithms = SRTPEngine.Algorithms.shared else { throw .malformed }
        var session = Self.derive(0, 16, from: key, algorithms)
        defer { session.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) } }
        try self.init(sessionKey: session, sessionSalt: Self.derive(2, 12, from: key, algorithms))
    }

    /// - Parameters: the keys as derived, 16 and 12 bytes.
    init(sessionKey: [UInt8], sessionSalt: [UInt8]) throws(SRTPError) {
        guard sessionKey.count == 16, sessionSalt.count == 12, let algorithms = SRTPEngine.Algorithms.shared,
            let context = EVP_CIPHER_CTX_new()
        else { throw .library(0) }
        guard EVP_EncryptInit_ex2(context, algorithms.gcm, sessionKey, nil, nil) == 1 else {
            EVP_CIPHER_CTX_free(context)
            throw .library(0)
        }
        self.context = context
        salt = InlineArray { sessionSalt[$0] }
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// RFC 3711 §4.3.1 with AES-CM, the salt filled up with zeros at its end (RFC 7714 §11); nothing where OpenSSL refuses.
    private static func derive(_ label: UInt8, _ count: Int, from key: [UInt8], _ algorithms: SRTPEngine.Algorithms) -> [UInt8] {
        guard let context = EVP_CIPHER_CTX_new() else { return [] }
        defer { EVP_CIPHER_CTX_free(context) }
        var vector = Array(key[16...]) + [0, 0, 0, 0]
        vector[7] ^= label
        var (made, written): ([UInt8], Int32) = ([UInt8](repeating: 0, count: count), 0)
        let zeros = [UInt8](repeating: 0, count: count)
        guard EVP_EncryptInit_ex2(context, algorithms.counter, key, vector, nil) == 1,
            EVP_EncryptUpdate(context, &made, &written, zeros, Int32(count)) == 1, written == count
        else { return [] }
        return made
    }

    /// Seals a packet in place.
    /// - Parameter buffer: the packet in the first `length` bytes, and room for the tag behind them.
    /// - Returns: the bytes of the sealed packet.
    /// - Throws: `replayed` where the packet is not newer than the last one of its SSRC; `malformed`; `noRoom`.
    mutating func seal(_ buffer: inout MutableSpan<UInt8>, length: Int) throws(SRTPError) -> Int {
        guard length >= 12, length + Self.tagLength <= buffer.count else { throw .noRoom }
        guard let header = Self.headerLength(buffer, length: length) else { throw .malformed }
        let sequence = UInt16(buffer[2]) << 8 | UInt16(buffer[3])
        let ssrc = UInt32(buffer[8]) << 24 | UInt32(buffer[9]) << 16 | UInt32(buffer[10]) << 8 | UInt32(buffer[11])
        let index = try advance(ssrc, to: sequence)
        var vector = salt
        for byte in 0..<4 { vector[2 + byte] ^= buffer[8 + byte] }
        for byte in 0..<6 { vector[6 + byte] ^= UInt8(truncatingIfNeeded: index >> UInt64(40 - 8 * byte)) }
        // OpenSSL reads and writes within `length` and the tag behind it, for which there is room.
        let isSealed = buffer.withUnsafeMutableBufferPointer { bytes in
            vector.span.withUnsafeBufferPointer { vector in
                guard let start = bytes.baseAddress else { return false }
                return nc_gcm_seal(context, vector.baseAddress, start, Int32(header), Int32(length)) == 1
            }
        }
        guard isSealed else { throw .library(0) }
        return length + Self.tagLength
    }

    /// Takes note of the next packet of `ssrc`.
    /// - Returns: its index.
    private mutating func advance(_ ssrc: UInt32, to sequence: UInt16) throws(SRTPError) -> UInt64 {
        for place in 0..<streamCount where streams[place].ssrc == ssrc {
            let step = sequence &- UInt16(truncatingIfNeeded: streams[place].index)
            guard step > 0, step < 0x8000 else { throw .replayed }
            let index = streams[place].index + UInt64(step)
            guard index < 1 << 48 else { throw .exhausted }
            streams[place].index = index
            return index
        }
        guard streamCount < Self.mostStreams else { throw .exhausted }
        streams[streamCount] = Stream(ssrc: ssrc, index: UInt64(sequence))
        streamCount += 1
        return UInt64(sequence)
    }

    /// What is authenticated and stays readable: header, contributing sources and extension (RFC 3550 §5.1); nil where it is longer than the packet.
    private static func headerLength(_ packet: borrowing MutableSpan<UInt8>, length: Int) -> Int? {
        var header = 12 + 4 * Int(packet[0] & 15)
        if packet[0] & 0x10 != 0 {
            guard header + 4 <= length else { return nil }
            header += 4 + 4 * (Int(packet[header + 2]) << 8 | Int(packet[header + 3]))
        }
        return header <= length ? header : nil
    }
}
