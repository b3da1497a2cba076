import Foundation

/// The steps that make the schema, in order. One that was released is never changed: a new one is added.
enum Migrations {
    static let steps: [String] = [
        """
        CREATE TABLE users (
            id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
            organisation TEXT NOT NULL, password_hash TEXT NOT NULL, created_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE sessions (
            token_hash BLOB PRIMARY KEY, user TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, address TEXT NOT NULL
        ) STRICT;
        CREATE INDEX sessions_of_user ON sessions(user, created_at);
        CREATE INDEX sessions_by_expiry ON sessions(expires_at);
        CREATE TABLE meetings (
            id TEXT PRIMARY KEY, title TEXT NOT NULL, phase TEXT NOT NULL, starts_at INTEGER NOT NULL,
            duration_minutes INTEGER NOT NULL, ended_at INTEGER, layout TEXT NOT NULL, is_locked INTEGER NOT NULL,
            capacity INTEGER NOT NULL, created_by TEXT NOT NULL REFERENCES users(id), created_at INTEGER NOT NULL,
            version INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX meetings_by_phase ON meetings(phase, id);
        CREATE TABLE audit (
            id TEXT PRIMARY KEY, at INTEGER NOT NULL, actor TEXT, actor_name TEXT NOT NULL, action TEXT NOT NULL,
            subject TEXT NOT NULL, detail TEXT NOT NULL, address TEXT NOT NULL
        ) STRICT;
        CREATE TABLE checks (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;
        """,
        "ALTER TABLE meetings ADD COLUMN restrictions TEXT NOT NULL DEFAULT ''",
        """
        ALTER TABLE users ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE users ADD COLUMN is_deleted INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE users ADD COLUMN sites TEXT NOT NULL DEFAULT '';
        """,
    ]

    /// Brings the schema up to date; each step and its number are one transaction.
    /// - Throws: `.newerSchema` where the file has steps that this program does not know; nothing is changed then.
    static func apply(to connection: SQLiteConnection, steps: [String] = steps, now: Date) throws(StoreError) {
        let known = try connection.run("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'")
        if known.isEmpty {
            // A database of something else that lies at this place is not ours to fill with tables.
            let others = try connection.run("SELECT 1 FROM sqlite_master LIMIT 1")
            guard others.isEmpty else { throw .notADatabase(path: connection.path) }
            try connection.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT")
        }
        let found = Int(try connection.run("SELECT coalesce(max(number), 0) FROM migrations").first?.first?.integer ?? 0)
        guard found <= steps.count else { throw .newerSchema(found: found, known: steps.count) }
        for number in found..<steps.count {
            try connection.transaction { () throws(StoreError) in
                try connection.execute(steps[number])
                try connection.run(
                    "INSERT INTO migrations (number, applied_at) VALUES (?, ?)", [.integer(Int64(number + 1)), .date(now)])
            }
        }
    }
}
