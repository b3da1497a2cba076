import Base
import Foundation
import RTP
import TestSupport
import Testing

@testable import ICE

/// A file of `vectors` beside this one.
func vector(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "vectors")
    return [UInt8](try Data(contentsOf: folder.appending(path: name)))
}

struct STUNTests {
    static let password = Array("VOkJxbRl1RmTxUk/WvJxBt".utf8)

    @Test func `the request of RFC 5769 is read and its integrity holds`() throws {
        let bytes = try vector("rfc5769-request.bin")
        let message = try STUNMessage(bytes)
        #expect(message.messageClass == .request && message.method == 1)
        #expect(message.priority == 0x6e00_01ff && message.controlled == 0x932f_f9b1_5126_3b36 && message.controlling == nil)
        #expect(bytes[try #require(message.username)].elementsEqual("evtj:h6vY".utf8))
        #expect(message.hasFingerprint && message.unknownRequired == nil)
        #expect(message.isIntact(bytes, key: Self.password))
        #expect(!message.isIntact(bytes, key: Array("VOkJxbRl1RmTxUk/WvJxBT".utf8)))
        #expect(STUNMessage.ufrag(bytes) == UsernameFragment("evtj"))
    }

    @Test(arguments: [
        ("rfc5769-response-ipv4.bin", "192.0.2.1:32853"),
        ("rfc5769-response-ipv6.bin", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
    ])
    func `the responses of RFC 5769 carry the mapped address`(file: String, address: String) throws {
        let bytes = try vector(file)
        let message = try STUNMessage(bytes)
        #expect(message.messageClass == .success)
        #expect(message.mappedAddress == TransportAddress(address))
        #expect(message.isIntact(bytes, key: Self.password))
    }

    @Test(arguments: ["rfc5769-request.bin", "rfc5769-response-ipv4.bin", "rfc5769-response-ipv6.bin"])
    func `a changed bit is noticed wherever it is`(file: String) throws {
        let original = try vector(file)
        for bit in 0..<(original.count * 8) {
            var bytes = original
            bytes[bit / 8] ^= 1 << (bit % 8)
            let message = try? STUNMessage(bytes)
            #expect(
                !(message.map { $0.hasFingerprint && $0.isIntact(bytes, key: Self.password) } ?? false), "bit \(bit)")
        }
    }

    @Test(arguments: ["192.0.2.1:32853", "[2001:db8::1]:5000"])
    func `what is written is read again`(text: String) throws {
        let address = try #require(TransportAddress(text))
        var bytes: [UInt8] = []
        let id = TransactionID(high: 0x0102_0304, low: 0x0506_0708_090a_0b0c)
        let writer = STUNWriter(.error, transaction: id, into: &bytes)
        writer.username(Array("abcde:fgh".utf8), into: &bytes)
        writer.xorMappedAddress(address, into: &bytes)
        writer.priority(77, into: &bytes)
        writer.useCandidate(into: &bytes)
        writer.role(isControlling: true, tieBreaker: 9, into: &bytes)
        writer.errorCode(487, into: &bytes)
        writer.finish(key: Self.password, into: &bytes)
        let message = try STUNMessage(bytes)
        #expect(message.messageClass == .error && message.transaction == id && message.mappedAddress == address)
        #expect(message.priority == 77 && message.useCandidate && message.controlling == 9 && message.errorCode == 487)
        #expect(message.hasFingerprint && message.isIntact(bytes, key: Self.password))
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `torn and altered messages throw or are read inside their bounds`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var bytes = try vector("rfc5769-request.bin")
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
        for _ in 0..<4 where !bytes.isEmpty {
            bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        if let message = try? STUNMessage(bytes) {
            #expect(message.username.map { $0.upperBound <= bytes.count } ?? true)
            #expect(!message.isIntact(bytes, key: Self.password))
        }
        _ = STUNMessage.localUfrag(of: bytes.span.bytes)
        _ = DatagramKind(bytes.span.bytes)
    }

    @Test(arguments: [
        ([0x00, 0x01], DatagramKind.stun), ([22, 254], .dtls), ([0x80, 111], .rtp), ([0x90, 0x80 | 96], .rtp),
        ([0x80, 200], .rtcp), ([0x81, 206], .rtcp), ([0x80, 191], .rtp), ([0x80, 224], .rtp), ([4, 0], .unknown), ([64, 0], .unknown),
    ])
    func `the first bytes tell the protocols apart`(head: [UInt8], kind: DatagramKind) {
        let bytes = head + [UInt8](repeating: 0, count: 20)
        #expect(DatagramKind(bytes) == kind)
        #expect(DatagramKind([]) == .unknown)
    }
}

struct TransportAddressTests {
    @Test(arguments: [
        ("192.0.2.1:80", "192.0.2.1:80"), ("[2001:DB8:0:0:0:0:0:1]:1", "[2001:db8::1]:1"), ("[::]:9", "[::]:9"), ("[::1]:9", "[::1]:9"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1:80"), ("[fe80::]:7", "[fe80::]:7"), ("[1:0:0:2:0:0:0:3]:7", "[1:0:0:2::3]:7"),
        ("[1:2:3:4:5:6:7:0]:7", "[1:2:3:4:5:6:7:0]:7"),
    ])
    func `addresses are printed in their canonical form`(text: String, printed: String) throws {
        #expect(try #require(TransportAddress(text)).description == printed)
        #expect(TransportAddress(printed) == TransportAddress(text))
    }

    @Test(arguments: [
        "", "192.0.2.1", "192.0.2.256:1", "1.2.3:4", "1.2.3.4:65536", "1.2.3.4:+5", "[::1]", "[1::2::3]:4", "[12345::]:1", "[:1]:1",
        "[1:]:1",
        "[1:2:3:4:5:6:7:8:9]:1", "[::1", "host.local:3", "[fe80::1%eth0]:1", "[192.0.2.1]:1",
    ])
    func `what is no address is none`(text: String) { #expect(TransportAddress(text) == nil) }
}

// `#expect` takes its arguments apart and cannot hold a span, so arrays go in here.
extension STUNMessage {
    init(_ bytes: [UInt8]) throws { self = try STUNMessage(parsing: bytes.span.bytes) }
    func isIntact(_ bytes: [UInt8], key: [UInt8]) -> Bool { hasIntegrity(key: key, in: bytes.span.bytes) }
    static func ufrag(_ bytes: [UInt8]) -> UsernameFragment? { localUfrag(of: bytes.span.bytes) }
}

extension DatagramKind {
    init(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }
}
