import Base
import RTP
import SDP
import TestSupport
import Testing

@testable import Peer

/// Two associations and the line between them.
struct DTLSPair {
    static let identities = try? (DTLSIdentity(), DTLSIdentity())
    let client: DTLSTransport
    let server: DTLSTransport
    var pipe: LossyPipe
    var now = Instant(sinceStart: .seconds(1))

    init(
        seed: UInt64, loss: Int, clientProfiles: [SRTPProfile] = [.aeadAES128GCM, .aes128CMSHA1_80], expected: [Fingerprint]? = nil
    ) throws {
        let (ours, theirs) = try #require(Self.identities)
        client = try DTLSTransport(
            role: .client, identity: ours, fingerprints: [theirs.fingerprint], profiles: clientProfiles)
        server = try DTLSTransport(
            role: .server, identity: theirs, fingerprints: expected ?? [ours.fingerprint])
        pipe = LossyPipe(seed: seed, loss: loss)
    }

    /// Runs until both are through, or nothing can happen any more, or `limit` has passed.
    mutating func run(limit: Duration = .seconds(30)) {
        let end = now + limit
        client.start(now: now)
        flush()
        while now < end, client.state == .handshaking || server.state == .handshaking || !pipe.waiting.isEmpty {
            guard let next = [pipe.nextArrival, client.deadline, server.deadline].compactMap({ $0 }).min() else { return }
            now = max(now, next)
            for datagram in pipe.arrivals(now: now) { (datagram.toServer ? server : client).handle(datagram.bytes.span, now: now) }
            client.handleTimer(now: now)
            server.handleTimer(now: now)
            flush()
        }
    }

    mutating func flush() {
        for bytes in client.takeDatagrams() { pipe.send(bytes, toServer: true, now: now) }
        for bytes in server.takeDatagrams() { pipe.send(bytes, toServer: false, now: now) }
    }
}

struct DTLSTransportTests {
    @Test func `two ends agree on keys, GCM first, in datagrams that fit`() throws {
        var pair = try DTLSPair(seed: 1, loss: 0)
        pair.run()
        #expect(pair.client.state == .connected && pair.server.state == .connected)
        let (ours, theirs) = (try #require(pair.client.keys), try #require(pair.server.keys))
        #expect(ours.profile == .aeadAES128GCM && ours.local == theirs.remote && ours.remote == theirs.local && ours.local != ours.remote)
        #expect(pair.pipe.largest <= DTLSTransport.mtu)
        #expect(pair.now < Instant(sinceStart: .seconds(1) + DTLSTransport.firstTimeout))  // nothing waited for a timer
    }

    @Test func `a client without GCM gets AES-CM`() throws {
        var pair = try DTLSPair(seed: 1, loss: 0, clientProfiles: [.aes128CMSHA1_80])
        pair.run()
        #expect(pair.server.state == .connected && pair.server.keys?.profile == .aes128CMSHA1_80)
        #expect(pair.client.keys?.local == pair.server.keys?.remote)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `whatever the line loses and reorders, both ends come through in virtual time`(seed: UInt64) throws {
        var pair = try DTLSPair(seed: seed, loss: Int(seed % 4) * 10)
        pair.run()
        #expect(pair.client.state == .connected && pair.server.state == .connected)
        #expect(pair.client.keys?.local == pair.server.keys?.remote)
    }

    @Test func `a certificate with another fingerprint is refused by both`() throws {
        let wrong = try #require(Fingerprint(bytes: [UInt8](repeating: 7, count: 32)))
        var pair = try DTLSPair(seed: 1, loss: 0, expected: [wrong])
        pair.run()
        #expect(pair.server.state == .failed(.fingerprintMismatch) && pair.server.keys == nil)
        #expect(pair.client.state != .connected)
    }

    @Test func `an unanswered flight is sent again with doubled patience, and given up`() throws {
        var pair = try DTLSPair(seed: 1, loss: 100)
        pair.run(limit: .seconds(5))
        #expect(pair.client.state == .handshaking)
        pair.run(limit: .seconds(60))
        #expect(pair.client.state == .failed(.tooManyRetransmissions))
    }

    @Test func `garbage is refused and does no harm`() throws {
        var pair = try DTLSPair(seed: 3, loss: 0)
        let garbage = [UInt8](repeating: 22, count: 40)
        let isTaken = pair.server.handle(garbage.span, now: pair.now)
        #expect(isTaken == .malformed)
        let lying: [UInt8] = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 1, 20] + [UInt8](repeating: 99, count: 20)
        let isLieTaken = pair.server.handle(lying.span, now: pair.now)
        #expect(isLieTaken == .malformed)
        let early: [UInt8] = [23, 254, 253, 0, 3, 0, 0, 0, 0, 0, 0, 0, 20] + [UInt8](repeating: 99, count: 20)
        pair.server.handle(early.span, now: pair.now)
        pair.run()
        #expect(pair.client.state == .connected && pair.server.state == .connected)
    }

    /// A handshake record in the clear: type and body of one message that is not cut.
    private func record(_ type: UInt8, _ body: [UInt8], content: UInt8 = 22) -> [UInt8] {
        let length = UInt8(body.count)
        let message = content == 22 ? [type, 0, 0, length, 0, 0, 0, 0, 0, 0, 0, length] + body : [type] + body
        return [content, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(message.count)] + message
    }

    /// What anybody can send under the client's address: alerts, hellos that lead nowhere, the middle of a handshake.
    private func forgery(_ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        let noise = (0..<40).map { _ in UInt8.random(in: 0...255, using: &generator) }
        switch seed % 6 {
        case 0: return record(2, [40], content: 21)  // fatal, handshake_failure
        case 1: return record(1, [0], content: 21)  // close_notify
        case 2: return record(1, [254, 253] + noise)  // a hello that ends too early
        case 3: return record(1, [254, 253] + noise.prefix(32) + [0, 0, 0, 2, 0xc0, 0x2b, 1, 0])  // one without SRTP and curves
        case 4: return record(16, noise)  // ClientKeyExchange
        default: return record(20, Array(noise.prefix(12)))  // Finished
        }
    }

    @Test(arguments: 0..<48 as Range<UInt64>)
    func `what is forged before the client's first word, or after it, does not end the handshake`(seed: UInt64) throws {
        var pair = try DTLSPair(seed: seed, loss: Int(seed % 3) * 10)
        if seed % 2 == 0 { pair.server.handle(forgery(seed / 2).span, now: pair.now) }
        if seed % 4 == 0 { pair.server.handle(forgery(seed).span, now: pair.now) }
        pair.client.start(now: pair.now)
        pair.flush()
        pair.run(limit: .milliseconds(10))
        // In the middle of it only what begins no message of the handshake itself: OpenSSL takes that for the client's.
        if seed % 2 == 1 { pair.server.handle(forgery(seed / 2 * 6 + seed % 4 / 2).span, now: pair.now) }
        pair.run()
        #expect(pair.client.state == .connected && pair.server.state == .connected)
        #expect(pair.client.keys?.local == pair.server.keys?.remote)
    }

    @Test func `a handshake begins anew ten times at the most`() throws {
        let pair = try DTLSPair(seed: 1, loss: 0)
        for number in 0..<UInt64(40) { pair.server.handle(forgery(number * 6 + 2).span, now: pair.now) }
        #expect(pair.server.state == .failed(.handshake))
        let fate = pair.server.handle(forgery(0).span, now: pair.now)
        #expect(fate == .malformed)
    }

    @Test func `close_notify is heard`() throws {
        var pair = try DTLSPair(seed: 1, loss: 0)
        pair.run()
        pair.client.close()
        pair.flush()
        pair.run()
        #expect(pair.server.state == .closed)
    }
}
