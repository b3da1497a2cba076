import Base
import Foundation
import Meetings

/// The embedded store: one file, one connection, one queue of its own so that a slow disk holds up nobody else's thread.
///
/// Write-ahead log with `synchronous=FULL`: a write that was answered outlives SIGKILL and a power cut. `NORMAL` would be faster and outlive only
/// the first; a meeting's writes are few, a lost decision is not worth the millisecond.
package actor SQLiteStore: Store {
    private let connection: SQLiteConnection
    private let executor = QueueExecutor(label: "store")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - path: of the file; its folder is made where it is missing.
    ///   - now: noted beside migrations.
    /// - Throws: `.unwritable`, `.newerSchema`, `.notADatabase`.
    package init(path: String, now: Date) throws(StoreError) {
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            let mode: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: mode)
            } catch {
                throw .unwritable(path: path, remedy: "the folder \(folder) cannot be made; make it, or name another with --data")
            }
        }
        let connection = try SQLiteConnection(path: path)
        try connection.execute(
            "PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;"
                + "PRAGMA cache_size = -1024")
        try Migrations.apply(to: connection, now: now)
        self.connection = connection
    }

    package func close() { connection.close() }

    package func check() throws(StoreError) {
        try connection.run("INSERT INTO checks (id, at) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET at = (at + 1) % 1000000")
    }
}

extension SQLiteStore {
    package func insert(_ user: UserRecord) throws(StoreError) {
        try connection.run("INSERT INTO users (\(UserRecord.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", user.row)
    }

    package func update(_ user: UserRecord) throws(StoreError) {
        try connection.run(
            """
            UPDATE users SET username = ?2, name = ?3, role = ?4, organisation = ?5, password_hash = ?6, created_at = ?7,
            is_disabled = ?8, is_deleted = ?9, sites = ?10 WHERE id = ?1
            """, user.row)
        if connection.changes == 0 { throw .missing }
    }

    package func users(standingFor site: String) throws(StoreError) -> [UserRecord] {
        try users("WHERE is_deleted = 0 AND instr(sites, ?) > 0 ORDER BY id LIMIT 1000", [.text(",\(site),")])
    }

    package func administratorCount() throws(StoreError) -> Int {
        let rows = try connection.run("SELECT count(*) FROM users WHERE role = 'admin' AND is_disabled = 0 AND is_deleted = 0")
        return rows.first?.first?.int ?? 0
    }

    package func user(named username: String) throws(StoreError) -> UserRecord? {
        try users("WHERE username = ? AND is_deleted = 0", [.text(username)]).first
    }

    package func user(_ id: UUID) throws(StoreError) -> UserRecord? { try users("WHERE id = ?", [.uuid(id)]).first }

    package func users(limit: Int, after: UUID?) throws(StoreError) -> [UserRecord] {
        try users("WHERE id > ? AND is_deleted = 0 ORDER BY id LIMIT ?", [.text(after?.text ?? ""), .number(limit)])
    }

    package func userCount() throws(StoreError) -> Int { try connection.run("SELECT count(*) FROM users").first?.first?.int ?? 0 }

    private func users(_ clause: String, _ values: [SQLValue]) throws(StoreError) -> [UserRecord] {
        var users: [UserRecord] = []
        for row in try connection.run("SELECT \(UserRecord.columns) FROM users \(clause)", values) {
            users.append(try UserRecord(row: row))
        }
        return users
    }
}

extension SQLiteStore {
    package func insert(_ session: SessionRecord, most: Int) throws(StoreError) {
        let connection = connection
        try connection.transaction { () throws(StoreError) in
            try connection.run("INSERT INTO sessions (\(SessionRecord.columns)) VALUES (?, ?, ?, ?, ?)", session.row)
            try connection.run(
                """
                DELETE FROM sessions WHERE user = ?1 AND token_hash NOT IN
                (SELECT token_hash FROM sessions WHERE user = ?1 ORDER BY created_at DESC, rowid DESC LIMIT ?2)
                """, [.uuid(session.user), .number(most)])
        }
    }

    package func session(tokenHash: [UInt8]) throws(StoreError) -> SessionRecord? {
        let rows = try connection.run("SELECT \(SessionRecord.columns) FROM sessions WHERE token_hash = ?", [.blob(tokenHash)])
        return try rows.first.map { row throws(StoreError) in try SessionRecord(row: row) }
    }

    package func deleteSession(tokenHash: [UInt8]) throws(StoreError) {
        try connection.run("DELETE FROM sessions WHERE token_hash = ?", [.blob(tokenHash)])
    }

    package func deleteSessions(expiredBy date: Date) throws(StoreError) {
        try connection.run("DELETE FROM sessions WHERE expires_at <= ?", [.date(date)])
    }

    package func deleteSessions(of user: UUID, except tokenHash: [UInt8]?) throws(StoreError) {
        try connection.run(
            "DELETE FROM sessions WHERE user = ?1 AND token_hash IS NOT ?2", [.uuid(user), tokenHash.map { .blob($0) } ?? .null])
    }
}

extension SQLiteStore {
    package func insert(_ meeting: Meeting) throws(StoreError) {
        try connection.run("INSERT INTO meetings (\(Meeting.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", meeting.row)
    }

    package func meeting(_ id: UUID) throws(StoreError) -> Meeting? { try meetings("WHERE id = ?", [.uuid(id)]).first }

    package func meetings(phase: MeetingPhase?, limit: Int, after: UUID?) throws(StoreError) -> [Meeting] {
        let before = SQLValue.text(after?.text ?? "~")  // sorts after every identifier
        guard let phase else { return try meetings("WHERE id < ? ORDER BY id DESC LIMIT ?", [before, .number(limit)]) }
        return try meetings("WHERE phase = ? AND id < ? ORDER BY id DESC LIMIT ?", [.text(phase.rawValue), before, .number(limit)])
    }

    package func meetingCounts() throws(StoreError) -> [MeetingPhase: Int] {
        var counts: [MeetingPhase: Int] = [:]
        for row in try connection.run("SELECT phase, count(*) FROM meetings GROUP BY phase") {
            if let phase = MeetingPhase(rawValue: row[0].string) { counts[phase] = row[1].int }
        }
        return counts
    }

    package func update(_ meeting: Meeting, from version: Int) throws(StoreError) {
        let connection = connection
        try connection.transaction { () throws(StoreError) in
            try connection.run(
                """
                UPDATE meetings SET title = ?2, phase = ?3, starts_at = ?4, duration_minutes = ?5, ended_at = ?6, layout = ?7, is_locked = ?8,
                capacity = ?9, created_by = ?10, created_at = ?11, version = ?12, restrictions = ?13 WHERE id = ?1 AND version = ?14
                """, meeting.row + [.number(version)])
            if connection.changes == 0 { throw try refusal(meeting.id) }
        }
    }

    package func deleteMeeting(_ id: UUID, version: Int?) throws(StoreError) {
        let connection = connection
        try connection.transaction { () throws(StoreError) in
            let wanted = version.map { SQLValue.number($0) } ?? .null
            try connection.run("DELETE FROM meetings WHERE id = ?1 AND (?2 IS NULL OR version = ?2)", [.uuid(id), wanted])
            if connection.changes == 0 { throw try refusal(id) }
        }
    }

    /// Why no row matched.
    private func refusal(_ id: UUID) throws(StoreError) -> StoreError {
        try meeting(id).map { .stale(current: $0.version) } ?? .missing
    }

    private func meetings(_ clause: String, _ values: [SQLValue]) throws(StoreError) -> [Meeting] {
        var meetings: [Meeting] = []
        for row in try connection.run("SELECT \(Meeting.columns) FROM meetings \(clause)", values) {
            meetings.append(try Meeting(row: row))
        }
        return meetings
    }
}

extension SQLiteStore {
    package func append(_ entry: AuditEntry) throws(StoreError) {
        try connection.run("INSERT INTO audit (\(AuditEntry.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entry.row)
    }

    package func audit(limit: Int, after: UUID?) throws(StoreError) -> [AuditEntry] {
        let sql = "SELECT \(AuditEntry.columns) FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?"
        var entries: [AuditEntry] = []
        for row in try connection.run(sql, [.text(after?.text ?? "~"), .number(limit)]) { entries.append(try AuditEntry(row: row)) }
        return entries
    }

    package func amendAudit(_ id: UUID, detail: String) throws(StoreError) {
        try connection.run("UPDATE audit SET detail = ?2 WHERE id = ?1", [.uuid(id), .text(detail)])
    }

    package func audit(before date: Date, limit: Int) throws(StoreError) -> [AuditEntry] {
        // Identifiers begin with the time (UUIDv7), so that their order is that of the rows and no further index is needed.
        let sql = "SELECT \(AuditEntry.columns) FROM audit WHERE id < ? AND at < ? ORDER BY id LIMIT ?"
        var entries: [AuditEntry] = []
        for row in try connection.run(sql, [.uuid(UUIDv7.least(at: date)), .date(date), .number(limit)]) {
            entries.append(try AuditEntry(row: row))
        }
        return entries
    }

    package func deleteAudit(through id: UUID) throws(StoreError) {
        try connection.run("DELETE FROM audit WHERE id <= ?", [.uuid(id)])
    }
}
