import TestSupport
import Testing

@testable import Peer

struct GCMSealerTests {
    static let key: [UInt8] = (0..<28).map { UInt8($0 * 7) }

    static func sealed(_ sealer: inout GCMSealer, _ packet: [UInt8]) throws -> [UInt8] {
        var bytes = packet + [UInt8](repeating: 0, count: GCMSealer.tagLength)
        var span = bytes.mutableSpan
        let count = try sealer.seal(&span, length: packet.count)
        return Array(bytes.prefix(count))
    }

    @Test func `RFC 7714's packet is sealed to the published bytes`() throws {
        // §16.1.1. The key and the salt there are the session's.
        let plain: [UInt8] =
            [0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2] + Array("Gallia est omnis divisa in partes tres".utf8)
        let expected: [UInt8] = [
            0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2, 0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c,
            0xac, 0xba, 0x86, 0x1c, 0x9d, 0x7e, 0x4b, 0xca, 0xbe, 0x63, 0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a,
            0x51, 0xc7, 0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf, 0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27, 0xbe, 0xb1, 0x6a, 0x91, 0x52, 0xcf,
            0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce,
        ]
        var sealer = try GCMSealer(
            sessionKey: Array(0..<16), sessionSalt: [0x51, 0x75, 0x69, 0x64, 0x20, 0x70, 0x72, 0x6f, 0x20, 0x71, 0x75, 0x6f])
        #expect(try Self.sealed(&sealer, plain) == expected)
    }

    /// libsrtp2, an implementation of its own, opens what was sealed: several sources, header extensions and sources of contribution, numbers that jump
    /// and go round.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `libsrtp2 opens whatever was sealed`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var sealer = try GCMSealer(key: Self.key)
        var other = try SRTPSession(keys: SRTPKeys(profile: .aeadAES128GCM, local: Self.key, remote: Self.key))
        var sequences: [UInt32: UInt16] = [1: 65_000, 0xdead_beef: 0, 0xffff_ffff: 32_767]
        for _ in 0..<2_000 {
            let ssrc: UInt32 = [1, 0xdead_beef, 0xffff_ffff].randomElement(using: &generator) ?? 1
            sequences[ssrc, default: 0] &+= UInt16.random(in: 1...300, using: &generator)
            let payload = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var packet = SRTPSessionTests.packet(sequence: sequences[ssrc, default: 0], ssrc: ssrc, payload: [])
            let sources = Int.random(in: 0...3, using: &generator)
            packet[0] |= UInt8(sources)
            packet += [UInt8](repeating: 9, count: 4 * sources)
            if Bool.random(using: &generator) {
                packet[0] |= 0x10
                let words = UInt8.random(in: 0...4, using: &generator)
                packet += [0xbe, 0xde, 0, words] + [UInt8](repeating: 0x10, count: 4 * Int(words))
            }
            packet += payload
            #expect(try SRTPSessionTests.opened(&other, try Self.sealed(&sealer, packet)) == packet)
        }
    }

    @Test func `no number is sealed twice, and what was refused takes none`() throws {
        var sealer = try GCMSealer(key: Self.key)
        let first = try Self.sealed(&sealer, SRTPSessionTests.packet(sequence: 500))
        #expect(throws: SRTPError.replayed) { try Self.sealed(&sealer, SRTPSessionTests.packet(sequence: 500)) }
        #expect(throws: SRTPError.replayed) { try Self.sealed(&sealer, SRTPSessionTests.packet(sequence: 499)) }
        let (again, next) = (try Self.sealed(&sealer, SRTPSessionTests.packet(sequence: 501)), SRTPSessionTests.packet(sequence: 501))
        #expect(again != first && again.count == next.count + 16)
        #expect(throws: SRTPError.noRoom) {
            var bytes = SRTPSessionTests.packet(sequence: 502)
            var span = bytes.mutableSpan
            _ = try sealer.seal(&span, length: span.count)
        }
        // An extension that says to be longer than the packet.
        var broken = SRTPSessionTests.packet(sequence: 502)
        (broken[0], broken[14], broken[15]) = (0x90, 0xff, 0xff)
        #expect(throws: SRTPError.malformed) { try Self.sealed(&sealer, broken) }
        #expect(try Self.sealed(&sealer, SRTPSessionTests.packet(sequence: 502)).count == 28 + 16)
    }

    @Test func `the number of sources is bounded`() throws {
        var sealer = try GCMSealer(key: Self.key)
        for ssrc in 0..<GCMSealer.mostStreams { _ = try Self.sealed(&sealer, SRTPSessionTests.packet(sequence: 1, ssrc: UInt32(ssrc))) }
        #expect(throws: SRTPError.exhausted) { try Self.sealed(&sealer, SRTPSessionTests.packet(sequence: 1, ssrc: 999)) }
        #expect(throws: SRTPError.malformed) { _ = try GCMSealer(key: [1, 2, 3]) }
    }
}
