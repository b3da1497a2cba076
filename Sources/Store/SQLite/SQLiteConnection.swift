import CSQLite

/// One connection and its prepared statements. Owns the C handles; used from one place at a time, by its owner.
final class SQLiteConnection: SQLConnection {
    private var handle: OpaquePointer?
    private var statements: [String: OpaquePointer] = [:]
    let path: String

    /// - Throws: `.unwritable` where the file cannot be opened for writing.
    init(path: String) throws(StoreError) {
        self.path = path
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        handle = opened
        guard code == SQLITE_OK else {
            let failure = Self.failure(code, opened, path)
            close()
            throw failure
        }
        sqlite3_busy_timeout(opened, 5_000)
    }

    deinit { close() }

    func close() {
        for statement in statements.values { sqlite3_finalize(statement) }
        statements.removeAll()
        sqlite3_close_v2(handle)
        handle = nil
    }

    /// Runs statements that have no parameters and whose rows nobody wants: pragmas, transactions, migrations.
    func execute(_ sql: String) throws(StoreError) {
        guard let handle else { throw .closed }
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw Self.failure(code, handle, path) }
    }

    /// - Returns: the rows. Statements are prepared once and kept; their texts are the program's own, so they are few.
    @discardableResult
    func run(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> [[SQLValue]] {
        let statement = try prepared(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() { try bind(value, to: Int32(index + 1), of: statement) }
        var rows: [[SQLValue]] = []
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return rows }
            guard code == SQLITE_ROW else { throw Self.failure(code, handle, path) }
            rows.append((0..<sqlite3_column_count(statement)).map { Self.column($0, of: statement) })
        }
    }

    /// Runs `body` whole or not at all.
    func transaction<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try execute("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // A full disk has taken it back already; what failed before is what is said.
            try? execute("ROLLBACK")
            throw error
        }
    }

    private func prepared(_ sql: String) throws(StoreError) -> OpaquePointer {
        if let known = statements[sql] { return known }
        guard let handle else { throw .closed }
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw Self.failure(code, handle, path) }
        statements[sql] = statement
        return statement
    }

    private func bind(_ value: SQLValue, to index: Int32, of statement: OpaquePointer) throws(StoreError) {
        let code =
            switch value {
            case .null: sqlite3_bind_null(statement, index)
            case .integer(let number): sqlite3_bind_int64(statement, index, number)
            case .text(let text): nc_sqlite3_bind_text_copy(statement, index, text, Int32(clamping: text.utf8.count))
            }
        guard code == SQLITE_OK else { throw Self.failure(code, handle, path) }
    }

    private static func column(_ index: Int32, of statement: OpaquePointer) -> SQLValue {
        switch sqlite3_column_type(statement, index) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, index))
        case SQLITE_TEXT:
            guard let text = sqlite3_column_text(statement, index) else { return .null }
            let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, index)))
            return .text(String(decoding: bytes, as: UTF8.self))
        default: return .null
        }
    }

    private static func failure(_ code: Int32, _ handle: OpaquePointer?, _ path: String) -> StoreError {
        let words = handle.map { String(cString: sqlite3_errmsg($0)) } ?? ""
        switch code & 0xff {
        case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM:
            return .unwritable(path: path, remedy: "make its folder and give the account that runs nhipcau the right to write there")
        case SQLITE_NOTADB, SQLITE_CORRUPT: return .notADatabase(path: path)
        case SQLITE_FULL: return .full
        // Another process has held it for longer than the busy timeout.
        case SQLITE_BUSY, SQLITE_LOCKED: return .slow
        case SQLITE_CONSTRAINT where words.contains("UNIQUE"): return .taken(words.split(separator: " ").last.map(String.init) ?? "value")
        default: return .failed(code: "SQLite \(code)", message: words)
        }
    }
}
