import Base
import ICE
import RTP
import TestSupport
import Testing

@testable import Peer
@testable import SDP

/// Writes down what a peer tells.
struct RecordingSink: PeerSink {
    struct Sent: Equatable {
        var bytes: [UInt8]
        var address: TransportAddress
    }
    var sent: [Sent] = []
    var connections = 0
    var audio: [(packet: ReceivedAudio, payload: [UInt8])] = []
    var video: [(frame: ReceivedVideo, bytes: [UInt8])] = []
    var keyFramesWanted = 0
    var endedVideos: [Int] = []
    var ends: [PeerCloseReason] = []

    mutating func send(_ datagram: Span<UInt8>, to address: TransportAddress) { sent.append(Sent(bytes: copy(datagram), address: address)) }
    mutating func connected() { connections += 1 }
    mutating func received(_ packet: ReceivedAudio, payload: Span<UInt8>) { audio.append((packet, copy(payload))) }
    mutating func received(_ frame: ReceivedVideo, bytes: Span<UInt8>) { video.append((frame, copy(bytes))) }
    mutating func ended(source: Int) { endedVideos.append(source) }
    mutating func wantsKeyFrame() { keyFramesWanted += 1 }
    mutating func closed(_ reason: PeerCloseReason) { ends.append(reason) }

    private func copy(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }
}

/// A server's and an endpoint's peer and the line between them, in virtual time.
struct PeerPair {
    static let identities = try? (DTLSIdentity(), DTLSIdentity())
    static let serverAddress = TransportAddress(ipv4: 0xc000_0201, port: 5_000)
    static let endpointAddress = TransportAddress(ipv4: 0xc633_6402, port: 40_000)
    static let stranger = TransportAddress(ipv4: 0xcb00_7103, port: 1_234)

    let server: Peer
    let endpoint: Peer
    var atServer = RecordingSink()
    var atEndpoint = RecordingSink()
    var pipe: LossyPipe
    var now = Instant(sinceStart: .seconds(1))
    /// Where the endpoint's datagrams seem to come from, and the only place where it is reached.
    var mapping = Self.endpointAddress
    /// Whether the endpoint's datagrams get anywhere.
    var isCut = false

    init(
        seed: UInt64, loss: Int = 0, profiles: [SRTPProfile] = [.aeadAES128GCM, .aes128CMSHA1_80], sending: TierTable? = nil,
        changing change: (inout NegotiatedSession, _ isServer: Bool) -> Void = { _, _ in }
    ) throws {
        let (ours, theirs) = try #require(Self.identities)
        var generator = SeededGenerator(seed: seed)
        let (mine, yours) = (ICECredentials.random(using: &generator), ICECredentials.random(using: &generator))
        var forServer = Self.session(remote: yours, theirs.fingerprint, isServer: true)
        var forEndpoint = Self.session(remote: mine, ours.fingerprint, isServer: false)
        change(&forServer, true)
        change(&forEndpoint, false)
        let serverConfiguration = PeerConfiguration(
            role: .server, identity: ours, localCredentials: mine, negotiated: forServer, cname: "server", seed: seed,
            ntpAtStart: 0xe000_0000 << 32)
        var endpointConfiguration = PeerConfiguration(
            role: .endpoint(seed: seed), identity: theirs, localCredentials: yours, negotiated: forEndpoint, cname: "endpoint",
            seed: seed &+ 1,
            ntpAtStart: 0xe000_1000 << 32)
        endpointConfiguration.profiles = profiles
        endpointConfiguration.sendingTable = sending
        server = try Peer(configuration: serverConfiguration, now: now)
        endpoint = try Peer(configuration: endpointConfiguration, now: now)
        pipe = LossyPipe(seed: seed, loss: loss)
    }

    /// A server that sends whatever the line does: no feedback was promised.
    static func unheeding(_ session: inout NegotiatedSession, isServer: Bool) {
        guard isServer else { return }
        session.video?.stream.feedback.remove(.transportWide)
    }

    static func stream(_ line: Int, _ type: UInt8, rtx: UInt8?, local: UInt32, remote: UInt32) -> NegotiatedStream {
        var extensions = ExtensionIDs()
        (extensions.mid, extensions.absoluteSendTime, extensions.transportSequence) = (1, 2, 3)
        if line == 0 { extensions.audioLevel = 4 }
        return NegotiatedStream(
            mediaLine: line, mid: String(line), payloadType: type, rtxPayloadType: rtx,
            feedback: rtx == nil ? [.transportWide] : [.nack, .pictureLoss, .fullIntraRequest, .transportWide, .remb],
            sendExtensions: extensions, receiveExtensions: extensions, receives: true, sends: true,
            remoteSources: [RemoteSource(ssrc: remote, rtxSSRC: rtx == nil ? nil : remote + 1)], localSSRC: local,
            localRTXSSRC: rtx == nil ? nil : local + 1, maxBitsPerSecond: nil, reducedSizeRTCP: true)
    }

    static func session(remote: ICECredentials, _ fingerprint: Fingerprint, isServer: Bool) -> NegotiatedSession {
        let (us, them): (UInt32, UInt32) = isServer ? (1_000, 2_000) : (2_000, 1_000)
        return NegotiatedSession(
            kind: .participant, remoteCredentials: remote, remoteCandidates: isServer ? [] : [serverAddress], remoteIsLite: !isServer,
            remoteFingerprints: [fingerprint], remoteSetup: isServer ? .active : .passive, isDTLSClient: !isServer,
            audio: NegotiatedAudio(
                stream: stream(0, 111, rtx: nil, local: us, remote: them), useInbandFEC: true, useDTX: true, isStereo: false,
                maxAverageBitsPerSecond: nil),
            video: NegotiatedVideo(stream: stream(1, 96, rtx: 97, local: us + 10, remote: them + 10), layers: []),
            mediaLines: [], localVersion: 1)
    }

    /// Puts on the line what the peers have said.
    mutating func flush() {
        for sent in atServer.sent where sent.address == mapping { pipe.send(sent.bytes, toServer: false, now: now) }
        for sent in atEndpoint.sent where !isCut { pipe.send(sent.bytes, toServer: true, now: now) }
        atServer.sent.removeAll()
        atEndpoint.sent.removeAll()
    }

    /// Runs for `duration`, or until `isDone`.
    mutating func run(_ duration: Duration, until isDone: (borrowing PeerPair) -> Bool = { _ in false }) {
        let end = now + duration
        var steps = 0  // a deadline that stays in the past must fail a test, not hang it
        flush()
        while !isDone(self) {
            guard steps < 200_000, let next = [pipe.nextArrival, server.deadline, endpoint.deadline].compactMap({ $0 }).min(), next <= end
            else {
                break
            }
            steps += 1
            now = max(now, next)
            for datagram in pipe.arrivals(now: now) { deliver(datagram.bytes, toServer: datagram.toServer) }
            if let due = server.deadline, due <= now { server.handleTimer(now: now, sink: &atServer) }
            if let due = endpoint.deadline, due <= now { endpoint.handleTimer(now: now, sink: &atEndpoint) }
            flush()
        }
        if !isDone(self) { now = end }
    }

    mutating func deliver(_ bytes: [UInt8], toServer: Bool, from source: TransportAddress? = nil) {
        var bytes = bytes
        var span = bytes.mutableSpan
        if toServer {
            server.handle(&span, from: source ?? mapping, now: now, sink: &atServer)
        } else {
            endpoint.handle(&span, from: source ?? Self.serverAddress, now: now, sink: &atEndpoint)
        }
    }

    mutating func connect() {
        endpoint.start(now: now, sink: &atEndpoint)
        run(.seconds(30)) { $0.server.state == .connected && $0.endpoint.state == .connected }
    }
}
