import Base
import RTP

/// The headless endpoint's side of ICE: full, and controlling until told otherwise (RFC 8445). It checks the peer's candidates, nominates
/// the first pair that works and then keeps asking for consent (RFC 7675). Meant for a lite peer with a few candidates; sans-IO.
///
/// One local socket makes one pair of each remote candidate, so there are no check lists, no frozen state and no local candidates here.
package struct ICEControllingAgent: Sendable {
    package enum State: Equatable, Sendable {
        case checking
        case connected(TransportAddress)
        /// No candidate answered, or consent ran out.
        case failed
    }

    package enum Outcome: Equatable, Sendable {
        /// A response of a check; nothing to send.
        case taken
        /// The same, and this pair is now in use.
        case selected(TransportAddress)
        /// Send the answer to where the datagram came from.
        case answered
        case dropped(ICELiteAgent.Drop)
    }

    /// Between two checks of different pairs, RFC 8445 §14.2.
    static let pace = Duration.milliseconds(50)
    /// Between two requests to one candidate, each a transaction of its own: an agent that waited twice as long after each asked six times in 30 s, which a line
    /// that loses a third each way may take away. With many candidates it is their number times `pace` (RFC 8445 §14.3).
    static let repetition = Duration.milliseconds(500)
    /// To one candidate, half a minute of them; then eight seconds' silence is failure.
    static let maximumRequests = 60
    static let lastWait = Duration.seconds(8)
    package static let consentInterval = Duration.seconds(5)
    /// Where so many are unanswered, between two: a line that loses 30 % each way takes six of six away once in half an hour, and the session with them. RFC 7675
    /// §5.1 asks for four seconds or more while all is well; checks of a pair in doubt go by RFC 8445 §14, as browsers have it too.
    static let (doubtful, doubtfulInterval) = (3, Duration.seconds(1))
    package static let consentLifetime = Duration.seconds(30)
    package static let maximumCandidates = 16

    var local: ICECredentials
    var localKey: [UInt8]
    var incomingUsername: [UInt8] = []
    var outgoingUsername: [UInt8] = []
    var remoteKey: [UInt8] = []
    var checks: [ICECheck] = []
    var selection: TransportAddress?
    /// Requests for consent that wait for an answer, the oldest first.
    var consents: [TransactionID] = []
    var nextConsent: Instant?
    var consentUntil: Instant?
    var mayCheckFrom: Instant
    var hasFailed = false
    package internal(set) var isControlling = true
    var tieBreaker: UInt64
    var randomness: UInt64

    /// - Parameter seed: makes transaction ids, tie-breaker and the consent's jitter. Take it from the system's generator outside of tests.
    package init(local: ICECredentials, seed: UInt64, now: Instant) {
        self.local = local
        localKey = Array(local.password.utf8)
        randomness = seed
        mayCheckFrom = now
        tieBreaker = 0
        tieBreaker = random()
    }

    package var state: State { hasFailed ? .failed : isRestarting ? .checking : selection.map(State.connected) ?? .checking }

    /// Where media goes; during a restart the old pair.
    package var selected: TransportAddress? { selection }

    package var localCredentials: ICECredentials { local }

    var isRestarting: Bool { selection != nil && !checks.isEmpty }

    /// The answer's credentials and candidates; the first 16 are checked. Known ones of the same credentials are kept as they are.
    package mutating func setRemote(_ remote: ICECredentials, candidates: [TransportAddress], now: Instant) {
        outgoingUsername = Array("\(remote.ufrag):\(local.ufrag)".utf8)
        incomingUsername = Array("\(local.ufrag):\(remote.ufrag)".utf8)
        remoteKey = Array(remote.password.utf8)
        for candidate in candidates { add(candidate) }
        mayCheckFrom = now
    }

    /// A candidate that came later.
    package mutating func add(_ candidate: TransportAddress) {
        guard checks.count < Self.maximumCandidates, !candidate.isUnspecified, !checks.contains(where: { $0.address == candidate }) else {
            return
        }
        checks.append(ICECheck(address: candidate))
    }

    /// New credentials; call `setRemote` with the peer's next. The old pair is used until a new one is nominated (RFC 8445 §9).
    package mutating func restart(local: ICECredentials, now: Instant) {
        self.local = local
        localKey = Array(local.password.utf8)
        (incomingUsername, outgoingUsername, remoteKey) = ([], [], [])
        checks.removeAll()
        consents.removeAll()
        nextConsent = nil
        // Nobody can answer for consent between the credentials: the restart itself must end in time.
        consentUntil = selection == nil ? nil : now + Self.consentLifetime
        hasFailed = false
        tieBreaker = random()
    }

    /// When to call `poll` next; nil where only the peer or the caller can go on.
    package var deadline: Instant? {
        guard !hasFailed else { return nil }
        let check = outgoingUsername.isEmpty ? nil : checks.compactMap { $0.due(from: mayCheckFrom) }.min()
        return [check, nextConsent, consentUntil].compactMap { $0 }.min()
    }

    /// Next thing to send at `now`. Call it until it returns nil.
    /// - Parameter datagram: overwritten with the request.
    /// - Returns: where to send it.
    package mutating func poll(now: Instant, into datagram: inout [UInt8]) -> TransportAddress? {
        datagram.removeAll(keepingCapacity: true)
        if let until = consentUntil, now >= until { hasFailed = true }
        guard !hasFailed, !outgoingUsername.isEmpty else { return nil }
        if let due = nextConsent, due <= now, let selection {
            return askConsent(selection, now: now, into: &datagram)
        }
        return nextCheck(now: now, into: &datagram)
    }

    private mutating func nextCheck(now: Instant, into datagram: inout [UInt8]) -> TransportAddress? {
        for index in checks.indices where checks[index].isExhausted(now: now) { checks[index].state = .failed }
        if !checks.isEmpty, checks.allSatisfy({ $0.state == .failed }) { hasFailed = true }
        guard let index = checks.indices.first(where: { checks[$0].due(from: mayCheckFrom).map { $0 <= now } ?? false }) else { return nil }
        if checks[index].requests == 0 { mayCheckFrom = now + Self.pace }
        let id = transaction()
        let unanswered = checks.count { $0.state == .waiting || $0.state == .inProgress }
        checks[index].sent(id, interval: max(Self.repetition, Self.pace * unanswered), now: now)
        write(id, nominates: checks[index].nominates, into: &datagram)
        return checks[index].address
    }

    private mutating func askConsent(_ address: TransportAddress, now: Instant, into datagram: inout [UInt8]) -> TransportAddress {
        let id = transaction()
        if consents.count == 8 { consents.removeFirst() }
        consents.append(id)
        // 0.8 to 1.2 of the interval, so that sites that joined together do not ask together (RFC 7675 §5.1).
        let jitter = Int64(random() % 2_000) - 1_000
        nextConsent = now + (consents.count < Self.doubtful ? Self.consentInterval + .milliseconds(jitter) : Self.doubtfulInterval)
        write(id, nominates: isControlling, into: &datagram)
        return address
    }

    private func write(_ id: TransactionID, nominates: Bool, into datagram: inout [UInt8]) {
        let writer = STUNWriter(.request, transaction: id, into: &datagram)
        writer.username(outgoingUsername, into: &datagram)
        writer.role(isControlling: isControlling, tieBreaker: tieBreaker, into: &datagram)
        writer.priority(0x6eff_ffff, into: &datagram)  // a peer-reflexive candidate of component 1, RFC 8445 §7.1.1
        if nominates && isControlling { writer.useCandidate(into: &datagram) }
        writer.finish(key: remoteKey, into: &datagram)
    }

    mutating func transaction() -> TransactionID { TransactionID(high: UInt32(truncatingIfNeeded: random()), low: random()) }

    /// SplitMix64. The ids need not be secret: what they match is proven by the password.
    mutating func random() -> UInt64 {
        randomness &+= 0x9e37_79b9_7f4a_7c15
        var mixed = randomness
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// The check of one pair: requests until one is answered.
struct ICECheck: Equatable, Sendable {
    enum State: Equatable, Sendable { case waiting, inProgress, succeeded, failed }
    /// Requests whose answers may still come: four seconds of them.
    private static let mostAwaited = 8
    let address: TransportAddress
    private var awaited: [TransactionID] = []
    var state = State.waiting
    var requests = 0
    var next: Instant?
    var nominates = false

    init(address: TransportAddress) { self.address = address }

    func awaits(_ id: TransactionID) -> Bool { state == .inProgress && awaited.contains(id) }

    /// When something is to be done: a first request not before `pace`.
    func due(from pace: Instant) -> Instant? {
        switch state {
        case .waiting: pace
        case .inProgress: next
        case .succeeded, .failed: nil
        }
    }

    func isExhausted(now: Instant) -> Bool {
        state == .inProgress && requests == ICEControllingAgent.maximumRequests && next.map { $0 <= now } ?? false
    }

    mutating func sent(_ id: TransactionID, interval: Duration, now: Instant) {
        state = .inProgress
        if awaited.count == Self.mostAwaited { awaited.removeFirst() }
        awaited.append(id)
        requests += 1
        next = now + (requests == ICEControllingAgent.maximumRequests ? ICEControllingAgent.lastWait : interval)
    }

    /// Begins again; answers to what was asked before count no more.
    mutating func again(nominates: Bool) {
        awaited.removeAll(keepingCapacity: true)
        self.nominates = nominates
        state = .waiting
        requests = 0
        next = nil
    }
}
