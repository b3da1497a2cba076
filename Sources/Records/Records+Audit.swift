import Base
import Formats
import Foundation
import Meetings
import Store

// The audit is a stream: what is written stays as it is. How often something repeated is a document beside its entry.
extension Records {
    private static let count = "auditCount"

    package func append(_ entry: AuditEntry) async throws(StoreError) {
        try await store.commit(Batch([.append(stream: AuditEntry.stream, events: [entry.event], expected: .anything)]))
    }

    /// Newest first.
    /// - Parameter after: the last entry of the page before; after one that is gone there is nothing.
    package func audit(limit: Int, after: UUID?) async throws(StoreError) -> [AuditEntry] {
        var edge: Int?
        if let after {
            guard let number = try await store.number(of: after.text, in: AuditEntry.stream) else { return [] }
            edge = number
        }
        return try await entries(try await store.events(of: AuditEntry.stream, .before(edge, limit: limit)))
    }

    /// What an entry that sums up others says by now.
    package func amendAudit(_ id: UUID, detail: String) async throws(StoreError) {
        try await store.commit(
            Batch([
                .put(
                    kind: Self.count, id: id.text, fields: [], body: JSONValue.object([("detail", .string(detail))]).text,
                    expected: .anything)
            ]))
    }

    /// The oldest entries of before a date, oldest first.
    package func audit(before date: Date, limit: Int) async throws(StoreError) -> [AuditEntry] {
        // Asked each minute, and as a rule nothing is that old: one is read before many are.
        guard let first = try await store.events(of: AuditEntry.stream, .after(0, limit: 1)).first, try AuditEntry(first).at < date
        else { return [] }
        let oldest = try await store.events(of: AuditEntry.stream, .after(0, limit: limit))
        return try await entries(oldest).prefix { $0.at < date } + []
    }

    /// Every entry up to this one.
    package func deleteAudit(through id: UUID) async throws(StoreError) {
        guard let number = try await store.number(of: id.text, in: AuditEntry.stream) else { return }
        var operations: [Batch.Operation] = [.trim(stream: AuditEntry.stream, through: number)]
        let query = DocumentQuery(Self.count, limit: 1_000)
        // Counts are in the order of their entries' identifiers, and so of time.
        for document in try await store.documents(query).prefix(while: { $0.id <= id.text }) {
            operations.append(.delete(kind: Self.count, id: document.id, expected: .anything))
        }
        try await store.commit(Batch(operations))
    }

    private func entries(_ events: [StoredEvent]) async throws(StoreError) -> [AuditEntry] {
        var entries: [AuditEntry] = []
        for event in events { entries.append(try AuditEntry(event)) }
        guard let least = entries.map(\.id.text).min(), let most = entries.map(\.id.text).max() else { return entries }
        // Identifiers begin with the time, so the counts of these entries lie together. A text sorts behind its own beginning.
        var details: [String: String] = [:]
        let query = DocumentQuery(Self.count, after: String(least.dropLast()), limit: 2 * entries.count)
        for document in try await store.documents(query).prefix(while: { $0.id <= most }) {
            details[document.id] = try StoredFields(document.body).string("detail")
        }
        return entries.map { entry in
            var entry = entry
            entry.detail = details[entry.id.text] ?? entry.detail
            return entry
        }
    }
}
