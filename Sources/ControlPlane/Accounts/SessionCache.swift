import Foundation
import Records

/// Logins that the store had a moment ago, so that not each command of a channel asks it again. Whatever ends a login here makes it forgotten before that is
/// answered; what another program does to the store is seen within `lifetime`.
struct SessionCache: Sendable {
    /// How long an answer of the store counts.
    static let lifetime: TimeInterval = 1
    static let most = 10_000

    enum Verdict: Equatable, Sendable {
        case good
        /// Ask the store, and hand the ticket in with its answer.
        case unknown(ticket: Int)
    }
    private struct Entry {
        var user: UUID
        var expiresAt: Date
        var seenAt: Date
    }
    private var entries: [[UInt8]: Entry] = [:]
    /// Counts what was forgotten: an answer that the store gave before says nothing any more.
    private var generation = 0

    func look(_ tokenHash: [UInt8], at now: Date) -> Verdict {
        guard let entry = entries[tokenHash], entry.expiresAt > now, (0..<Self.lifetime).contains(now.timeIntervalSince(entry.seenAt))
        else {
            return .unknown(ticket: generation)
        }
        return .good
    }

    /// - Parameters:
    ///   - ticket: of the `look` before the store was asked.
    ///   - now: when that was.
    mutating func note(_ session: SessionRecord, ticket: Int, at now: Date) {
        guard ticket == generation else { return }
        if entries.count >= Self.most, entries[session.tokenHash] == nil { entries.removeAll(keepingCapacity: true) }
        entries[session.tokenHash] = Entry(user: session.user, expiresAt: session.expiresAt, seenAt: now)
    }

    mutating func forget(_ tokenHash: [UInt8]) {
        generation += 1
        entries[tokenHash] = nil
    }

    /// Every login of a user.
    mutating func forget(user: UUID) {
        generation += 1
        entries = entries.filter { $0.value.user != user }
    }
}
