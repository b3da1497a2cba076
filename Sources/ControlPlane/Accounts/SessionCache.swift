import Foundation
import Records

/// Logins and their accounts as the store had them a moment ago, so that not each request, upgrade and command asks it again. Whatever changes one of them here
/// makes it forgotten before that is answered; what another process does is forgotten when the store tells of it, and is seen within `lifetime` where it cannot.
struct SessionCache: Sendable {
    /// How long an answer of the store counts.
    static let lifetime: TimeInterval = 1
    static let most = 10_000

    /// A login and whose it is.
    struct Login: Equatable, Sendable {
        var session: SessionRecord
        var user: UserRecord
    }
    enum Verdict: Equatable, Sendable {
        case good(Login)
        /// Ask the store, and hand the ticket in with its answer.
        case unknown(ticket: Int)
    }
    private struct Entry {
        var login: Login
        var seenAt: Date
    }
    private var entries: [[UInt8]: Entry] = [:]
    /// Counts what was forgotten: an answer that the store gave before says nothing any more.
    private var generation = 0

    func look(_ tokenHash: [UInt8], at now: Date) -> Verdict {
        guard let entry = entries[tokenHash], entry.login.session.expiresAt > now,
            (0..<Self.lifetime).contains(now.timeIntervalSince(entry.seenAt))
        else {
            return .unknown(ticket: generation)
        }
        return .good(entry.login)
    }

    /// - Parameters:
    ///   - login: that lasts, of an account that is open.
    ///   - ticket: of the `look` before the store was asked.
    ///   - now: when that was.
    mutating func note(_ login: Login, ticket: Int, at now: Date) {
        guard ticket == generation else { return }
        let hash = login.session.tokenHash
        if entries.count >= Self.most, entries[hash] == nil { entries.removeAll(keepingCapacity: true) }
        entries[hash] = Entry(login: login, seenAt: now)
    }

    mutating func forget(_ tokenHash: [UInt8]) {
        generation += 1
        entries[tokenHash] = nil
    }

    /// Every login of a user.
    mutating func forget(user: UUID) {
        generation += 1
        entries = entries.filter { $0.value.login.user.id != user }
    }

    mutating func forgetAll() {
        generation += 1
        entries.removeAll(keepingCapacity: true)
    }
}
