import Testing

@testable import Peer

struct SRTPSessionTests {
    /// An RTP packet of payload type 96 with `count` bytes of payload.
    static func packet(sequence: UInt16, ssrc: UInt32 = 0xcafe_babe, payload: [UInt8] = [UInt8](repeating: 0xab, count: 16)) -> [UInt8] {
        [0x80, 96, UInt8(sequence >> 8), UInt8(sequence & 255), 0xde, 0xca, 0xfb, 0xad]
            + (0..<4).map { UInt8(truncatingIfNeeded: ssrc >> (24 - 8 * $0)) }
            + payload
    }

    static func sealed(_ session: inout SRTPSession, _ packet: [UInt8]) throws -> [UInt8] {
        var bytes = packet + [UInt8](repeating: 0, count: SRTPSession.overhead)
        var span = bytes.mutableSpan
        let count = try session.protectRTP(&span, length: packet.count)
        return Array(bytes.prefix(count))
    }

    static func opened(_ session: inout SRTPSession, _ packet: [UInt8]) throws -> [UInt8] {
        var bytes = packet
        var span = bytes.mutableSpan
        let count = try session.unprotectRTP(&span)
        return Array(bytes.prefix(count))
    }

    static func pair(_ profile: SRTPProfile) throws -> (SRTPKeys, SRTPKeys) {
        let length = profile.keyLength + profile.saltLength
        let (one, other) = ((0..<length).map { UInt8($0) }, (0..<length).map { UInt8(200 - $0) })
        return (SRTPKeys(profile: profile, local: one, remote: other), SRTPKeys(profile: profile, local: other, remote: one))
    }

    @Test func `libsrtp2 takes OpenSSL's ciphers`() { #expect(SRTPEngine.status.isReplaced) }

    @Test func `the packet of libsrtp's and RFC 3711's keys is sealed to the published bytes`() throws {
        // Master key and salt of RFC 3711 appendix B.3, the packet and its sealed form from libsrtp's validation.
        let key: [UInt8] = [
            0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41, 0x39,
            0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6,
        ]
        let expected: [UInt8] = [
            0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe, 0x4e, 0x55, 0xdc, 0x4c, 0xe7, 0x99, 0x78, 0xd8,
            0x8c, 0xa4, 0xd2, 0x15, 0x94, 0x9d, 0x24, 0x02, 0xb7, 0x8d, 0x6a, 0xcc, 0x99, 0xea, 0x17, 0x9b, 0x8d, 0xbb,
        ]
        var session = try SRTPSession(keys: SRTPKeys(profile: .aes128CMSHA1_80, local: key, remote: key))
        var plain = Self.packet(sequence: 0x1234)
        plain[1] = 0x0f
        #expect(try Self.sealed(&session, plain) == expected)
        var other = try SRTPSession(keys: SRTPKeys(profile: .aes128CMSHA1_80, local: key, remote: key))
        #expect(try Self.opened(&other, expected) == plain)
    }

    @Test func `the packet of libsrtp's GCM validation is sealed to the published bytes`() throws {
        let key: [UInt8] = (0..<16).map { UInt8($0) } + (0xa0...0xab).map { UInt8($0) }
        let expected: [UInt8] = [
            0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe, 0xc5, 0x00, 0x2e, 0xde, 0x04, 0xcf, 0xdd, 0x2e, 0xb9,
            0x11,
            0x59, 0xe0, 0x88, 0x0a, 0xa0, 0x6e, 0xd2, 0x97, 0x68, 0x26, 0xf7, 0x96, 0xb2, 0x01, 0xdf, 0x31, 0x31, 0xa1, 0x27, 0xe8, 0xa3,
            0x92,
        ]
        var session = try SRTPSession(keys: SRTPKeys(profile: .aeadAES128GCM, local: key, remote: key))
        var plain = Self.packet(sequence: 0x1234)
        plain[1] = 0x0f
        #expect(try Self.sealed(&session, plain) == expected)
    }

    @Test(arguments: SRTPProfile.allCases, [0, 65_530] as [UInt16])
    func `what is sealed is opened once, in any order, across the wrap`(profile: SRTPProfile, first: UInt16) throws {
        let (ours, theirs) = try Self.pair(profile)
        var sender = try SRTPSession(keys: ours)
        var receiver = try SRTPSession(keys: theirs)
        let plain = (0..<20).map { Self.packet(sequence: first &+ UInt16($0), payload: [UInt8($0)]) }
        let sealed = try plain.map { try Self.sealed(&sender, $0) }
        for index in [0, 2, 1] + Array(3..<20) { #expect(try Self.opened(&receiver, sealed[index]) == plain[index]) }
        #expect(throws: SRTPError.replayed) { try Self.opened(&receiver, sealed[7]) }
    }

    @Test(arguments: SRTPProfile.allCases)
    func `a bit turned anywhere is a forgery, and the true packet still opens`(profile: SRTPProfile) throws {
        let (ours, theirs) = try Self.pair(profile)
        var sender = try SRTPSession(keys: ours)
        var receiver = try SRTPSession(keys: theirs)
        let sealed = try Self.sealed(&sender, Self.packet(sequence: 9))
        for index in [1, 5, 9, 14, sealed.count - 1] {
            var forged = sealed
            forged[index] ^= 0x10
            #expect(throws: SRTPError.forged) { try Self.opened(&receiver, forged) }
        }
        #expect(try Self.opened(&receiver, sealed).count == 28)
    }

    @Test(arguments: SRTPProfile.allCases)
    func `the replay window holds 1024 packets`(profile: SRTPProfile) throws {
        let (ours, theirs) = try Self.pair(profile)
        var sender = try SRTPSession(keys: ours)
        var receiver = try SRTPSession(keys: theirs)
        let sealed = try (0..<1_100).map { try Self.sealed(&sender, Self.packet(sequence: UInt16($0))) }
        #expect(try Self.opened(&receiver, sealed[1_099]).count == 28)
        #expect(try Self.opened(&receiver, sealed[1_099 - 1_000]).count == 28)
        #expect(throws: SRTPError.replayed) { try Self.opened(&receiver, sealed[10]) }
    }

    @Test(arguments: SRTPProfile.allCases)
    func `RTCP is sealed, opened once and too short packets are refused`(profile: SRTPProfile) throws {
        let (ours, theirs) = try Self.pair(profile)
        var sender = try SRTPSession(keys: ours)
        var receiver = try SRTPSession(keys: theirs)
        let plain: [UInt8] = [0x80, 201, 0, 1, 1, 2, 3, 4]
        var bytes = plain + [UInt8](repeating: 0, count: SRTPSession.overhead)
        var span = bytes.mutableSpan
        let count = try sender.protectRTCP(&span, length: plain.count)
        var copy = Array(bytes.prefix(count))
        var again = copy
        var copySpan = copy.mutableSpan
        #expect(try receiver.unprotectRTCP(&copySpan) == plain.count)
        #expect(Array(copy.prefix(plain.count)) == plain)
        var againSpan = again.mutableSpan
        #expect(throws: SRTPError.replayed) { try receiver.unprotectRTCP(&againSpan) }
        var short: [UInt8] = [0x80, 201, 0, 1, 1, 2, 3, 4]
        var shortSpan = short.mutableSpan
        #expect(throws: SRTPError.malformed) { try receiver.unprotectRTCP(&shortSpan) }
    }
}
