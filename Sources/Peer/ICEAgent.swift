import Base
import ICE
import RTP

/// The agent of either role behind the few questions that a peer has. What each packet asks is kept ready beside the agents: they are values of some size,
/// and only STUN changes them.
final class ICEAgent {
    /// Where to send; nil before the first proof.
    private(set) var address: TransportAddress?
    private(set) var deadline: Instant?
    /// An address that was found proven, and until when that needs no second look.
    private var proven: (source: TransportAddress, until: Instant)?
    private static let proofLasts = Duration.seconds(1)
    /// When the next sealed packet counts as a sign of life: a look a second is enough.
    private var nextSign = Instant.start
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
        settle()
    }

    private func settle() {
        address = full?.selected ?? lite?.sendAddress
        deadline = full.map(\.deadline) ?? lite?.deadline
        proven = nil
    }

    /// Whether DTLS and media from there may be looked at: it proved the password.
    func isProven(_ source: TransportAddress, now: Instant) -> Bool {
        if let proven, proven.source == source, now < proven.until { return true }
        let isProven = full.map { $0.selected == source } ?? lite?.isProven(source, now: now) ?? false
        if isProven { proven = (source, now + Self.proofLasts) }
        return isProven
    }

    /// A sealed packet from `source` opened.
    func hearSealed(from source: TransportAddress, now: Instant) {
        guard now >= nextSign else { return }
        nextSign = now + Self.proofLasts
        lite?.hearSealed(from: source, now: now)
        if let lite { deadline = lite.deadline }
    }

    func isLost(now: Instant) -> Bool {
        if let full { return full.state == .failed }
        return lite.map { !$0.hasConsent(now: now) } ?? true
    }

    /// - Parameter answer: overwritten; not empty where it is to go back to `source`.
    /// - Returns: why there is none, where it was dropped.
    func handle(_ datagram: RawSpan, from source: TransportAddress, now: Instant, answer: inout [UInt8]) -> ICELiteAgent.Drop? {
        defer { settle() }
        if lite != nil {
            if case .dropped(let reason) = lite?.handle(datagram, from: source, now: now, answer: &answer) { return reason }
        } else if case .dropped(let reason) = full?.handle(datagram, from: source, now: now, answer: &answer) {
            return reason
        }
        return nil
    }

    /// Call until nil.
    func poll(now: Instant, into datagram: inout [UInt8]) -> TransportAddress? {
        guard full != nil else { return nil }
        defer { settle() }
        return full?.poll(now: now, into: &datagram)
    }

    func add(_ candidate: TransportAddress) {
        full?.add(candidate)
        settle()
    }

    var localFragments: [String] { lite?.localFragments ?? [] }

    func restart(_ negotiated: NegotiatedICE, local: ICECredentials, now: Instant) {
        defer { settle() }
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
