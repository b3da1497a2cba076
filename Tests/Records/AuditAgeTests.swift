import Base
import Foundation
import Meetings
import Testing

@testable import Records
@testable import Store

struct AuditAgeTests {
    @Test func `of the audit the oldest rows are handed out first, and go up to the one that is named`() async throws {
        let folder = NSTemporaryDirectory() + "nhipcau-audit-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = Records(try SQLiteStore(path: folder + "/a.sqlite", now: Date()))
        let start = Date(timeIntervalSince1970: 1_700_000_000)
        for day in 0..<10 {
            let time = start.addingTimeInterval(Double(day) * 86_400)
            try await store.append(
                AuditEntry(id: UUIDv7.make(at: time), at: time, actor: nil, actorName: "a", action: "day", subject: "\(day)"))
        }
        let limit = start.addingTimeInterval(5 * 86_400)
        let old = try await store.audit(before: limit, limit: 3)
        #expect(old.map(\.subject) == ["0", "1", "2"])
        try await store.amendAudit(old[2].id, detail: "đổi")
        #expect(try await store.audit(before: limit, limit: 3).last?.detail == "đổi")
        try await store.deleteAudit(through: old[2].id)
        #expect(try await store.audit(before: limit, limit: 10).map(\.subject) == ["3", "4"])
        #expect(try await store.audit(limit: 20, after: nil).count == 7)
        await store.close()
    }
}
