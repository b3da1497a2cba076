import Foundation
import Meetings

/// What lasts. SQLite now, PostgreSQL later: nothing above this protocol knows which.
///
/// Every call is one transaction: it happens whole or not at all, and when it returns, a crash does not undo it.
package protocol Store: Sendable {
    func insert(_ user: UserRecord) async throws(StoreError)
    func user(named username: String) async throws(StoreError) -> UserRecord?
    func user(_ id: UUID) async throws(StoreError) -> UserRecord?
    /// In the order of their identifiers, which is that of their making.
    func users(limit: Int, after: UUID?) async throws(StoreError) -> [UserRecord]
    func userCount() async throws(StoreError) -> Int
    /// Replaces everything but the identifier.
    /// - Throws: `.missing`, `.taken`.
    func update(_ user: UserRecord) async throws(StoreError)
    /// Users who may stand for this site by name; those who may stand for all are not among them.
    func users(standingFor site: String) async throws(StoreError) -> [UserRecord]
    /// Administrators whose accounts are open.
    func administratorCount() async throws(StoreError) -> Int

    /// Keeps at most `most` sessions of a user; the oldest go.
    func insert(_ session: SessionRecord, most: Int) async throws(StoreError)
    func session(tokenHash: [UInt8]) async throws(StoreError) -> SessionRecord?
    func deleteSession(tokenHash: [UInt8]) async throws(StoreError)
    func deleteSessions(expiredBy date: Date) async throws(StoreError)
    /// Every session of a user, one excepted.
    func deleteSessions(of user: UUID, except tokenHash: [UInt8]?) async throws(StoreError)

    func insert(_ meeting: Meeting) async throws(StoreError)
    func meeting(_ id: UUID) async throws(StoreError) -> Meeting?
    /// Newest first.
    func meetings(phase: MeetingPhase?, limit: Int, after: UUID?) async throws(StoreError) -> [Meeting]
    func meetingCounts() async throws(StoreError) -> [MeetingPhase: Int]
    /// - Throws: `.stale` where the stored version is not `version`, `.missing` where there is none.
    func update(_ meeting: Meeting, from version: Int) async throws(StoreError)
    /// - Parameter version: nil deletes whatever the version is.
    func deleteMeeting(_ id: UUID, version: Int?) async throws(StoreError)

    func append(_ entry: AuditEntry) async throws(StoreError)
    /// Newest first.
    func audit(limit: Int, after: UUID?) async throws(StoreError) -> [AuditEntry]
    /// What a row that sums up others says by now.
    func amendAudit(_ id: UUID, detail: String) async throws(StoreError)
    /// The oldest entries of before a date, oldest first.
    func audit(before date: Date, limit: Int) async throws(StoreError) -> [AuditEntry]
    /// Every entry up to this one.
    func deleteAudit(through id: UUID) async throws(StoreError)

    /// Reads and writes a row, so that a full disk or a lost folder is found before somebody's meeting finds it.
    func check() async throws(StoreError)
    func close() async
}

package struct UserRecord: Sendable, Equatable, Identifiable {
    package var id: UUID
    /// In lower case, unique.
    package var username: String
    package var name: String
    package var role: UserRole
    package var organisation: String
    /// Scheme, parameters, salt and hash as one text; the store does not look inside.
    package var passwordHash: String
    package var createdAt: Date
    /// Shut: nobody signs in by it.
    package var isDisabled = false
    /// Gone for people; kept, since meetings and the audit name it.
    package var isDeleted = false
    /// Codes of the sites that it may stand for; empty: any that is nobody's. `*` is every one.
    package var sites: [String] = []
    package init(id: UUID, username: String, name: String, role: UserRole, organisation: String, passwordHash: String, createdAt: Date) {
        (self.id, self.username, self.name, self.role) = (id, username, name, role)
        (self.organisation, self.passwordHash, self.createdAt) = (organisation, passwordHash, createdAt)
    }
}

/// A login. The token itself is never stored: who reads the database cannot act as its users.
package struct SessionRecord: Sendable, Equatable {
    /// SHA-256 of the token.
    package var tokenHash: [UInt8]
    package var user: UUID
    package var createdAt: Date
    package var expiresAt: Date
    package var address: String
    package init(tokenHash: [UInt8], user: UUID, createdAt: Date, expiresAt: Date, address: String) {
        (self.tokenHash, self.user, self.createdAt) = (tokenHash, user, createdAt)
        (self.expiresAt, self.address) = (expiresAt, address)
    }
}

/// One act of power, or one that was refused.
package struct AuditEntry: Sendable, Equatable, Identifiable {
    package var id: UUID
    package var at: Date
    /// nil where nobody was signed in.
    package var actor: UUID?
    package var actorName: String
    /// A stable word such as "meeting.start" or "command.refused".
    package var action: String
    /// What it was done to, as an identifier; empty where there is none.
    package var subject: String
    package var detail: String
    package var address: String
    package init(
        id: UUID, at: Date, actor: UUID?, actorName: String, action: String, subject: String = "", detail: String = "", address: String = ""
    ) {
        (self.id, self.at, self.actor, self.actorName, self.action) = (id, at, actor, actorName, action)
        (self.subject, self.detail, self.address) = (subject, detail, address)
    }
}

/// Why the store said no.
package enum StoreError: Error, Equatable, Sendable {
    /// The folder or file cannot be written; `remedy` says what to do.
    case unwritable(path: String, remedy: String)
    /// The file was made by a newer version of the program.
    case newerSchema(found: Int, known: Int)
    case notADatabase(path: String)
    case stale(current: Int)
    case missing
    /// Something unique is already there, such as a username.
    case taken(String)
    case full
    case closed
    case failed(code: Int32, message: String)
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unwritable(let path, let remedy): "the database \(path) cannot be written: \(remedy)"
        case .newerSchema(let found, let known):
            "the database has schema \(found), this program knows up to \(known): start the newer program, or restore a backup made by this one"
        case .notADatabase(let path): "\(path) is not a database of nhipcau: move it away, or name another folder with --data"
        case .stale(let current): "the stored version is \(current)"
        case .missing: "there is no such row"
        case .taken(let what): "\(what) is taken"
        case .full: "the disk of the database is full: free some space"
        case .closed: "the store is closed"
        case .failed(let code, let message): "SQLite error \(code): \(message)"
        }
    }
}
