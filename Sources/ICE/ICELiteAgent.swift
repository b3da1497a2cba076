import Base
import RTP

/// The server's side of ICE: lite (RFC 8445 §2.5), so it answers checks and sends none. One for each session; sans-IO.
///
/// It believes only what the password proves. Of addresses that proved it, the peer's nomination picks one; while two nominated ones are
/// alive, the one of higher priority stays (stacks that meet a lite agent nominate every pair that works). Consent is what the peer
/// proves: its checks, and the sealed packets that open (not every stack checks consent). 30 s without either and it is gone
/// (RFC 7675 §5.1).
package struct ICELiteAgent: Sendable {
    /// Why a datagram got no answer, for the counters.
    package enum Drop: Int, CaseIterable, Sendable {
        case malformed, notABindingRequest, foreignUsername, missingIntegrity, wrongIntegrity, wouldAmplify
    }

    package enum Outcome: Equatable, Sendable {
        /// Send the answer to where the question came from.
        case answered
        /// The same, and this address is the one to send media to from now on.
        case nominated(TransportAddress)
        /// Nothing is to be sent.
        case dropped(Drop)
    }

    package static let consentLifetime = Duration.seconds(30)
    /// For so long after its last check a nominated address withstands one of lower priority. Checks come every 2.5 to 6 s.
    static let selectionHold = Duration.seconds(7)
    static let maximumProvenAddresses = 8

    private struct Identity: Sendable {
        var credentials: ICECredentials
        var username: [UInt8]
        var key: [UInt8]
        init(local: ICECredentials, remoteUfrag: String) {
            credentials = local
            username = Array("\(local.ufrag):\(remoteUfrag)".utf8)
            key = Array(local.password.utf8)
        }
    }

    private struct Proven: Sendable {
        var address: TransportAddress
        var heard: Instant
    }

    private var current: Identity
    /// After a restart, until a pair is nominated with it.
    private var restarting: Identity?
    private var proven: [Proven] = []
    private var selection: (address: TransportAddress, priority: UInt32, heard: Instant)?
    private var consentUntil: Instant

    /// - Parameter remoteUfrag: the peer's; its password is not needed by one who sends no checks.
    package init(local: ICECredentials, remoteUfrag: String, now: Instant) {
        current = Identity(local: local, remoteUfrag: remoteUfrag)
        consentUntil = now + Self.consentLifetime
        proven.reserveCapacity(Self.maximumProvenAddresses)
    }

    /// Where media goes: the nominated address. After a restart the old one, until the new is nominated.
    package var selected: TransportAddress? { selection?.address }

    /// Where to send before a nomination: the last address that proved the password.
    package var sendAddress: TransportAddress? { selection?.address ?? proven.max { $0.heard < $1.heard }?.address }

    /// The credentials to advertise now.
    package var localCredentials: ICECredentials { (restarting ?? current).credentials }

    /// User fragments that are answered: the present one, and that of a restart which waits. An earlier restart that nobody followed is none.
    package var localFragments: [String] { [current.credentials.ufrag] + (restarting.map { [$0.credentials.ufrag] } ?? []) }

    package var isRestarting: Bool { restarting != nil }

    /// Whether `address` proved the password within the consent's lifetime.
    package func isProven(_ address: TransportAddress, now: Instant) -> Bool {
        proven.contains { $0.address == address && now - $0.heard < Self.consentLifetime }
    }

    /// When consent ends if nothing comes; also for a peer that never came.
    package var deadline: Instant { consentUntil }

    package func hasConsent(now: Instant) -> Bool { now < consentUntil }

    /// New credentials on both sides (RFC 8445 §9). The old pair and the old credentials work until the new ones nominate.
    package mutating func restart(local: ICECredentials, remoteUfrag: String) {
        restarting = Identity(local: local, remoteUfrag: remoteUfrag)
    }

    /// A STUN datagram from `source`.
    /// - Parameter answer: overwritten with what to send back, where there is something.
    package mutating func handle(_ datagram: RawSpan, from source: TransportAddress, now: Instant, answer: inout [UInt8]) -> Outcome {
        answer.removeAll(keepingCapacity: true)
        // Why a stranger's datagram is no STUN does not matter; it is counted.
        guard let message = try? STUNMessage(parsing: datagram) else { return .dropped(.malformed) }
        guard message.messageClass == .request, message.method == STUNMessage.binding else { return .dropped(.notABindingRequest) }
        guard let name = message.username else { return .dropped(.foreignUsername) }
        guard message.integrity != nil else { return .dropped(.missingIntegrity) }
        let username = datagram.extracting(name)
        let isNew = restarting.map { username.isEqual(to: $0.username.span.bytes) } ?? false
        guard isNew || username.isEqual(to: current.username.span.bytes) else { return .dropped(.foreignUsername) }
        let identity = isNew ? restarting ?? current : current
        guard message.hasIntegrity(key: identity.key, in: datagram) else { return .dropped(.wrongIntegrity) }
        let isAccepted = write(message, to: source, key: identity.key, into: &answer)
        guard answer.count <= datagram.byteCount || source == selection?.address else {
            answer.removeAll(keepingCapacity: true)
            return .dropped(.wouldAmplify)
        }
        guard isAccepted else { return .answered }
        return accept(message, from: source, isNew: isNew, now: now)
    }

    /// - Returns: whether the check succeeds.
    private func write(_ message: STUNMessage, to source: TransportAddress, key: [UInt8], into answer: inout [UInt8]) -> Bool {
        if let unknown = message.unknownRequired {
            let writer = STUNWriter(.error, transaction: message.transaction, into: &answer)
            writer.errorCode(420, into: &answer)
            writer.unknownAttribute(unknown, into: &answer)
            writer.finish(key: key, into: &answer)
            return false
        }
        // A lite agent is always controlled, so the peer that claims it too must change (RFC 8445 §6.1.1, §7.3.1.1).
        if message.controlled != nil {
            let writer = STUNWriter(.error, transaction: message.transaction, into: &answer)
            writer.errorCode(487, into: &answer)
            writer.finish(key: key, into: &answer)
            return false
        }
        let writer = STUNWriter(.success, transaction: message.transaction, into: &answer)
        writer.xorMappedAddress(source, into: &answer)
        writer.finish(key: key, into: &answer)
        return true
    }

    private mutating func accept(_ message: STUNMessage, from source: TransportAddress, isNew: Bool, now: Instant) -> Outcome {
        consentUntil = now + Self.consentLifetime
        prove(source, now: now)
        let isRestartDone = isNew && message.useCandidate
        if isRestartDone, let identity = restarting {
            current = identity
            restarting = nil
        }
        let priority = message.priority ?? 0
        guard let old = selection else {
            guard message.useCandidate else { return .answered }
            selection = (source, priority, now)
            return .nominated(source)
        }
        if old.address == source {
            selection = (source, max(priority, message.useCandidate ? 0 : old.priority), now)
            return isRestartDone ? .nominated(source) : .answered
        }
        // While a restart waits, a late check of the old credentials moves nothing.
        guard message.useCandidate, isNew || restarting == nil else { return .answered }
        guard isRestartDone || priority >= old.priority || now - old.heard > Self.selectionHold else { return .answered }
        selection = (source, priority, now)
        return .nominated(source)
    }

    /// A packet that only the peer can have sealed came from `source`: as good a sign of life as a check, where that address has
    /// proved the password before. It moves nothing.
    package mutating func hearSealed(from source: TransportAddress, now: Instant) {
        guard isProven(source, now: now) else { return }
        prove(source, now: now)
        guard source == sendAddress else { return }
        consentUntil = now + Self.consentLifetime
        if selection?.address == source { selection?.heard = now }
    }

    private mutating func prove(_ source: TransportAddress, now: Instant) {
        if let index = proven.firstIndex(where: { $0.address == source }) {
            proven[index].heard = now
            return
        }
        if proven.count == Self.maximumProvenAddresses,
            let oldest = proven.indices.filter({ proven[$0].address != selection?.address }).min(by: { proven[$0].heard < proven[$1].heard }
            )
        {
            proven.remove(at: oldest)
        }
        proven.append(Proven(address: source, heard: now))
    }
}
