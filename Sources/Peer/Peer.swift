import Base
import ICE
import RTP
import SDP

/// One media session: ICE, DTLS, SRTP and RTP. Sans-IO: datagrams, media and time in; everything that follows goes to the sink before the call returns.
///
/// Touched by one thread only, the worker that owns it.
package final class Peer {
    package enum State: Equatable, Sendable { case connecting, connected, closed(PeerCloseReason) }

    /// ICE and DTLS together.
    static let connectTimeout = Duration.seconds(30)

    // First, and so side by side in memory, what each packet that leaves needs: see `prefetch`.
    package internal(set) var state = State.connecting
    let ice: ICEAgent
    /// nil before DTLS is through and after the end.
    var srtp: SRTPSession?
    var audioOut: OutgoingStream?
    var videoOut: OutgoingStream?
    var rtxOut: OutgoingStream?
    var sentPackets = SentPackets()
    /// As `control` says: pictures wait for room, or do not leave at all.
    var paces = false
    package internal(set) var holdsPictures = false
    /// Payload types of sound with redundancy, and of the sound in it; nil where that was not negotiated.
    var redundancy: (type: UInt8, inner: UInt8)?
    /// Which tier the line to the peer can carry; nil for sound alone.
    package internal(set) var recommendedTier: TierID? = TierTable.usual.best
    package internal(set) var statistics = PeerStatistics()

    package internal(set) var drops = DropCounters()
    var configuration: PeerConfiguration
    let dtls: DTLSTransport
    /// By source: the camera, then further videos; nil where the m-line is not received.
    var videos: [VideoInput?] = []
    var arrivals = TransportFeedbackWriter()
    /// How much is sent to a peer that gives feedback; nil for one that gives none, whose picture goes by `tiers`.
    var control: SendControl?
    var pacing = PacedPictures()
    /// When `control` is asked what to send besides.
    var nextLook = Instant.distantFuture
    /// What was sent of a picture last.
    var lastPicture: (timestamp: UInt32, captured: Instant) = (0, .start)
    var lastKeyFrame = Instant.start
    /// Pictures up to this one are mended by a key frame that was asked for.
    var lastReplaced = Instant.start
    /// What reports say of sound and picture.
    var reportedLoss = LossWindow()
    var incomingLoss = LossWindow()
    var reported = (sound: ReportedLoss(), picture: ReportedLoss())
    var tiers = TierSelector()
    /// When the line was last looked at, and what had been sent by then.
    var lastEvaluation: (time: Instant, bytesSent: UInt64)
    var history: PacketHistory?
    /// What may be sent again.
    var repairs: RepairBudget
    var frameBytes: [UInt8] = []
    var rtxPayload: [UInt8] = []
    /// Numbers to ask for, or asked for.
    var lost: [UInt16] = []
    /// Blocks of the report in the making.
    var reports: [ReportBlock] = []
    /// What the sender may send at most, and what came since it was last told.
    var limits: ReceiveSideEstimate
    var receivedBytes = 0
    /// What comes is more than the line to here carries, for a second at least.
    var drowns = false
    /// Ids of all m-lines: in a bundle one id means one thing (RFC 8843 §10).
    var extensionMap = HeaderExtensionMap()
    let cname: [UInt8]
    /// Every SSRC heard, at most `mostSources`.
    var incoming: [IncomingStream] = []
    /// SSRCs whose places were given to others.
    var retired: [UInt32] = []
    var nextReport = Instant.distantFuture
    /// Whether the line lives.
    var signs: LineSigns
    /// What the sender of the camera's picture is told: see `setVideoWanted`.
    var wish = VideoWish()
    /// Streams that a renegotiation ended, by SSRC.
    private var letGo: [UInt32: OutgoingStream] = [:]
    /// SSRCs of what we send, repairs excepted.
    var ownSources: [UInt32] = []
    private let connectBy: Instant
    /// For STUN, kept for its capacity.
    private var scratch: [UInt8] = []

    /// - Throws: `DTLSError` where OpenSSL refuses to make an association.
    package init(configuration: PeerConfiguration, now: Instant) throws(DTLSError) {
        self.configuration = configuration
        ice = ICEAgent(configuration, now: now)
        dtls = try DTLSTransport(
            role: configuration.negotiated.isDTLSClient ? .client : .server, identity: configuration.identity,
            fingerprints: configuration.negotiated.remoteFingerprints, profiles: configuration.profiles)
        connectBy = now + Self.connectTimeout
        signs = LineSigns(now: now)
        lastEvaluation = (now, 0)
        repairs = RepairBudget(now: now)
        limits = ReceiveSideEstimate(mostBitsPerSecond: configuration.receiveCap)
        cname = Array(configuration.cname.utf8.prefix(64))
        incoming.reserveCapacity(Self.mostSources)
        reports.reserveCapacity(Self.mostSources)
        lost.reserveCapacity(NackGenerator.mostMissing)
        makeStreams()
        makeControl(now: now)
    }

    /// Streams as negotiated, where they are not there yet: one that exists keeps its numbers, and one that was let go takes them up again.
    private func makeStreams() {
        // The first number stays in the lower half: libsrtp's roll-over estimate (RFC 3711 §3.3.1) wants no wrap among the first packets.
        func number(_ shift: UInt64) -> UInt16 { UInt16(truncatingIfNeeded: seed >> shift) & 0x7fff }
        let seed = configuration.seed &* 0x9e37_79b9_7f4a_7c15
        let (audio, video) = (configuration.negotiated.audio?.stream, configuration.negotiated.video?.stream)
        if let audio, audio.sends {
            if audioOut?.ssrc != audio.localSSRC {
                replace(&audioOut) {
                    OutgoingStream(
                        audio, clockRate: 48_000, firstSequence: number(8), timestampOffset: UInt32(truncatingIfNeeded: seed >> 32),
                        continuing: $0[audio.localSSRC], saysLevel: isEndpoint)
                }
            }
        } else {
            replace(&audioOut) { _ in nil }
        }
        if let video, video.sends {
            if videoOut?.ssrc != video.localSSRC {
                let offset = UInt32(truncatingIfNeeded: seed >> 16)
                replace(&videoOut) {
                    OutgoingStream(
                        video, clockRate: 90_000, firstSequence: number(24), timestampOffset: offset, continuing: $0[video.localSSRC])
                }
                replace(&rtxOut) {
                    guard let ssrc = video.localRTXSSRC, let type = video.rtxPayloadType else { return nil }
                    var repair = video
                    (repair.localSSRC, repair.payloadType) = (ssrc, type)
                    return OutgoingStream(
                        repair, clockRate: 90_000, firstSequence: number(40), timestampOffset: offset, continuing: $0[ssrc])
                }
            }
        } else {
            replace(&videoOut) { _ in nil }
            replace(&rtxOut) { _ in nil }
        }
        redundancy = configuration.negotiated.audio.flatMap { audio in
            audio.redundantPayloadType.map { (type: $0, inner: audio.stream.payloadType) }
        }
        ownSources = [audioOut?.ssrc, videoOut?.ssrc].compactMap { $0 }
        makeVideoInputs()
        extensionMap = HeaderExtensionMap(configuration.negotiated)
    }

    /// Puts another stream in the place of one, which is kept by its SSRC.
    private func replace(_ stream: inout OutgoingStream?, with make: ([UInt32: OutgoingStream]) -> OutgoingStream?) {
        if let old = stream { letGo[old.ssrc] = old }
        stream = make(letGo)
    }

    /// Levels go from client to mixer only.
    var isEndpoint: Bool { if case .endpoint = configuration.role { true } else { false } }

    var isClosed: Bool { if case .closed = state { true } else { false } }

    /// When to call `handleTimer` next; nil when closed.
    package var deadline: Instant? {
        guard !isClosed else { return nil }
        var earliest = state == .connecting ? connectBy : Instant.distantFuture
        if let due = ice.deadline { earliest = min(earliest, due) }
        if let due = dtls.deadline { earliest = min(earliest, due) }
        for index in videos.indices { if let due = videos[index]?.deadline { earliest = min(earliest, due) } }
        if let due = arrivals.deadline { earliest = min(earliest, due) }
        earliest = min(earliest, nextReport)
        if state == .connected { earliest = min(earliest, nextSend) }
        return earliest
    }

    /// The endpoint's first checks. The server waits for them.
    package func start(now: Instant, sink: inout some PeerSink) {
        guard !isClosed else { return }
        sendChecks(now: now, sink: &sink)
    }

    package func handleTimer(now: Instant, sink: inout some PeerSink) {
        guard !isClosed else { return }
        sendChecks(now: now, sink: &sink)
        if ice.isLost(now: now) { return end(state == .connected ? .consentLost : .neverConnected, sink: &sink) }
        if state == .connecting, now >= connectBy { return end(.neverConnected, sink: &sink) }
        dtls.handleTimer(now: now)
        followDTLS(now: now, sink: &sink)
        if state == .connected {
            mendVideo(now: now, sink: &sink)
            sendTransportFeedback(now: now, sink: &sink)
            sendOn(now: now, sink: &sink)
        }
        sendReports(now: now, sink: &sink)
    }

    /// A later negotiation. DTLS and SRTP stay; with `isICERestart` the agent goes on with `localCredentials`.
    package func apply(_ negotiated: NegotiatedSession, localCredentials: ICECredentials? = nil, now: Instant, sink: inout some PeerSink) {
        guard !isClosed else { return }
        configuration.negotiated = negotiated
        makeStreams()
        makeControl(now: now)
        if let local = localCredentials, local != configuration.localCredentials {
            configuration.localCredentials = local
            let remote = NegotiatedICE(credentials: negotiated.remoteCredentials, candidates: negotiated.remoteCandidates)
            ice.restart(remote, local: local, now: now)
        }
        sendChecks(now: now, sink: &sink)
    }

    /// ICE user fragments that checks may name: the one in use, and that of a restart which waits.
    package var localFragments: [String] { ice.localFragments }

    /// A candidate that came later. The server needs none.
    package func add(candidate: TransportAddress) { ice.add(candidate) }

    /// Ends: BYE, close_notify, `closed(.closedHere)`.
    package func close(now: Instant, sink: inout some PeerSink) {
        guard !isClosed else { return }
        if srtp != nil { sendGoodbye(sink: &sink) }
        dtls.close()
        sendDTLS(sink: &sink)
        end(.closedHere, sink: &sink)
    }

    func end(_ reason: PeerCloseReason, sink: inout some PeerSink) {
        guard !isClosed else { return }
        state = .closed(reason)
        srtp = nil
        sink.closed(reason)
    }

    // MARK: ICE

    func handleSTUN(_ datagram: RawSpan, from source: TransportAddress, now: Instant, sink: inout some PeerSink) {
        let before = ice.address
        if let drop = ice.handle(datagram, from: source, now: now, answer: &scratch) {
            switch drop {
            case .malformed, .notABindingRequest: drops.count(.stunMalformed)
            case .foreignUsername: drops.count(.stunForeign)
            case .missingIntegrity, .wrongIntegrity: drops.count(.stunIntegrity)
            case .wouldAmplify: drops.count(.stunWouldAmplify)
            }
            return
        }
        signs.heard(now: now)
        if let before, before != ice.address { followMove(sink: &sink) }
        if !scratch.isEmpty { transmit(scratch, to: source, sink: &sink) }
        sendChecks(now: now, sink: &sink)
        if ice.address != nil {
            dtls.start(now: now)
            followDTLS(now: now, sink: &sink)
        }
    }

    private func sendChecks(now: Instant, sink: inout some PeerSink) {
        for _ in 0..<ICEControllingAgent.maximumCandidates * 2 {
            guard let address = ice.poll(now: now, into: &scratch) else { return }
            transmit(scratch, to: address, sink: &sink)
        }
    }

    private func transmit(_ bytes: [UInt8], to address: TransportAddress, sink: inout some PeerSink) {
        statistics.packetsSent &+= 1
        statistics.bytesSent &+= UInt64(bytes.count)
        sink.send(bytes.span, to: address)
    }

    // MARK: DTLS

    func handleDTLS(_ datagram: Span<UInt8>, now: Instant, sink: inout some PeerSink) {
        switch dtls.handle(datagram, now: now) {
        case .taken: break
        case .malformed: drops.count(.dtlsMalformed)
        case .unproven: drops.count(.dtlsUnproven)
        }
        followDTLS(now: now, sink: &sink)
    }

    private func sendDTLS(sink: inout some PeerSink) {
        guard let address = ice.address else { return }  // without an address the datagrams wait
        for datagram in dtls.takeDatagrams() { transmit(datagram, to: address, sink: &sink) }
    }

    /// Sends what DTLS has to say and draws the consequences of its state.
    private func followDTLS(now: Instant, sink: inout some PeerSink) {
        sendDTLS(sink: &sink)
        switch dtls.state {
        case .handshaking: break
        case .connected: if state == .connecting { connect(now: now, sink: &sink) }
        case .closed: end(.closedByPeer, sink: &sink)
        case .failed: end(.handshakeFailed, sink: &sink)
        }
    }

    private func connect(now: Instant, sink: inout some PeerSink) {
        // Whatever the library says: without keys in use there is no session, and the reason is told as the handshake's.
        guard let keys = dtls.keys, let session = try? SRTPSession(keys: keys) else { return end(.handshakeFailed, sink: &sink) }
        srtp = consume session
        state = .connected
        nextReport = now + Self.reportInterval
        sink.connected()
    }
}
