import Foundation

/// The embedded store: one file, one connection, one thread of its own so that a slow disk holds up nobody else's.
///
/// Write-ahead log with `synchronous=FULL`: a write that was answered outlives SIGKILL and a power cut. `NORMAL` would be faster and outlive only
/// the first; a meeting's writes are few, a lost decision is not worth the millisecond.
package actor SQLiteStore: Store {
    private let connection: SQLiteConnection
    private let thread = OwnThread(label: "store")
    private var commits = 0
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

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
        try SQLiteMigrations.apply(to: connection, now: now)
        self.connection = connection
    }

    package func close() { connection.close() }
    package func check() throws(StoreError) { try connection.check() }

    package func document(_ kind: String, _ id: String) throws(StoreError) -> Document? { try connection.document(kind, id) }
    package func documents(_ query: DocumentQuery) throws(StoreError) -> [Document] { try connection.documents(query) }
    package func count(_ kind: String, where field: (name: String, value: String)?) throws(StoreError) -> Int {
        try connection.count(kind, where: field)
    }
    package func counts(_ kind: String, by field: String) throws(StoreError) -> [String: Int] { try connection.counts(kind, by: field) }
    package func events(of stream: String, _ page: EventPage) throws(StoreError) -> [StoredEvent] {
        try connection.events(of: stream, page)
    }
    package func number(of key: String, in stream: String) throws(StoreError) -> Int? { try connection.number(of: key, in: stream) }
    package func version(of stream: String) throws(StoreError) -> Int { try connection.version(of: stream) }
    package func snapshot(of stream: String) throws(StoreError) -> StreamSnapshot? { try connection.snapshot(of: stream) }

    package func commit(_ batch: Batch) throws(StoreError) {
        try batch.check()
        let (connection, seconds) = (connection, Int(Date().timeIntervalSince1970))
        commits += 1
        let isHousekeeping = commits % 256 == 0
        try connection.transaction { () throws(StoreError) in
            guard try connection.begin(batch, at: seconds) else { return }
            for operation in batch.operations { try connection.apply(operation) }
            if isHousekeeping { try connection.forgetBatches(before: seconds - 86_400) }
        }
    }

    package func dump(_ take: @escaping @Sendable (StoredRow) -> Void) throws(StoreError) {
        try connection.transaction { () throws(StoreError) in try connection.dump(take) }
    }

    /// SQLite has no way to tell another process.
    package func changes() -> AsyncStream<StoreChange> { AsyncStream { $0.finish() } }
}
