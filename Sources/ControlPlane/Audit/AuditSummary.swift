import Foundation
import Records
import Store

/// Refusals and readings that repeat within a minute are one row with a count: whoever knocks a thousand times does not push everything else out of sight.
/// Bounded: what does not fit is a row of its own, and those are bounded by what limits the asking.
struct AuditSummary: Sendable {
    static let window: TimeInterval = 60
    static let mostRows = 2_000
    private static let mostNames = 5

    private struct Key: Hashable {
        var action: String
        var who: String
        var what: String
    }
    private struct Row {
        var id: UUID
        var begun: Date
        var detail: String
        var count = 1
        var names: [String]
        var isChanged = false
    }
    private var rows: [Key: Row] = [:]

    /// Actions that are summed up, and what makes two of them the same besides who did it: guesses at the door are one whatever the names.
    private static func key(_ entry: AuditEntry) -> Key? {
        let who = "\(entry.actorName)\u{0}\(NetworkAddress.network(of: entry.address))"
        switch entry.action {
        case "session.refused": return Key(action: entry.action, who: NetworkAddress.network(of: entry.address), what: "")
        case "channel.refused", "audit.read", "users.read": return Key(action: entry.action, who: who, what: "")
        case "call.refused", "command.refused": return Key(action: entry.action, who: who, what: "\(entry.subject)\u{0}\(entry.detail)")
        default: return nil
        }
    }

    /// - Returns: whether the entry is a row of its own; otherwise it was counted to one that is there.
    mutating func isNew(_ entry: AuditEntry) -> Bool {
        guard let key = Self.key(entry) else { return true }
        if var row = rows[key], entry.at.timeIntervalSince(row.begun) < Self.window {
            row.count += 1
            row.isChanged = true
            if row.names.count < Self.mostNames, !row.names.contains(entry.subject) { row.names.append(entry.subject) }
            rows[key] = row
            return false
        }
        if rows[key] == nil, rows.count >= Self.mostRows {
            rows = rows.filter { $0.value.isChanged || entry.at.timeIntervalSince($0.value.begun) < Self.window }
            guard rows.count < Self.mostRows else { return true }
        }
        rows[key] = Row(id: entry.id, begun: entry.at, detail: entry.detail, names: [entry.subject])
        return true
    }

    /// What rows say by now, of those that have changed since they were last taken.
    mutating func takeChanges(at now: Date) -> [(id: UUID, detail: String)] {
        var changes: [(id: UUID, detail: String)] = []
        for (key, row) in rows where row.isChanged {
            let names = row.names.count > 1 ? ": \(row.names.joined(separator: ", "))" : ""
            changes.append(
                (row.id, String("\(row.detail.isEmpty ? "" : row.detail + "; ")\(row.count) times within a minute\(names)".prefix(400))))
            rows[key]?.isChanged = false
        }
        rows = rows.filter { now.timeIntervalSince($0.value.begun) < Self.window }
        return changes
    }
}
