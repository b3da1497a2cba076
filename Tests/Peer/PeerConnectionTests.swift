import Base
import ICE
import RTP
import Testing

@testable import Peer
@testable import SDP

struct PeerConnectionTests {
    @Test(arguments: [SRTPProfile.aeadAES128GCM, .aes128CMSHA1_80])
    func `two peers find each other and agree on the best common profile`(profile: SRTPProfile) throws {
        var pair = try PeerPair(seed: 1, profiles: profile == .aeadAES128GCM ? [.aeadAES128GCM, .aes128CMSHA1_80] : [profile])
        pair.connect()
        #expect(pair.atServer.connections == 1 && pair.atEndpoint.connections == 1)
        #expect(pair.server.dtls.keys?.profile == profile && pair.endpoint.dtls.keys?.profile == profile)
        #expect(pair.server.drops.total == 0 && pair.endpoint.drops.total == 0)
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `up to three datagrams of ten may be lost, in any order`(seed: UInt64) throws {
        var pair = try PeerPair(seed: seed, loss: Int(seed % 7) * 5)
        pair.connect()
        #expect(pair.server.state == .connected && pair.endpoint.state == .connected)
    }

    /// Both handshakes: a check and its nomination, and DTLS with its cookie and flights of several datagrams.
    @Test func `where three datagrams of ten are lost each way everybody is connected before time is up`() throws {
        for seed in 0..<60 as Range<UInt64> {
            var pair = try PeerPair(seed: seed, loss: 30)
            pair.connect()
            #expect(pair.server.state == .connected && pair.endpoint.state == .connected, "\(seed)")
        }
    }

    @Test func `a peer that vanishes is gone thirty seconds after its last proof`() throws {
        var pair = try PeerPair(seed: 4)
        pair.connect()
        pair.run(.seconds(60))
        #expect(pair.server.state == .connected && pair.endpoint.state == .connected)
        pair.isCut = true
        let cut = pair.now
        pair.run(.seconds(60)) { $0.server.state != .connected }
        #expect(pair.server.state == .closed(.consentLost) && pair.atServer.ends == [.consentLost])
        // What was under way at the cut still arrives.
        let flight = pair.pipe.delay + pair.pipe.jitter
        #expect(pair.now - cut <= .seconds(30) + flight && pair.now - cut >= .seconds(20))
        #expect(pair.server.deadline == nil && pair.server.srtp == nil)
    }

    /// A packet of the endpoint's each `interval` and nothing else, for a minute and a half.
    private func onlySealed(
        each interval: Duration, from source: TransportAddress = PeerPair.endpointAddress,
        _ make: (inout SRTPSession, UInt16) throws -> [UInt8]
    ) throws -> PeerPair {
        var pair = try PeerPair(seed: 4)
        pair.connect()
        pair.isCut = true
        var session = try SRTPSession(keys: try #require(pair.endpoint.dtls.keys))
        let end = pair.now + .seconds(90)
        var number: UInt16 = 0
        while pair.now < end, pair.server.state == .connected {
            pair.deliver(try make(&session, number), toServer: true, from: source)
            number += 1
            pair.run(interval) { $0.server.state != .connected }
        }
        return pair
    }

    @Test func `a peer that checks no consent lives as long as its sealed sound comes`() throws {
        let pair = try onlySealed(each: .milliseconds(500)) { session, number in
            var packet = SRTPSessionTests.packet(sequence: number, ssrc: 2_000)
            packet[1] = 111
            return try SRTPSessionTests.sealed(&session, packet)
        }
        #expect(pair.server.state == .connected && pair.server.statistics.audioPacketsReceived >= 180)
    }

    @Test func `one that only receives lives by its sealed reports`() throws {
        let pair = try onlySealed(each: .seconds(5)) { session, _ in
            try PeerPair.sealed(rtcp: [0x80, 201, 0, 1, 0, 0, 7, 208], by: &session)
        }
        #expect(pair.server.state == .connected)
    }

    @Test func `what was heard before, is forged or comes from elsewhere keeps nobody`() throws {
        var first: [UInt8]?
        let replaying = try onlySealed(each: .milliseconds(500)) { session, _ in
            let packet = try first ?? SRTPSessionTests.sealed(&session, SRTPSessionTests.packet(sequence: 1, ssrc: 2_000))
            first = packet
            return packet
        }
        #expect(replaying.atServer.ends == [.consentLost])
        let forging = try onlySealed(each: .milliseconds(500)) { session, number in
            var packet = try SRTPSessionTests.sealed(&session, SRTPSessionTests.packet(sequence: number, ssrc: 2_000))
            packet[packet.count - 1] ^= 1
            return packet
        }
        #expect(forging.atServer.ends == [.consentLost])
        let elsewhere = try onlySealed(each: .milliseconds(500), from: PeerPair.stranger) { session, number in
            try SRTPSessionTests.sealed(&session, SRTPSessionTests.packet(sequence: number, ssrc: 2_000))
        }
        #expect(elsewhere.atServer.ends == [.consentLost])
        // Indications prove nothing: anybody can send them.
        let indication: [UInt8] = [
            0, 0x11, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x80, 0x28, 0, 4, 0x48, 0x4d, 0xcd, 0xf6,
        ]
        let indicating = try onlySealed(each: .seconds(5)) { _, _ in indication }
        #expect(indicating.atServer.ends == [.consentLost])
    }

    @Test func `a peer that never comes is given up after thirty seconds`() throws {
        var pair = try PeerPair(seed: 4)
        let start = pair.now
        pair.isCut = true
        pair.run(.seconds(60)) { !$0.atServer.ends.isEmpty }
        #expect(pair.atServer.ends == [.neverConnected] && pair.now - start == .seconds(30))
    }

    @Test func `close is heard by the other side and said once`() throws {
        var pair = try PeerPair(seed: 5)
        pair.connect()
        pair.endpoint.close(now: pair.now, sink: &pair.atEndpoint)
        pair.endpoint.close(now: pair.now, sink: &pair.atEndpoint)
        pair.run(.seconds(1))
        #expect(pair.atEndpoint.ends == [.closedHere] && pair.atServer.ends == [.closedByPeer])
    }

    @Test func `another certificate than the promised one ends the session`() throws {
        let wrong = try #require(Fingerprint(bytes: [UInt8](repeating: 1, count: 32)))
        var pair = try PeerPair(seed: 6) { session, isServer in if isServer { session.remoteFingerprints = [wrong] } }
        pair.endpoint.start(now: pair.now, sink: &pair.atEndpoint)
        pair.run(.seconds(5))
        #expect(pair.atServer.ends == [.handshakeFailed] && pair.atServer.connections == 0)
    }

    @Test func `an ICE restart keeps the keys`() throws {
        var pair = try PeerPair(seed: 7)
        pair.connect()
        let keys = pair.server.dtls.keys
        let (mine, yours) = (ICECredentials.random(), ICECredentials.random())
        var forServer = pair.server.configuration.negotiated
        var forEndpoint = pair.endpoint.configuration.negotiated
        (forServer.remoteCredentials, forServer.isICERestart) = (yours, true)
        (forEndpoint.remoteCredentials, forEndpoint.isICERestart) = (mine, true)
        pair.server.apply(forServer, localCredentials: mine, now: pair.now, sink: &pair.atServer)
        pair.endpoint.apply(forEndpoint, localCredentials: yours, now: pair.now, sink: &pair.atEndpoint)
        pair.run(.seconds(90))
        #expect(pair.server.state == .connected && pair.endpoint.state == .connected && pair.server.dtls.keys == keys)
        #expect(pair.atServer.connections == 1)
    }
}

/// The rows of the fault table that a datagram can cause: dropped, counted, not answered.
struct PeerDropTests {
    /// What `bytes` from `source` does to a server: which counters moved, and how many answers it gave.
    static func effect(of bytes: [UInt8], from source: TransportAddress = PeerPair.endpointAddress, on pair: inout PeerPair) -> (
        DropCounters, Int
    ) {
        pair.flush()
        let before = pair.server.drops
        pair.deliver(bytes, toServer: true, from: source)
        var moved = DropCounters()
        for reason in DropCounters.Reason.allCases { for _ in 0..<(pair.server.drops[reason] - before[reason]) { moved.count(reason) } }
        return (moved, pair.atServer.sent.count)
    }

    static func expect(
        _ reason: DropCounters.Reason, _ bytes: [UInt8], from source: TransportAddress = PeerPair.endpointAddress, on pair: inout PeerPair
    ) {
        let (moved, answers) = effect(of: bytes, from: source, on: &pair)
        #expect(moved[reason] == 1 && moved.total == 1 && answers == 0, "\(reason)")
    }

    static let rtp = SRTPSessionTests.packet(sequence: 1, ssrc: 2_000)

    @Test func `STUN with a wrong integrity is dropped`() throws {
        var pair = try PeerPair(seed: 1)
        pair.endpoint.start(now: pair.now, sink: &pair.atEndpoint)
        var check = try #require(pair.atEndpoint.sent.first).bytes
        let last = check.count - 8 - 1  // the last byte of the integrity, before the fingerprint
        check[last] ^= 1
        // The fingerprint attribute is over the integrity: without it, the check is of integrity alone.
        check.removeLast(8)
        let length = check.count - 20
        (check[2], check[3]) = (UInt8(length >> 8), UInt8(length & 255))
        Self.expect(.stunIntegrity, check, on: &pair)
    }

    @Test func `DTLS from an address that proved nothing is dropped`() throws {
        var pair = try PeerPair(seed: 1)
        let hello: [UInt8] = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
        Self.expect(.dtlsUnknownAddress, hello, on: &pair)
        pair.connect()
        Self.expect(.dtlsUnknownAddress, hello, from: PeerPair.stranger, on: &pair)
    }

    @Test func `RTP and RTCP before DTLS is done are dropped`() throws {
        var pair = try PeerPair(seed: 1)
        Self.expect(.rtpUnknownAddress, Self.rtp, on: &pair)
        pair.endpoint.start(now: pair.now, sink: &pair.atEndpoint)
        pair.run(.seconds(1)) { $0.server.ice.address != nil }
        Self.expect(.rtpBeforeDTLS, Self.rtp, on: &pair)
        Self.expect(.rtpBeforeDTLS, [0x80, 201, 0, 1, 1, 2, 3, 4], on: &pair)
    }

    @Test(arguments: SRTPProfile.allCases)
    func `forged and replayed SRTP is dropped`(profile: SRTPProfile) throws {
        var pair = try PeerPair(seed: 2, profiles: [profile])
        pair.connect()
        var session = try SRTPSession(keys: try #require(pair.endpoint.dtls.keys))
        let sealed = try SRTPSessionTests.sealed(&session, Self.rtp)
        var forged = sealed
        forged[20] ^= 1
        Self.expect(.srtpForged, forged, on: &pair)
        pair.deliver(sealed, toServer: true)
        Self.expect(.srtpReplayed, sealed, on: &pair)
        Self.expect(.srtpMalformed, Array(sealed.prefix(20)), on: &pair)
        Self.expect(.rtpUnknownAddress, sealed, from: PeerPair.stranger, on: &pair)
    }

    @Test func `what is of no kind is dropped`() throws {
        var pair = try PeerPair(seed: 2)
        Self.expect(.unknownKind, [], on: &pair)
        Self.expect(.unknownKind, [255, 1, 2, 3], on: &pair)
        Self.expect(.stunMalformed, [0, 1] + [UInt8](repeating: 0, count: 30), on: &pair)
    }
}
