import Base
import Foundation
import Meetings
import Testing

@testable import Records
@testable import Store

/// Each test has a file of its own, which goes with it.
final class RecordsTests {
    private let path = NSTemporaryDirectory() + "nhipcau-store-\(UUID().uuidString).sqlite"
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    deinit { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }

    private func user(_ name: String = "thuky") -> UserRecord {
        UserRecord(
            id: UUIDv7.make(at: now), username: name, name: "Thư ký", role: .secretary, organisation: "", passwordHash: "h", createdAt: now)
    }

    private func meeting(_ user: UserRecord, at date: Date) -> Meeting {
        Meeting(id: UUIDv7.make(at: date), title: "Giao ban", startsAt: date, durationMinutes: 60, createdBy: user.id, createdAt: date)
    }

    @Test func `what was written is there when the file is opened again`() async throws {
        let somebody = user()
        var first: Records? = Records(try SQLiteStore(path: path, now: now))
        try await first?.insert(somebody)
        var made = meeting(somebody, at: now)
        try await first?.insert(made)
        made.phase = .running
        made.version = 2
        try await first?.update(made, from: 1)
        // Not closed: as after SIGKILL, the next one finds the write-ahead log.
        first = nil
        let second = Records(try SQLiteStore(path: path, now: now))
        #expect(try await second.meeting(made.id) == made)
        #expect(try await second.user(named: "thuky") == somebody)
        await second.close()
    }

    @Test func `a change of a version that is no more is refused and changes nothing`() async throws {
        let store = Records(try SQLiteStore(path: path, now: now))
        let somebody = user()
        try await store.insert(somebody)
        var made = meeting(somebody, at: now)
        try await store.insert(made)
        made.title = "Khác"
        made.version = 2
        try await store.update(made, from: 1)
        var late = made
        late.title = "Muộn"
        await #expect(throws: StoreError.stale(current: 2)) { try await store.update(late, from: 1) }
        #expect(try await store.meeting(made.id)?.title == "Khác")
        await #expect(throws: StoreError.taken("username")) { try await store.insert(self.user()) }
        await store.close()
    }

    @Test func `pages follow each other without a hole, newest first`() async throws {
        let store = Records(try SQLiteStore(path: path, now: now))
        let somebody = user()
        try await store.insert(somebody)
        var made: [UUID] = []
        for index in 0..<25 {
            let one = meeting(somebody, at: now.addingTimeInterval(Double(index)))
            made.insert(one.id, at: 0)
            try await store.insert(one)
        }
        var seen: [UUID] = []
        while true {
            let page = try await store.meetings(phase: nil, limit: 7, after: seen.last)
            if page.isEmpty { break }
            seen += page.map(\.id)
        }
        #expect(seen == made)
        await store.close()
    }

    @Test func `sessions end by time and by number`() async throws {
        let store = Records(try SQLiteStore(path: path, now: now))
        let somebody = user()
        try await store.insert(somebody)
        for index in 0..<5 {
            let session = SessionRecord(
                tokenHash: [UInt8(index)], user: somebody.id, createdAt: now.addingTimeInterval(Double(index)),
                expiresAt: now.addingTimeInterval(100), address: "")
            try await store.insert(session, most: 3)
        }
        #expect(try await store.session(tokenHash: [0]) == nil)
        #expect(try await store.session(tokenHash: [4]) != nil)
        try await store.deleteSessions(expiredBy: now.addingTimeInterval(101))
        #expect(try await store.session(tokenHash: [4]) == nil)
        await store.close()
    }

    @Test func `a folder that cannot be written to and a file that is no database are told apart`() throws {
        #expect(throws: StoreError.self) { try SQLiteStore(path: "/proc/nowhere/x.sqlite", now: now) }
        try Data(repeating: 0x41, count: 4_096).write(to: URL(filePath: path))
        #expect(throws: StoreError.notADatabase(path: path)) { try SQLiteStore(path: path, now: now) }
    }

    @Test func `an account that somebody else changed in between is not overwritten`() async throws {
        let store = Records(try SQLiteStore(path: path, now: now))
        let somebody = user()
        try await store.insert(somebody)
        var (mine, theirs) = (somebody, somebody)
        theirs.name = "Khác"
        try await store.update(theirs)
        mine.name = "Muộn"
        await #expect(throws: StoreError.stale(current: 2)) { try await store.update(mine) }
        let kept = try #require(try await store.user(somebody.id))
        #expect(kept.name == "Khác" && kept.version == 2)
        await #expect(throws: StoreError.missing) { try await store.update(self.user("không")) }
        await store.close()
    }

    @Test func `a change, the sessions it ends and its note are there together, or none is`() async throws {
        let store = Records(try SQLiteStore(path: path, now: now))
        var somebody = user()
        try await store.insert(somebody)
        let session = SessionRecord(
            tokenHash: [1, 2], user: somebody.id, createdAt: now, expiresAt: now.addingTimeInterval(9), address: "a")
        try await store.insert(session, most: 3)
        let note = AuditEntry(id: UUIDv7.make(at: now), at: now, actor: nil, actorName: "a", action: "user.change")
        try await store.append(note)
        somebody.role = .operator
        // The note's identifier is there already, so that the last write of the batch is refused.
        await #expect(throws: StoreError.taken("key")) { try await store.update(somebody, ending: .all(except: nil), noting: note) }
        #expect(try await store.user(somebody.id)?.role == .secretary)
        #expect(try await store.session(tokenHash: [1, 2]) == session)
        var other = note
        other.id = UUIDv7.make(at: now.addingTimeInterval(1))
        try await store.update(somebody, ending: .all(except: nil), noting: other)
        #expect(try await store.session(tokenHash: [1, 2]) == nil)
        #expect(try await store.audit(limit: 9, after: nil).map(\.id) == [other.id, note.id])
        await store.close()
    }

    @Test(arguments: 0..<20) func `administrators who demote each other at the same time leave one`(round: Int) async throws {
        let store = Records(try SQLiteStore(path: path, now: now))
        var administrators: [UserRecord] = []
        for number in 0..<3 {
            var one = user("quantri\(number)")
            one.role = .admin
            administrators.append(one)
            try await store.insert(one)
        }
        await withTaskGroup { group in
            for one in administrators {
                group.addTask {
                    var lowered = one
                    lowered.role = .operator
                    try? await store.update(lowered, keepsAnAdministrator: true)
                }
            }
        }
        #expect(try await store.administratorCount() == 1)
        await store.close()
    }

    @Test func `what repeats is counted beside its entry`() async throws {
        let store = Records(try SQLiteStore(path: path, now: now))
        var ids: [UUID] = []
        for second in 0..<6 {
            let time = now.addingTimeInterval(Double(second))
            ids.append(UUIDv7.make(at: time))
            try await store.append(AuditEntry(id: ids[second], at: time, actor: nil, actorName: "a", action: "x", detail: "một"))
        }
        try await store.amendAudit(ids[1], detail: "hai")
        try await store.amendAudit(ids[4], detail: "ba")
        try await store.amendAudit(ids[4], detail: "bốn")
        let first = try await store.audit(limit: 3, after: nil)
        #expect(first.map(\.detail) == ["một", "bốn", "một"])
        #expect(try await store.audit(limit: 3, after: first.last?.id).map(\.detail) == ["một", "hai", "một"])
        try await store.deleteAudit(through: ids[1])
        #expect(try await store.store.count("auditCount", where: nil) == 1)
        #expect(try await store.audit(limit: 3, after: ids[1]).isEmpty)
        await store.close()
    }

    @Test func `a meeting's stream tells each of its changes and goes with it`() async throws {
        let store = Records(try SQLiteStore(path: path, now: now))
        let somebody = user()
        try await store.insert(somebody)
        var made = meeting(somebody, at: now)
        made.restrictions.removed = [somebody.id: "Ai đó"]
        made.restrictions.muted = [somebody.id]
        try await store.insert(made)
        made.phase = .running
        made.version = 2
        try await store.update(made, from: 1)
        #expect(try await store.meeting(made.id) == made)
        #expect(try await store.store.events(of: made.stream, .after(0, limit: 9)).count == 2)
        #expect(try await store.meetingCounts() == [.running: 1])
        await #expect(throws: StoreError.stale(current: 2)) { try await store.deleteMeeting(made.id, version: 1) }
        try await store.deleteMeeting(made.id, version: 2)
        #expect(try await store.store.version(of: made.stream) == 0)
        await #expect(throws: StoreError.missing) { try await store.deleteMeeting(made.id, version: 2) }
        await store.close()
    }

    @Test(arguments: ["", "{}", "[]", "{\"username\":1}", "null", "\u{0}"])
    func `a row that no version wrote is a failure with words`(body: String) {
        let document = Document(kind: "user", id: UUID().uuidString, version: 1, body: body)
        #expect(throws: StoreError.self) { try UserRecord(document) }
        #expect(throws: StoreError.self) { try Meeting(document) }
        #expect(throws: StoreError.self) { try SessionRecord(document) }
        #expect(throws: StoreError.self) { try AuditEntry(StoredEvent(number: 1, key: UUID().uuidString, body: body)) }
    }
}
