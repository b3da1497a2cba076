import Foundation
import Meetings
import Testing

@testable import Store

/// A folder of its own for one test, gone when the test is.
final class TemporaryFolder {
    let path = NSTemporaryDirectory() + "/nhipcau-store-" + UUID().uuidString
    var file: String { path + "/nhipcau.sqlite" }
    init() { try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

struct SQLiteStoreTests {
    let folder = TemporaryFolder()
    let now = Date(timeIntervalSince1970: 1_800_000_000)

    func user(_ name: String = "lan") -> UserRecord {
        UserRecord(
            id: UUIDv7.make(at: now), username: name, name: "Lan", role: .secretary, organisation: "UBDT", passwordHash: "x", createdAt: now
        )
    }

    func meeting(by user: UserRecord, title: String = "Giao ban; DROP TABLE users --", at offset: TimeInterval = 0) -> Meeting {
        Meeting(
            id: UUIDv7.make(at: now.addingTimeInterval(offset)), title: title, startsAt: now, durationMinutes: 60, createdBy: user.id,
            createdAt: now)
    }

    @Test func `what was written is there when the file is opened again`() async throws {
        let lan = user()
        var meeting = meeting(by: lan)
        do {
            let store = try SQLiteStore(path: folder.file, now: now)
            try await store.insert(lan)
            try await store.insert(meeting)
            meeting.phase = .running
            meeting.version = 2
            try await store.update(meeting, from: 1)
            // No close: as after SIGKILL, only what the write-ahead log has is left.
            let second = try SQLiteStore(path: folder.file, now: now)
            #expect(try await second.meeting(meeting.id) == meeting)
            await store.close()
            await second.close()
        }
        let store = try SQLiteStore(path: folder.file, now: now)
        #expect(try await store.user(named: "lan") == lan)
        #expect(try await store.meetings(phase: .running, limit: 10, after: nil) == [meeting])
        #expect(try await store.meetingCounts() == [.running: 1])
    }

    @Test func `a stale version changes nothing and tells the current one`() async throws {
        let store = try SQLiteStore(path: folder.file, now: now)
        let lan = user()
        try await store.insert(lan)
        var meeting = meeting(by: lan)
        try await store.insert(meeting)
        meeting.version = 2
        try await store.update(meeting, from: 1)
        meeting.title = "late"
        await #expect(throws: StoreError.stale(current: 2)) { try await store.update(meeting, from: 1) }
        await #expect(throws: StoreError.stale(current: 2)) { try await store.deleteMeeting(meeting.id, version: 1) }
        #expect(try await store.meeting(meeting.id)?.title != "late")
        try await store.deleteMeeting(meeting.id, version: 2)
        await #expect(throws: StoreError.missing) { try await store.deleteMeeting(meeting.id, version: nil) }
    }

    @Test func `lists page newest first without a hole or a double`() async throws {
        let store = try SQLiteStore(path: folder.file, now: now)
        let lan = user()
        try await store.insert(lan)
        let all = (0..<25).map { meeting(by: lan, at: Double($0)) }
        for meeting in all.shuffled() { try await store.insert(meeting) }
        var seen: [UUID] = []
        while true {
            let page = try await store.meetings(phase: nil, limit: 10, after: seen.last)
            if page.isEmpty { break }
            seen += page.map(\.id)
        }
        #expect(seen == all.reversed().map(\.id))
    }

    @Test func `sessions expire, are bounded for each user, and go with their hash`() async throws {
        let store = try SQLiteStore(path: folder.file, now: now)
        let lan = user()
        try await store.insert(lan)
        for number in 0..<5 {
            let made = now.addingTimeInterval(Double(number))
            let session = SessionRecord(
                tokenHash: [UInt8(number)], user: lan.id, createdAt: made, expiresAt: made.addingTimeInterval(60), address: "::1")
            try await store.insert(session, most: 3)
        }
        #expect(try await store.session(tokenHash: [1]) == nil)
        #expect(try await store.session(tokenHash: [2])?.user == lan.id)
        try await store.deleteSession(tokenHash: [4])
        #expect(try await store.session(tokenHash: [4]) == nil)
        try await store.deleteSessions(expiredBy: now.addingTimeInterval(62))
        #expect(try await store.session(tokenHash: [2]) == nil)
        #expect(try await store.session(tokenHash: [3]) != nil)
    }

    @Test func `a username is taken once, and a meeting needs a user who exists`() async throws {
        let store = try SQLiteStore(path: folder.file, now: now)
        try await store.insert(user())
        await #expect(throws: StoreError.taken("users.username")) { try await store.insert(user()) }
        await #expect(throws: StoreError.self) { try await store.insert(meeting(by: user("nobody"))) }
        #expect(try await store.userCount() == 1)
    }

    @Test func `the audit is read newest first`() async throws {
        let store = try SQLiteStore(path: folder.file, now: now)
        let entries = (0..<4).map { number in
            AuditEntry(
                id: UUIDv7.make(at: now.addingTimeInterval(Double(number))), at: now, actor: nil, actorName: "x", action: "login.failed",
                detail: "\(number)")
        }
        for entry in entries { try await store.append(entry) }
        #expect(try await store.audit(limit: 2, after: nil).map(\.detail) == ["3", "2"])
        #expect(try await store.audit(limit: 9, after: entries[2].id).map(\.detail) == ["1", "0"])
        try await store.check()
    }

    @Test func `a newer schema is refused with both numbers and left as it is`() async throws {
        await (try SQLiteStore(path: folder.file, now: now)).close()
        let connection = try SQLiteConnection(path: folder.file)
        try connection.execute("INSERT INTO migrations (number, applied_at) VALUES (99, 0)")
        connection.close()
        #expect(throws: StoreError.newerSchema(found: 99, known: Migrations.steps.count)) { try SQLiteStore(path: folder.file, now: now) }
    }

    @Test func `a migration that fails leaves no part of itself`() throws {
        let connection = try SQLiteConnection(path: folder.file)
        let steps = ["CREATE TABLE a (x) ", "CREATE TABLE b (x); CREATE TABLE a (x)"]
        #expect(throws: StoreError.self) { try Migrations.apply(to: connection, steps: steps, now: now) }
        #expect(try connection.run("SELECT name FROM sqlite_master WHERE name IN ('a', 'b')") == [[.text("a")]])
        #expect(try connection.run("SELECT number FROM migrations") == [[.integer(1)]])
    }

    @Test func `a file that is no database and a database of something else are refused`() throws {
        try Data("not a database, but long enough to be looked at as one".utf8).write(to: URL(fileURLWithPath: folder.file))
        #expect(throws: StoreError.notADatabase(path: folder.file)) { try SQLiteStore(path: folder.file, now: now) }
        let other = folder.path + "/other.sqlite"
        try SQLiteConnection(path: other).execute("CREATE TABLE recipes (x)")
        #expect(throws: StoreError.notADatabase(path: other)) { try SQLiteStore(path: other, now: now) }
    }

    @Test func `a folder that cannot be made is told with its remedy`() throws {
        try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
        #expect {
            try SQLiteStore(path: folder.path + "/file/data/nhipcau.sqlite", now: now)
        } throws: { error in
            guard case .unwritable(_, let remedy)? = error as? StoreError else { return false }
            return remedy.contains("--data")
        }
    }

    @Test func `a closed store says so`() async throws {
        let store = try SQLiteStore(path: folder.file, now: now)
        await store.close()
        await #expect(throws: StoreError.closed) { try await store.check() }
    }
}
