import ICE
import RTP

/// The agent of either role behind the few questions that a peer has.
struct ICEAgent {
    // One of the two. Not an enum: a call through an optional changes the agent where it is.
    private var lite: ICELiteAgent?
    private var full: ICEControllingAgent?

    init(_ configuration: PeerConfiguration, now: Instant) {
        let remote = configuration.negotiated.remoteCredentials
        switch configuration.role {
        case .server: lite = ICELiteAgent(local: configuration.localCredentials, remoteUfrag: remote.ufrag, now: now)
        case .endpoint(let seed):
            full = ICEControllingAgent(local: configuration.localCredentials, seed: seed, now: now)
            full?.setRemote(remote, candidates: configuration.negotiated.remoteCandidates, now: now)
        }
    }

    /// Where to send; nil before the first proof.
    var address: TransportAddress? { full?.selected ?? lite?.sendAddress }

    /// Whether DTLS and media from there may be looked at: it proved the password.
    func isProven(_ source: TransportAddress, now: Instant) -> Bool {
        if let full { return full.selected == source }
        return lite?.isProven(source, now: now) ?? false
    }

    func isLost(now: Instant) -> Bool {
        if let full { return full.state == .failed }
        return lite.map { !$0.hasConsent(now: now) } ?? true
    }

    var deadline: Instant? { full.map(\.deadline) ?? lite?.deadline }

    /// - Parameter answer: overwritten; not empty where it is to go back to `source`.
    /// - Returns: why there is none, where it was dropped.
    mutating func handle(
        _ datagram: RawSpan, from source: TransportAddress, now: Instant, answer: inout [UInt8]
    ) -> ICELiteAgent.Drop? {
        if lite != nil {
            if case .dropped(let reason) = lite?.handle(datagram, from: source, now: now, answer: &answer) { return reason }
        } else if case .dropped(let reason) = full?.handle(datagram, from: source, now: now, answer: &answer) {
            return reason
        }
        return nil
    }

    /// Call until nil.
    mutating func poll(now: Instant, into datagram: inout [UInt8]) -> TransportAddress? { full?.poll(now: now, into: &datagram) }

    mutating func add(_ candidate: TransportAddress) { full?.add(candidate) }

    mutating func restart(_ negotiated: NegotiatedICE, local: ICECredentials, now: Instant) {
        lite?.restart(local: local, remoteUfrag: negotiated.credentials.ufrag)
        full?.restart(local: local, now: now)
        full?.setRemote(negotiated.credentials, candidates: negotiated.candidates, now: now)
    }
}

/// What an ICE restart brings from the other side.
struct NegotiatedICE {
    var credentials: ICECredentials
    var candidates: [TransportAddress]
}
