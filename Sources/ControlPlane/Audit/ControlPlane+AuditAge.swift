import Foundation
import Records
import Store

/// The audit log keeps a year, or what was configured. What is older is written to a file first, and goes when it is there.
extension ControlPlane {
    private static let rowsAtOnce = 1_000

    /// Once in a while: counts of rows that were summed up.
    func writeAuditCounts() async {
        for change in audits.withLock({ $0.takeChanges(at: now()) }) {
            do { try await store.amendAudit(change.id, detail: change.detail) } catch {
                counters.withLock { $0.auditFailures += 1 }
            }
        }
    }

    /// Moves rows of before the configured age into `audit-YYYY-MM-DD.jsonl`, a JSON object a line as `GET /audit` gives them.
    func retireAudit() async {
        guard let folder = settings.auditArchive else { return }
        let limit = now().addingTimeInterval(-Double(settings.auditDays) * 86_400)
        do {
            while case let rows = try await store.audit(before: limit, limit: Self.rowsAtOnce), let last = rows.last {
                try archive(rows, in: folder)
                try await store.deleteAudit(through: last.id)
                log("level=info part=audit retired=\(rows.count)")
            }
        } catch {
            counters.withLock { $0.auditFailures += 1 }
            log("level=error part=audit action=retire error=\"\(error)\"")
        }
    }

    /// On disk when it returns: what is deleted afterwards is here.
    private func archive(_ rows: [AuditEntry], in folder: String) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = "\(folder)/audit-\(now().formatted(.iso8601.year().month().day())).jsonl"
        let isThere =
            files.fileExists(atPath: path) || files.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        guard isThere, let file = FileHandle(forWritingAtPath: path) else { throw CocoaError(.fileWriteNoPermission) }
        // What was written is on disk before; closing has nothing left that could be lost.
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(rows.map { $0.json.text + "\n" }.joined().utf8))
        try file.synchronize()
    }
}
