import Base
import Formats
import Foundation
import Meetings
import Store

/// The records of an installation: users, their sessions, meetings, the audit. Written once, above whatever engine keeps them.
///
/// What a call writes is one batch, with the audit entry that it is given: it happens whole or not at all.
package struct Records: Sendable {
    package let store: any Store
    package init(_ store: any Store) { self.store = store }

    package func check() async throws(StoreError) { try await store.check() }
    package func close() async { await store.close() }

    private func commit(_ operations: [Batch.Operation], noting entry: AuditEntry?) async throws(StoreError) {
        let note = entry.map { Batch.Operation.append(stream: AuditEntry.stream, events: [$0.event], expected: .anything) }
        try await store.commit(Batch(operations + (note.map { [$0] } ?? [])))
    }
}

// MARK: What other processes do

/// What another process of the installation changed.
package enum RecordChange: Sendable, Equatable {
    /// A login, by the hash of its token: it began or ended.
    case session(tokenHash: [UInt8])
    case user(UUID)
    case meeting(UUID)
    /// Too much to name, or nobody listened for a while.
    case everything

    /// nil where it is nothing that is kept in mind.
    init?(_ change: StoreChange) {
        switch change {
        case .document(SessionRecord.kind, let id):
            guard let hash = SessionRecord.tokenHash(id) else { return nil }
            self = .session(tokenHash: hash)
        case .document(UserRecord.kind, let id):
            guard let id = UUID(uuidString: id) else { return nil }
            self = .user(id)
        case .document(Meeting.kind, let id):
            guard let id = UUID(uuidString: id) else { return nil }
            self = .meeting(id)
        case .document, .stream: return nil
        case .everything: self = .everything
        }
    }
}

extension Records {
    /// As they happen, from now on; empty where the engine cannot tell.
    package func changes() async -> some AsyncSequence<RecordChange, Never> & Sendable {
        await store.changes().compactMap { RecordChange($0) }
    }
}

// MARK: Users

extension Records {
    /// The document that is counted up whenever one administrator less may be left: two that demote each other both write it, and one is refused.
    private static let roster = (kind: "roster", id: "administrators")

    /// - Throws: `.taken` where the username is another's.
    package func insert(_ user: UserRecord, noting entry: AuditEntry? = nil) async throws(StoreError) {
        let put = Batch.Operation.put(kind: UserRecord.kind, id: user.id.text, fields: user.fields, body: user.body, expected: .absent)
        try await commit([put], noting: entry)
    }

    package func user(named username: String) async throws(StoreError) -> UserRecord? {
        let query = DocumentQuery(UserRecord.kind, where: .equals("username", username), limit: 1)
        let found = try await users(query).first
        return found.flatMap { $0.isDeleted ? nil : $0 }
    }

    package func user(_ id: UUID) async throws(StoreError) -> UserRecord? {
        guard let document = try await store.document(UserRecord.kind, id.text) else { return nil }
        return try UserRecord(document)
    }

    /// In the order of their identifiers, which is that of their making.
    package func users(limit: Int, after: UUID?) async throws(StoreError) -> [UserRecord] {
        try await users(DocumentQuery(UserRecord.kind, where: .equals("listed", "1"), after: after?.text, limit: limit))
    }

    package func userCount() async throws(StoreError) -> Int { try await store.count(UserRecord.kind, where: nil) }

    /// Users who may stand for this site by name; those who may stand for all are not among them.
    package func users(standingFor site: String) async throws(StoreError) -> [UserRecord] {
        try await users(DocumentQuery(UserRecord.kind, where: .equals("site", site), limit: 1_000))
    }

    /// Administrators whose accounts are open.
    package func administratorCount() async throws(StoreError) -> Int {
        try await store.count(UserRecord.kind, where: (name: "administrator", value: "1"))
    }

    private func users(_ query: DocumentQuery) async throws(StoreError) -> [UserRecord] {
        var users: [UserRecord] = []
        for document in try await store.documents(query) { users.append(try UserRecord(document)) }
        return users
    }

    /// Replaces everything but the identifier.
    /// - Parameters:
    ///   - keepsAnAdministrator: refuses a change after which nobody could open an account.
    ///   - ended: which sessions of the user end with it.
    /// - Throws: `.missing`, `.taken`, `.stale` where somebody else has changed it since it was read, `.needed`.
    package func update(
        _ user: UserRecord, keepsAnAdministrator: Bool = false, ending ended: EndedSessions = .none, noting entry: AuditEntry? = nil
    ) async throws(StoreError) {
        while true {
            guard let before = try await self.user(user.id) else { throw .missing }
            guard before.version == user.version else { throw .stale(current: before.version) }
            var operations: [Batch.Operation] = [
                .put(
                    kind: UserRecord.kind, id: user.id.text, fields: user.fields, body: user.body, expected: .version(user.version))
            ]
            if before.isOpenAdministrator, !user.isOpenAdministrator {
                // In this order: an administrator that goes after the version was read makes the write stale.
                let roster = try await store.document(Self.roster.kind, Self.roster.id)
                if keepsAnAdministrator, try await administratorCount() < 2 { throw .needed("administrators") }
                operations.append(
                    .put(
                        kind: Self.roster.kind, id: Self.roster.id, fields: [], body: "{}",
                        expected: roster.map { .version($0.version) } ?? .absent))
            }
            operations += try await ends(ended, of: user.id)
            do {
                return try await commit(operations, noting: entry)
            } catch .stale {
                // Where it is the user that changed, the next round says so.
            } catch {
                throw error
            }
        }
    }
}

// MARK: Sessions

/// Sessions of a user that end with a change.
package enum EndedSessions: Sendable, Equatable {
    case none
    /// All, but the one with this hash of its token.
    case all(except: [UInt8]?)
}

extension Records {
    /// More than a user can have, whatever was configured.
    private static let mostSessions = 10_000

    /// Keeps at most `most` sessions of a user; the oldest go.
    package func insert(_ session: SessionRecord, most: Int, noting entry: AuditEntry? = nil) async throws(StoreError) {
        let others = try await sessions(of: session.user).sorted { ($0.createdAt, $0.expiresAt) > ($1.createdAt, $1.expiresAt) }
        let put = Batch.Operation.put(
            kind: SessionRecord.kind, id: SessionRecord.id(session.tokenHash), fields: session.fields, body: session.body, expected: .absent
        )
        try await commit([put] + others.dropFirst(max(0, most - 1)).map { Self.delete($0.tokenHash) }, noting: entry)
    }

    package func session(tokenHash: [UInt8]) async throws(StoreError) -> SessionRecord? {
        guard let document = try await store.document(SessionRecord.kind, SessionRecord.id(tokenHash)) else { return nil }
        return try SessionRecord(document)
    }

    package func deleteSession(tokenHash: [UInt8], noting entry: AuditEntry? = nil) async throws(StoreError) {
        try await commit([Self.delete(tokenHash)], noting: entry)
    }

    package func deleteSessions(expiredBy date: Date) async throws(StoreError) {
        let query = DocumentQuery(SessionRecord.kind, where: .atMost("expires", SessionRecord.sortable(date)), limit: 500)
        while case let old = try await store.documents(query), !old.isEmpty {
            try await commit(old.map { .delete(kind: SessionRecord.kind, id: $0.id, expected: .anything) }, noting: nil)
        }
    }

    /// Every session of a user, one excepted.
    package func deleteSessions(of user: UUID, except tokenHash: [UInt8]?, noting entry: AuditEntry? = nil) async throws(StoreError) {
        let operations = try await ends(.all(except: tokenHash), of: user)
        guard !operations.isEmpty || entry != nil else { return }
        try await commit(operations, noting: entry)
    }

    private func sessions(of user: UUID) async throws(StoreError) -> [SessionRecord] {
        var sessions: [SessionRecord] = []
        let query = DocumentQuery(SessionRecord.kind, where: .equals("user", user.text), limit: Self.mostSessions)
        for document in try await store.documents(query) { sessions.append(try SessionRecord(document)) }
        return sessions
    }

    private func ends(_ ended: EndedSessions, of user: UUID) async throws(StoreError) -> [Batch.Operation] {
        guard case .all(let kept) = ended else { return [] }
        return try await sessions(of: user).filter { $0.tokenHash != kept }.map { Self.delete($0.tokenHash) }
    }

    private static func delete(_ tokenHash: [UInt8]) -> Batch.Operation {
        .delete(kind: SessionRecord.kind, id: SessionRecord.id(tokenHash), expected: .anything)
    }
}

// MARK: Meetings

extension Records {
    package func insert(_ meeting: Meeting, noting entry: AuditEntry? = nil) async throws(StoreError) {
        try await commit(
            [
                .put(kind: Meeting.kind, id: meeting.id.text, fields: meeting.fields, body: meeting.json.text, expected: .absent),
                .append(stream: meeting.stream, events: [meeting.storedEvent], expected: .absent),
            ], noting: entry)
    }

    package func meeting(_ id: UUID) async throws(StoreError) -> Meeting? {
        guard let document = try await store.document(Meeting.kind, id.text) else { return nil }
        return try Meeting(document)
    }

    /// Newest first.
    package func meetings(phase: MeetingPhase?, limit: Int, after: UUID?) async throws(StoreError) -> [Meeting] {
        let condition = phase.map { DocumentQuery.Condition.equals("phase", $0.rawValue) }
        let query = DocumentQuery(Meeting.kind, where: condition, isDescending: true, after: after?.text, limit: limit)
        var meetings: [Meeting] = []
        for document in try await store.documents(query) { meetings.append(try Meeting(document)) }
        return meetings
    }

    package func meetingCounts() async throws(StoreError) -> [MeetingPhase: Int] {
        var counts: [MeetingPhase: Int] = [:]
        for (name, count) in try await store.counts(Meeting.kind, by: "phase") {
            if let phase = MeetingPhase(rawValue: name) { counts[phase] = count }
        }
        return counts
    }

    /// The meeting and what happened to it, in one batch. The document's version guards the stream too: who saw an older one appends nothing.
    /// - Throws: `.stale` where the stored version is not `version`, `.missing` where there is none.
    package func update(_ meeting: Meeting, from version: Int, noting entry: AuditEntry? = nil) async throws(StoreError) {
        try await commit(
            [
                .put(
                    kind: Meeting.kind, id: meeting.id.text, fields: meeting.fields, body: meeting.json.text, expected: .version(version)),
                .append(stream: meeting.stream, events: [meeting.storedEvent], expected: .anything),
            ], noting: entry)
    }

    /// - Throws: `.stale` where the stored version is not `version`, `.missing` where there is none.
    package func deleteMeeting(_ id: UUID, version: Int, noting entry: AuditEntry? = nil) async throws(StoreError) {
        try await commit(
            [
                .delete(kind: Meeting.kind, id: id.text, expected: .version(version)),
                .drop(stream: Meeting.stream(id)),
            ], noting: entry)
    }
}
