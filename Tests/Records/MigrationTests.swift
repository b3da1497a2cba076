import Base
import Foundation
import Meetings
import Testing

@testable import Records
@testable import Store

/// An installation of the version before has a table for each kind of row.
struct MigrationTests {
    private let time = 1_790_000_000_123

    private func date(_ milliseconds: Int) -> Date { Date(timeIntervalSince1970: Double(milliseconds) / 1_000) }

    @Test func `an installation of the version before is there with everything`() async throws {
        let path = NSTemporaryDirectory() + "nhipcau-before-\(UUID().uuidString).sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let (admin, gone, site, one) = (UUID(), UUID(), UUID(), UUID())
        let audits = (0..<5).map { UUIDv7.make(at: date(time + 1_000 * $0)) }
        try fill(path, admin: admin, gone: gone, site: site, meeting: one, audits: audits)

        let records = Records(try SQLiteStore(path: path, now: Date()))
        let found = try #require(try await records.user(named: "admin"))
        #expect(found.id == admin && found.role == .admin && found.name == "Quản \"trị\" viên\n" && found.createdAt == date(time))
        #expect(found.passwordHash == "scrypt$h" && !found.isDisabled && found.sites == [])
        #expect(try await records.user(named: "~gone") == nil)
        let deleted = try #require(try await records.user(gone))
        #expect(deleted.isDeleted && deleted.isDisabled)
        #expect(try await records.user(site)?.sites == ["14", "*", "02"])
        #expect(try await records.users(standingFor: "02").map(\.id) == [site])
        #expect(try await records.users(limit: 9, after: nil).map(\.id) == [admin, site].sorted { $0.text < $1.text })
        #expect(try await records.userCount() == 3)
        #expect(try await records.administratorCount() == 1)

        let session = try #require(try await records.session(tokenHash: [0xab, 0x0c]))
        #expect(session.user == site && session.createdAt == date(time) && session.expiresAt == date(time + 9) && session.address == "::1")
        try await records.deleteSessions(expiredBy: date(time + 8))
        #expect(try await records.session(tokenHash: [0xab, 0x0c]) == session)

        var meeting = try #require(try await records.meeting(one))
        #expect(
            meeting.title == "Giao ban" && meeting.phase == .running && meeting.version == 7 && meeting.isLocked && meeting.endedAt == nil)
        #expect(meeting.restrictions.removed == [site: "Sơn La"] && meeting.restrictions.muted == [gone] && meeting.capacity == 60)
        meeting.title = "Khác"
        meeting.version = 8
        try await records.update(meeting, from: 7)
        #expect(try await records.meetings(phase: .running, limit: 9, after: nil) == [meeting])
        #expect(try await records.store.version(of: meeting.stream) == 2)

        #expect(try await records.audit(limit: 9, after: nil).map(\.id) == audits.reversed())
        #expect(try await records.audit(limit: 1, after: audits[1]).first?.detail == "chi tiết 0")
        let later = AuditEntry(
            id: UUIDv7.make(at: date(time + 99_000)), at: date(time + 99_000), actor: admin, actorName: "admin", action: "a")
        try await records.append(later)
        #expect(try await records.audit(limit: 1, after: nil) == [later])
        await records.close()
        // Once is enough.
        await Records(try SQLiteStore(path: path, now: Date())).close()
    }

    /// As the version before wrote it: the first three steps, and rows.
    private func fill(_ path: String, admin: UUID, gone: UUID, site: UUID, meeting: UUID, audits: [UUID]) throws {
        let connection = try SQLiteConnection(path: path)
        try SQLiteMigrations.apply(to: connection, steps: Array(SQLiteMigrations.steps.prefix(3)), now: date(time))
        func user(_ id: UUID, _ name: String, _ shown: String, _ role: String, _ flags: (Int, Int), _ sites: String) throws {
            try connection.run(
                "INSERT INTO users VALUES ($1, $2, $3, $4, 'Ủy ban', 'scrypt$h', $5, $6, $7, $8)",
                [
                    .text(id.text), .text(name), .text(shown), .text(role), .number(time), .number(flags.0), .number(flags.1), .text(sites),
                ])
        }
        try user(admin, "admin", "Quản \"trị\" viên\n", "admin", (0, 0), "")
        try user(gone, "~gone", "Cũ", "admin", (1, 1), "")
        try user(site, "dientbien", "Điện Biên", "operator", (0, 0), ",14,*,02,")
        try connection.execute("INSERT INTO sessions VALUES (x'ab0c', '\(site.text)', \(time), \(time + 9), '::1')")
        let restrictions = "{\"removed\":[\"\(site.uuidString)\",\"Sơn La\"],\"muted\":[\"\(gone.uuidString)\"],\"hidden\":[]}"
        try connection.run(
            "INSERT INTO meetings VALUES ($1, 'Giao ban', 'running', $2, 60, NULL, 'grid', 1, 60, $3, $4, 7, $5)",
            [.text(meeting.text), .number(time), .text(admin.text), .number(time), .text(restrictions)])
        for (index, id) in audits.enumerated() {
            try connection.run(
                "INSERT INTO audit VALUES ($1, $2, $3, 'admin', 'meeting.start', 'x', $4, '')",
                [.text(id.text), .number(time + 1_000 * index), index == 0 ? .null : .text(admin.text), .text("chi tiết \(index)")])
        }
        connection.close()
    }
}
