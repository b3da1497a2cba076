import RTP
import SDP
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
        #expect(!isTaken)
        let lying: [UInt8] = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 1, 20] + [UInt8](repeating: 99, count: 20)
        let isLieTaken = pair.server.handle(lying.span, now: pair.now)
        #expect(!isLieTaken)
        let early: [UInt8] = [23, 254, 253, 0, 3, 0, 0, 0, 0, 0, 0, 0, 20] + [UInt8](repeating: 99, count: 20)
        pair.server.handle(early.span, now: pair.now)
        pair.run()
        #expect(pair.client.state == .connected && pair.server.state == .connected)
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
