import Base
import Foundation
import ICE
import Net
import RTP

/// Which worker owns which session: the only thing that workers share. Looked up once for each new client address, never for each packet.
final class SessionDirectory: Sendable {
    /// What became of a lookup.
    enum Claim {
        /// The session was waiting and is now the asker's: make its peer.
        case take(SessionTicket)
        case owned(worker: Int)
        case unknown
    }
    private enum Place {
        case waiting(SessionTicket)
        case owned(worker: Int)
    }
    private struct State {
        var places: [UUID: Place] = [:]
        /// User fragments, the present one and those of restarts; each names its session.
        var sessions: [UsernameFragment: UUID] = [:]
        /// The same the other way round.
        var fragments: [UUID: [UsernameFragment]] = [:]

        mutating func add(_ fragment: UsernameFragment, for session: UUID) {
            guard sessions.updateValue(session, forKey: fragment) == nil else { return }
            fragments[session, default: []].append(fragment)
        }

        mutating func keep(_ kept: [UsernameFragment], of session: UUID) {
            for fragment in fragments[session] ?? [] where !kept.contains(fragment) { sessions[fragment] = nil }
            fragments[session] = kept.isEmpty ? nil : kept
        }
    }
    private let state = Guarded(State())
    /// The machine's own addresses, as all workers number them.
    let locals = LocalAddresses()

    /// Puts an answered session where its first STUN check will find it.
    func expect(_ ticket: SessionTicket) {
        state.withLock {
            $0.places[ticket.session] = .waiting(ticket)
            if let fragment = UsernameFragment(ticket.localFragment) { $0.add(fragment, for: ticket.session) }
        }
    }

    /// `session` answers to `fragment` too, from now on (ICE restart).
    func add(fragment: String, for session: UUID) {
        guard let fragment = UsernameFragment(fragment) else { return }
        state.withLock { if $0.places[session] != nil { $0.add(fragment, for: session) } }
    }

    /// Of the fragments that named `session` only these are left: whoever restarts a thousand times keeps no thousand names.
    func keep(fragments: [UsernameFragment], of session: UUID) {
        state.withLock { if $0.places[session] != nil { $0.keep(fragments, of: session) } }
    }

    /// Changes a ticket that still waits.
    /// - Returns: the worker that owns the session already, nil where it waits or is unknown.
    func amend(_ session: UUID, _ change: (inout SessionTicket) -> Void) -> Int? {
        state.withLock { state in
            switch state.places[session] {
            case .waiting(var ticket):
                change(&ticket)
                state.places[session] = .waiting(ticket)
                // Nobody has come yet: the last answer is the only one that counts.
                if let fragment = UsernameFragment(ticket.localFragment) { state.keep([fragment], of: session) }
                return nil
            case .owned(let worker): return worker
            case nil: return nil
            }
        }
    }

    func claim(fragment: UsernameFragment, worker: Int) -> Claim {
        state.withLock { state in
            guard let session = state.sessions[fragment], let place = state.places[session] else { return .unknown }
            switch place {
            case .owned(let owner): return .owned(worker: owner)
            case .waiting(let ticket):
                state.places[session] = .owned(worker: worker)
                return .take(ticket)
            }
        }
    }

    /// Forgets a session.
    /// - Returns: the worker that owns it, nil where none does.
    @discardableResult
    func remove(_ session: UUID) -> Int? {
        state.withLock { state in
            let place = state.places.removeValue(forKey: session)
            state.keep([], of: session)
            if case .owned(let worker) = place { return worker }
            return nil
        }
    }

    /// Takes out those that nobody reached since `limit`.
    func removeWaiting(answeredBefore limit: Instant) -> [SessionTicket] {
        state.withLock { state in
            var late: [SessionTicket] = []
            for case .waiting(let ticket) in state.places.values where ticket.answered < limit { late.append(ticket) }
            for ticket in late {
                state.places[ticket.session] = nil
                state.keep([], of: ticket.session)
            }
            return late
        }
    }

    /// Forgets all of them.
    func forget() { state.withLock { $0 = State() } }

    var count: Int { state.withLock { $0.places.count } }
}
