import Foundation

/// The steps that make the schema, in order. One that was released is never changed: a new one is added.
enum SQLiteMigrations {
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
        toShapes,
    ]

    /// Tables for each kind of row become two shapes, with everything kept. Bodies are written as `Records` writes them.
    private static let toShapes = """
        CREATE TABLE documents (
            kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)
        ) STRICT;
        CREATE TABLE fields (
            kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, is_unique INTEGER NOT NULL,
            PRIMARY KEY (kind, id, name, value)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX fields_by_value ON fields(kind, name, value, id);
        CREATE UNIQUE INDEX fields_unique ON fields(kind, name, value) WHERE is_unique = 1;
        CREATE TABLE streams (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
        CREATE TABLE events (
            stream TEXT NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (stream, number)
        ) STRICT;
        CREATE UNIQUE INDEX events_by_key ON events(stream, key) WHERE key <> '';
        CREATE TABLE snapshots (stream TEXT PRIMARY KEY, number INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
        CREATE TABLE batches (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
        CREATE INDEX batches_by_age ON batches(at);

        INSERT INTO documents SELECT 'user', id, 1, json_object(
            'username', username, 'name', name, 'role', role, 'organisation', organisation, 'passwordHash', password_hash,
            'createdAt', created_at, 'isDisabled', json(iif(is_disabled, 'true', 'false')),
            'isDeleted', json(iif(is_deleted, 'true', 'false')), 'sites', json('[]')) FROM users;
        INSERT INTO fields SELECT 'user', id, 'username', username, 1 FROM users;
        INSERT INTO fields SELECT 'user', id, 'listed', '1', 0 FROM users WHERE is_deleted = 0;
        INSERT INTO fields SELECT 'user', id, 'administrator', '1', 0 FROM users
            WHERE role = 'admin' AND is_disabled = 0 AND is_deleted = 0;
        CREATE TEMP TABLE codes AS
            WITH RECURSIVE parts(id, place, code, rest) AS (
                SELECT id, 0, '', substr(sites, 2) FROM users WHERE sites <> ''
                UNION ALL
                SELECT id, place + 1, substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1) FROM parts WHERE rest <> ''
            ) SELECT id, place, code FROM parts WHERE place > 0 AND code <> '';
        UPDATE documents SET body = json_set(body, '$.sites', json(
            (SELECT json_group_array(code) FROM (SELECT code FROM codes WHERE codes.id = documents.id ORDER BY place))))
            WHERE kind = 'user' AND id IN (SELECT id FROM codes);
        INSERT OR IGNORE INTO fields SELECT 'user', codes.id, 'site', code, 0 FROM codes
            JOIN users ON users.id = codes.id WHERE users.is_deleted = 0;
        DROP TABLE codes;

        INSERT INTO documents SELECT 'session', lower(hex(token_hash)), 1, json_object(
            'user', user, 'createdAt', created_at, 'expiresAt', expires_at, 'address', address) FROM sessions;
        INSERT INTO fields SELECT 'session', lower(hex(token_hash)), 'user', user, 0 FROM sessions;
        INSERT INTO fields SELECT 'session', lower(hex(token_hash)), 'expires', printf('%015d', max(expires_at, 0)), 0 FROM sessions;

        INSERT INTO documents SELECT 'meeting', id, version, json_object(
            'title', title, 'phase', phase, 'startsAt', starts_at, 'durationMinutes', duration_minutes, 'endedAt', ended_at,
            'layout', layout, 'isLocked', json(iif(is_locked, 'true', 'false')), 'capacity', capacity, 'createdBy', created_by,
            'createdAt', created_at, 'restrictions', json(iif(restrictions = '', 'null', restrictions))) FROM meetings;
        INSERT INTO fields SELECT 'meeting', id, 'phase', phase, 0 FROM meetings;
        INSERT INTO streams SELECT 'meeting/' || id, 1 FROM meetings;
        INSERT INTO events SELECT 'meeting/' || id, 1, '', '{"type":"stored","version":' || version || ',"meeting":' || body || '}'
            FROM documents WHERE kind = 'meeting';

        INSERT INTO streams SELECT 'audit', rows FROM (SELECT count(*) AS rows FROM audit) WHERE rows > 0;
        INSERT INTO events SELECT 'audit', row_number() OVER (ORDER BY id), id, json_object(
            'at', at, 'actor', actor, 'actorName', actor_name, 'action', action, 'subject', subject, 'detail', detail,
            'address', address) FROM audit;

        DROP TABLE sessions;
        DROP TABLE meetings;
        DROP TABLE users;
        DROP TABLE audit;
        """

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
        let found = Int(try connection.run("SELECT coalesce(max(number), 0) FROM migrations").first?.first?.int ?? 0)
        guard found <= steps.count else { throw .newerSchema(found: found, known: steps.count) }
        for number in found..<steps.count {
            try connection.transaction { () throws(StoreError) in
                try connection.execute(steps[number])
                try connection.run(
                    "INSERT INTO migrations (number, applied_at) VALUES ($1, $2)",
                    [.number(number + 1), .number(Int(now.timeIntervalSince1970 * 1_000))])
            }
        }
    }
}
