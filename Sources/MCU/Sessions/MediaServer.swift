import Base
import Foundation
import ICE
import Net
import Peer
import RTP
import SDP
import Synchronization

/// The embedded MCU: what control sees of the media threads.
package final class MediaServer: MediaPlane {
    /// What is kept of each session for a second offer.
    private struct Session: Sendable {
        var meeting: UUID
        var parameters: LocalParameters
        var negotiated: NegotiatedSession
        var participant: Participant
        var bridge: Bridge
        /// ICE user fragments of the other side before the present ones: what still names them is late.
        var pastFragments: [String] = []

        var etag: String { parameters.credentials.ufrag }

        /// - Throws: `.stale` where tags are wanted and none is the session's.
        func check(_ ifMatch: [String]?) throws(JoinRefusal) {
            guard let ifMatch, !ifMatch.contains("*"), !ifMatch.contains(etag) else { return }
            throw .stale(etag: etag)
        }

        /// Most of the past that is remembered.
        static let mostPast = 16

        mutating func leaveBehind(_ fragment: String) {
            pastFragments.append(fragment)
            if pastFragments.count > Self.mostPast { pastFragments.removeFirst() }
        }
    }

    private let core: MediaCore
    private let gate = NegotiationGate()
    private let identity: DTLSIdentity
    private let candidates: [TransportAddress]
    /// The UDP port that carries all media, and the TCP port for those whose network blocks UDP.
    package let port: UInt16
    /// Connections that media by TCP has at the most.
    package static let mostStreams = StreamBook.mostConnections
    /// Why there is no TCP; nil where there is.
    package let streamProblem: SocketFailure?
    private let sessions = Guarded<[UUID: Session]>([:])
    /// By meeting and view, also of meetings that nobody is in yet.
    private let views = Guarded<[UUID: [ViewID: ViewSettings]]>([:])
    private let ntpAtStart: UInt64
    private let sweeper = Guarded<Task<Void, Never>?>(nil)
    private let isStopped = Atomic<Bool>(false)

    /// Binds the media port and starts the threads.
    package init(configuration: MediaServerConfiguration) throws(MediaServerError) {
        if UDPSocket.isTaken(port: configuration.port) { throw .portTaken(configuration.port) }
        do { identity = try DTLSIdentity() } catch { throw .noIdentity("\(error)") }
        core = MediaCore(configuration: configuration)
        ntpAtStart = MediaClock.ntpAtStart()

        var bound = try Self.bind(port: configuration.port, workers: core.workers.count)
        // Of the free UDP ports that the kernel gives, some have a TCP connection of somebody's on their number.
        for _ in 1..<Self.mostTries where configuration.port == 0 && bound.problem != nil {
            bound = try Self.bind(port: 0, workers: core.workers.count)
        }
        port = bound.port
        streamProblem = bound.problem
        candidates = try Self.candidates(configuration, port: port)
        start(bound.sockets, bound.listener)
    }

    /// For a port whose number is free for UDP and TCP both.
    private static let mostTries = 8

    /// A socket of the port for each worker, and TCP of the same number. Media by UDP is what the server is for; it goes without the other way, and says so.
    private struct Bound {
        let port: UInt16
        let sockets: [UDPSocket]
        var listener: StreamListener?
        var problem: SocketFailure?
    }

    private static func bind(port asked: UInt16, workers: Int) throws(MediaServerError) -> Bound {
        var sockets: [UDPSocket] = []
        var port = asked
        for _ in 0..<workers {
            do {
                let socket = try UDPSocket(port: port)
                port = socket.port
                sockets.append(socket)
            } catch {
                switch error {
                case .portTaken(let port): throw .portTaken(port)
                case .refused(let reason): throw .cannotBind(port: port, reason: reason)
                }
            }
        }
        do {
            return Bound(port: port, sockets: sockets, listener: try StreamListener(port: port))
        } catch {
            return Bound(port: port, sockets: sockets, problem: error)
        }
    }

    /// A datagram that came by TCP reaches any worker; that one hands it to who owns the session.
    private func startStreams(_ listener: StreamListener) {
        core.streams.start(listener) { [weak core] datagram, source in
            guard let core, let number = source.stream else { return }
            core.workers[number % core.workers.count].post(.datagram(datagram, from: source))
        }
    }

    private func start(_ sockets: [UDPSocket], _ listener: StreamListener?) {
        let core = core
        core.codecs.start()
        for (worker, socket) in zip(core.workers, sockets.map(SocketBox.init)) {
            let colleagues: @Sendable (Int) -> MediaWorker? = { [weak core] index in
                core.flatMap { $0.workers.indices.contains(index) ? $0.workers[index] : nil }
            }
            worker.start(
                socket: socket, directory: core.directory, colleagues: colleagues, events: core.events, streams: core.streams.outlet)
        }
        if let listener { startStreams(listener) }
        for mixer in core.mixers { mixer.start() }
        sweeper.withLock { $0 = Task { [weak self] in await self?.sweep() } }
    }

    /// Sessions that nobody reached are forgotten after 30 s, and what is kept of sessions that ended.
    private func sweep() async {
        let ends = core.events.stream()
        let cleaner = Task { [weak self] in
            for await event in ends { if case .left(_, let session, _) = event { self?.forget(session) } }
        }
        while !Task.isCancelled {
            // Cancelled, the loop ends by its condition.
            try? await Task.sleep(for: .seconds(1))
            core.pictures.trim()
            for ticket in core.directory.removeWaiting(answeredBefore: MediaClock.now() - .seconds(30)) {
                ticket.bridge.remove(ticket.participant, reason: .neverConnected)
            }
        }
        cleaner.cancel()
    }

    private func forget(_ session: UUID) { sessions.withLock { _ = $0.removeValue(forKey: session) } }

    private static func candidates(_ configuration: MediaServerConfiguration, port: UInt16) throws(MediaServerError) -> [TransportAddress] {
        guard !configuration.announced.isEmpty else {
            let found = TransportAddress.ofInterfaces(port: port)
            guard !found.isEmpty else { throw .noAddress }
            return found
        }
        var candidates: [TransportAddress] = []
        for announced in configuration.announced {
            guard let address = TransportAddress(host: announced.address, port: announced.port ?? port) else {
                throw .badAddress(announced.address)
            }
            candidates.append(address)
        }
        return candidates
    }

    // MARK: Joining

    package func join(_ request: JoinRequest) async throws(JoinRefusal) -> JoinAnswer {
        guard !isStopped.load(ordering: .relaxed) else { throw .busy(retryAfterSeconds: 5) }
        let parameters = makeParameters()
        let (answer, negotiated) = try await gate.pass { () throws(JoinRefusal) in
            try Self.answer(request.offer, parameters, after: nil)
        }
        // In several layers at once it needs more, though one of them is taken.
        let isLayered = negotiated.video?.layers.isEmpty == false
        let cap = isLayered ? parameters.maxSimulcastBitsPerSecond ?? PeerConfiguration.receiveCap : PeerConfiguration.receiveCap
        let participant = Participant(
            session: request.session, kind: SessionKind(negotiated.kind), name: request.name, joined: MediaClock.now(),
            negotiated: negotiated, person: request.person, receiveCap: cap)
        guard let bridge = core.join(participant, meeting: request.meeting, capacity: request.capacity) else {
            throw .full(capacity: request.capacity)
        }
        for (view, settings) in views.withLock({ $0[request.meeting] ?? [:] }) { bridge.composer.set(view, to: settings) }
        sessions.withLock {
            $0[request.session] = Session(
                meeting: request.meeting, parameters: parameters, negotiated: negotiated, participant: participant, bridge: bridge)
        }
        var peer = PeerConfiguration(
            role: .server, identity: identity, localCredentials: parameters.credentials, negotiated: negotiated, cname: parameters.cname,
            seed: .random(in: 0 ... .max), ntpAtStart: ntpAtStart)
        peer.receiveCap = cap
        core.directory.expect(
            SessionTicket(
                session: request.session, participant: participant, bridge: bridge, peer: peer, localFragment: parameters.credentials.ufrag,
                answered: MediaClock.now()))
        return JoinAnswer(kind: participant.kind, answer: answer, etag: parameters.credentials.ufrag)
    }

    package func renegotiate(
        session: UUID, offer: String, maySend: Bool, ifMatch: [String]?
    ) async throws(JoinRefusal) -> JoinAnswer {
        guard var known = sessions.withLock({ $0[session] }) else { throw .unknownSession }
        try known.check(ifMatch)
        let before = known
        let (restarts, parameters, answer, negotiated) = try await gate.pass { () throws(JoinRefusal) in
            let restarts = try Self.isRestart(offer, after: before.negotiated)
            var parameters = before.parameters
            if restarts { parameters.credentials = .random() }
            let (answer, negotiated) = try Self.answer(offer, parameters, after: before.negotiated)
            return (restarts, parameters, answer, negotiated)
        }
        // Another offer of the same session was answered meanwhile: this one is of before it.
        let present = sessions.withLock { $0[session] }
        guard let present else { throw .unknownSession }
        guard present.etag == before.etag, present.negotiated.remoteCredentials == before.negotiated.remoteCredentials else {
            throw .stale(etag: present.etag)
        }
        guard !restarts || !known.pastFragments.contains(negotiated.remoteCredentials.ufrag) else { throw .stale(etag: known.etag) }
        // The question of a join, asked of what this offer would make of the session.
        guard maySend || !negotiated.isReceiving else { throw .mayNotSend }
        if restarts { known.leaveBehind(known.negotiated.remoteCredentials.ufrag) }
        (known.parameters, known.negotiated) = (parameters, negotiated)
        try apply(known, session, restarts: restarts)
        return JoinAnswer(
            kind: SessionKind(negotiated, before: before.participant.kind), answer: answer, etag: known.parameters.credentials.ufrag)
    }

    package func trickle(session: UUID, fragment: String, ifMatch: [String]?) async throws(JoinRefusal) -> String? {
        guard var known = sessions.withLock({ $0[session] }) else { throw .unknownSession }
        try known.check(ifMatch)
        let parsed: TrickleFragment
        do { parsed = try TrickleFragment(parsing: fragment) } catch { throw JoinRefusal(error) }
        // A lite agent waits to be reached, so candidates tell it nothing; new credentials are a restart (RFC 9725 §4.3.3).
        guard let credentials = parsed.credentials, credentials != known.negotiated.remoteCredentials else { return nil }
        // Of before a restart, and late (RFC 9725 §4.3.1): taken for new ones they would undo it.
        guard !known.pastFragments.contains(credentials.ufrag) else { throw .stale(etag: known.etag) }
        known.leaveBehind(known.negotiated.remoteCredentials.ufrag)
        known.negotiated.remoteCredentials = credentials
        known.negotiated.isICERestart = true
        known.parameters.credentials = .random()
        try apply(known, session, restarts: true)
        var answer = TrickleFragment(
            credentials: known.parameters.credentials, candidates: Candidate.all(of: candidates, withTCP: streamProblem == nil))
        answer.mid = parsed.mid
        answer.kind = parsed.kind
        answer.isComplete = true
        answer.isLite = true
        return answer.description
    }

    private func apply(_ known: Session, _ session: UUID, restarts: Bool) throws(JoinRefusal) {
        let credentials = known.parameters.credentials
        if restarts { core.directory.add(fragment: credentials.ufrag, for: session) }
        let owner = core.directory.amend(session) { ticket in
            ticket.peer.negotiated = known.negotiated
            ticket.peer.localCredentials = credentials
            ticket.localFragment = credentials.ufrag
        }
        if let owner, !core.workers[owner].post(.apply(session: session, known.negotiated, restarts ? credentials : nil)) {
            throw .busy(retryAfterSeconds: 1)
        }
        sessions.withLock { if $0[session] != nil { $0[session] = known } }
    }

    private func makeParameters() -> LocalParameters {
        func ssrc() -> UInt32 { .random(in: 1 ... .max) }
        let name = UUID().uuidString.lowercased()
        var parameters = LocalParameters(
            credentials: .random(), fingerprint: identity.fingerprint, candidates: candidates, sessionID: .random(in: 1 ... .max),
            cname: name,
            streamID: "nhipcau", audio: .init(ssrc: ssrc(), trackID: "sound"),
            video: .init(ssrc: ssrc(), rtxSSRC: ssrc(), trackID: "picture"))
        // A tile needs no more than 640×360 as a rule; the upper of three layers is for a picture alone.
        (parameters.maxReceiveBitsPerSecond, parameters.maxSimulcastBitsPerSecond) = (1_000_000, 2_500_000)
        parameters.acceptsFurtherVideo = true
        parameters.takesTCP = streamProblem == nil
        return parameters
    }

    private static func answer(
        _ offer: String, _ parameters: LocalParameters, after previous: NegotiatedSession?
    ) throws(JoinRefusal) -> (String, NegotiatedSession) {
        do {
            let description = try SessionDescription(parsing: offer)
            let (answer, negotiated) = try Answerer(parameters: parameters).answer(description, after: previous)
            return (answer.description, negotiated)
        } catch {
            throw JoinRefusal(error)
        }
    }

    private static func isRestart(_ offer: String, after previous: NegotiatedSession) throws(JoinRefusal) -> Bool {
        do { return try Answerer.isICERestart(SessionDescription(parsing: offer), after: previous) } catch { throw JoinRefusal(error) }
    }

    // MARK: The rest of the plane

    package func leave(session: UUID) { close(session, .left) }

    private func close(_ session: UUID, _ reason: LeaveReason) {
        guard let known = sessions.withLock({ $0.removeValue(forKey: session) }) else { return }
        let owner = core.directory.amend(session) { _ in }
        if let owner { return core.workers[owner].insist(.close(session: session, reason)) }
        core.directory.remove(session)
        known.bridge.remove(known.participant, reason: reason)
    }

    package func end(meeting: UUID) {
        let ending = sessions.withLock { $0.filter { $0.value.meeting == meeting }.map(\.key) }
        for session in ending { close(session, .meetingEnded) }
        views.withLock { _ = $0.removeValue(forKey: meeting) }
    }

    package func setMuted(session: UUID, _ muted: Bool) { sessions.withLock { $0[session]?.participant.isMuted = muted } }

    package func setCamera(session: UUID, _ shown: Bool) { sessions.withLock { $0[session]?.participant.isHidden = !shown } }

    package func setView(_ view: ViewID, of meeting: UUID, to settings: ViewSettings) {
        views.withLock { $0[meeting, default: [:]][view] = settings }
        core.existingBridge(of: meeting)?.composer.set(view, to: settings)
    }

    package func watch(session: UUID, _ view: ViewID) {
        guard let participant = sessions.withLock({ $0[session]?.participant }) else { return }
        participant.view = view
        // Nobody owns it yet: its worker finds the view when it makes the seat.
        guard let worker = participant.worker else { return }
        core.workers[worker].post(.watch(session: session))
    }

    package func listen(session: UUID, to mix: MixID) {
        guard let (participant, bridge) = sessions.withLock({ $0[session].map { ($0.participant, $0.bridge) } }) else { return }
        participant.mix = mix
        bridge.membersChanged()
        // Nobody owns it yet: its worker finds the mix when it makes the seat.
        guard let worker = participant.worker else { return }
        core.workers[worker].post(.listen(session: session))
    }

    package func setMix(session: UUID, speaksInto mix: MixID) {
        guard let (participant, bridge) = sessions.withLock({ $0[session].map { ($0.participant, $0.bridge) } }) else { return }
        participant.voiceMix = mix
        bridge.membersChanged()
    }

    package func setFloor(meeting: UUID, _ session: UUID?) { core.existingBridge(of: meeting)?.floor = session }

    package func snapshot(meeting: UUID) -> [SessionSnapshot] {
        let now = MediaClock.now()
        return core.existingBridge(of: meeting)?.members.map { SessionSnapshot($0, now: now) } ?? []
    }

    package func events() -> AsyncStream<MediaEvent> { core.events.stream() }

    package func metrics() -> [MetricSample] { core.metrics() }

    package func stop() async {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let task = sweeper.withLock { $0 }
        task?.cancel()
        let core = core
        await withCheckedContinuation { done in
            Thread {
                for mixer in core.mixers { mixer.stop() }
                for worker in core.workers { worker.stop() }
                core.streams.stop()
                core.codecs.stop()
                done.resume()
            }.start()
        }
        core.close()
        sessions.withLock { $0.removeAll() }
        sweeper.withLock { $0 = nil }
    }
}

/// Carries a bound socket to the thread that owns it; touched once there.
struct SocketBox: @unchecked Sendable {
    let socket: UDPSocket
    init(_ socket: UDPSocket) { self.socket = socket }
}

extension SessionKind {
    init(_ kind: NegotiatedSession.Kind) {
        switch kind {
        case .participant: self = .participant
        case .publisher: self = .publisher
        case .viewer: self = .viewer
        }
    }

    /// What a later offer makes of a session; one that pauses everything leaves it what it was.
    init(_ negotiated: NegotiatedSession, before: SessionKind) {
        self = negotiated.isReceiving || negotiated.isSending ? SessionKind(negotiated.kind) : before
    }
}

extension NegotiatedSession {
    private var streams: [NegotiatedStream] {
        [audio?.stream, video?.stream].compactMap { $0 } + furtherVideos.map(\.stream)
    }
    /// Sound or pictures come from the peer.
    var isReceiving: Bool { streams.contains(where: \.receives) }
    var isSending: Bool { streams.contains(where: \.sends) }
}

extension JoinRefusal {
    init(_ error: SDPError) {
        switch error {
        case .tooLarge(let limit): self = .malformed(line: 0, reason: "the description is larger than \(limit) bytes")
        case .malformed(let line, let reason): self = .malformed(line: line, reason: reason.rawValue)
        case .insecure(_, let reason): self = .insecure(reason: reason.rawValue)
        case .unsupported(let line, let reason): self = .unsupported(mediaLine: line, reason: reason.rawValue)
        case .mismatch(let line, let reason): self = .unsupported(mediaLine: line, reason: reason.rawValue)
        }
    }
}
