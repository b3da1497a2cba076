import Base
import Foundation
import Meetings
import Records
import Store
import Testing

@testable import ControlPlane

struct AuditSummaryTests {
    /// So that a question may stand in an expectation.
    private final class Kept {
        private var summary = AuditSummary()
        func isNew(_ entry: AuditEntry) -> Bool { summary.isNew(entry) }
        func takeChanges(at now: Date) -> [(id: UUID, detail: String)] { summary.takeChanges(at: now) }
    }

    private let start = Date(timeIntervalSince1970: 1_800_000_000)

    private func entry(_ action: String, _ subject: String, at seconds: Double = 0, address: String = "192.0.2.1", actor: String = "")
        -> AuditEntry
    {
        let time = start.addingTimeInterval(seconds)
        return AuditEntry(
            id: UUIDv7.make(at: time), at: time, actor: nil, actorName: actor, action: action, subject: subject, address: address)
    }

    @Test func `looking for rows that are too old reads one where none is, and all of them where some are`() async throws {
        let store = try HeldStore(now: start)
        for number in 0..<50 { try await store.records.append(entry("meeting.start", "\(number)", at: Double(number))) }
        #expect(try await store.records.audit(before: start, limit: 1_000).isEmpty)
        #expect(store.eventsRead == 1)
        let old = try await store.records.audit(before: start.addingTimeInterval(20), limit: 1_000)
        #expect(old.map(\.subject) == (0..<20).map(String.init))
    }

    @Test func `refused logins of an address within a minute are one row with a count, whatever the names`() {
        let summary = Kept()
        let first = entry("session.refused", "admin")
        #expect(summary.isNew(first))
        for number in 0..<500 { #expect(!summary.isNew(entry("session.refused", "name\(number)", at: 0.1 * Double(number)))) }
        #expect(summary.isNew(entry("session.refused", "admin", at: 10, address: "192.0.2.2")))
        let changes = summary.takeChanges(at: start.addingTimeInterval(55))
        #expect(changes.map(\.id) == [first.id])
        #expect(changes.first?.detail == "501 times within a minute: admin, name0, name1, name2, name3")
        #expect(summary.takeChanges(at: start.addingTimeInterval(56)).isEmpty)
        #expect(summary.isNew(entry("session.refused", "admin", at: 61)))
    }

    @Test func `what was done is never summed up, nor are refusals of different things`() {
        let summary = Kept()
        for action in ["user.create", "meeting.start", "command.mute", "session.begin", "media.join"] {
            for _ in 0..<3 { #expect(summary.isNew(entry(action, "x", actor: "a"))) }
        }
        #expect(summary.isNew(entry("command.refused", "one", actor: "a")) && summary.isNew(entry("command.refused", "two", actor: "a")))
        #expect(summary.isNew(entry("command.refused", "one", actor: "b")) && !summary.isNew(entry("command.refused", "one", actor: "a")))
    }

    @Test func `addresses by the ten thousand fill no memory`() {
        let summary = Kept()
        let rows = (0..<4_000).count { summary.isNew(entry("session.refused", "x", address: "10.0.\($0 >> 8).\($0 & 255)")) }
        #expect(rows == 4_000)
        #expect(!summary.isNew(entry("session.refused", "x", address: "10.0.0.1")))
    }
}
