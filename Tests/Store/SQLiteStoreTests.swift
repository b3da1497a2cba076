import Base
import Foundation
import Meetings
import Testing

@testable import Store

/// Each test has a file of its own, which goes with it.
final class SQLiteStoreTests {
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
        var first: SQLiteStore? = try SQLiteStore(path: path, now: now)
        try await first?.insert(somebody)
        var made = meeting(somebody, at: now)
        try await first?.insert(made)
        made.phase = .running
        made.version = 2
        try await first?.update(made, from: 1)
        // Not closed: as after SIGKILL, the next one finds the write-ahead log.
        first = nil
        let second = try SQLiteStore(path: path, now: now)
        #expect(try await second.meeting(made.id) == made)
        #expect(try await second.user(named: "thuky") == somebody)
        await second.close()
    }

    @Test func `a change of a version that is no more is refused and changes nothing`() async throws {
        let store = try SQLiteStore(path: path, now: now)
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
        await #expect(throws: StoreError.taken("users.username")) { try await store.insert(self.user()) }
        await store.close()
    }

    @Test func `pages follow each other without a hole, newest first`() async throws {
        let store = try SQLiteStore(path: path, now: now)
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
        let store = try SQLiteStore(path: path, now: now)
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
}
