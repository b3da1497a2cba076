import Foundation

/// The steps that make the schema in PostgreSQL, in order. One that was released is never changed: a new one is added.
enum PostgresMigrations {
    static let steps: [String] = [
        """
        CREATE TABLE installation (id TEXT PRIMARY KEY);
        INSERT INTO installation VALUES (gen_random_uuid()::text);
        CREATE TABLE documents (
            kind TEXT COLLATE "C" NOT NULL, id TEXT COLLATE "C" NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)
        );
        CREATE TABLE fields (
            kind TEXT COLLATE "C" NOT NULL, id TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL, value TEXT COLLATE "C" NOT NULL,
            is_unique SMALLINT NOT NULL, PRIMARY KEY (kind, id, name, value)
        );
        CREATE INDEX fields_by_value ON fields(kind, name, value, id);
        CREATE UNIQUE INDEX fields_unique ON fields(kind, name, value) WHERE is_unique = 1;
        CREATE TABLE streams (name TEXT COLLATE "C" PRIMARY KEY, version BIGINT NOT NULL);
        CREATE TABLE events (
            stream TEXT COLLATE "C" NOT NULL, number BIGINT NOT NULL, key TEXT COLLATE "C" NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (stream, number)
        );
        CREATE UNIQUE INDEX events_by_key ON events(stream, key) WHERE key <> '';
        CREATE TABLE snapshots (stream TEXT COLLATE "C" PRIMARY KEY, number BIGINT NOT NULL, body TEXT NOT NULL);
        CREATE TABLE batches (id TEXT COLLATE "C" PRIMARY KEY, at BIGINT NOT NULL);
        CREATE INDEX batches_by_age ON batches(at);
        CREATE TABLE checks (id INTEGER PRIMARY KEY CHECK (id = 1), at BIGINT NOT NULL);
        """
    ]
    /// Any number that no other program locks in the same database: "nhipcau" in ASCII.
    private static let lock = 0x6e_6869_7063_6175

    /// Brings the schema up to date, one process at a time.
    /// - Returns: the identifier of the installation, by which its processes find each other.
    /// - Throws: `.newerSchema` where the database has steps that this program does not know; nothing is changed then.
    static func apply(
        to connection: PostgresConnection, place: PostgresPlace, now: Date, steps: [String] = steps
    ) throws(StoreError) -> String {
        guard try connection.run("SHOW server_encoding").first?[0].string == "UTF8" else {
            throw .badPlace("\(place.shown): the database is not in UTF8; make one with ENCODING 'UTF8'")
        }
        if let found = try version(connection), found == steps.count { return try installation(connection) }
        try connection.execute("BEGIN")
        do throws(StoreError) {
            try connection.run("SELECT 1 FROM pg_advisory_xact_lock($1)", [.number(lock)])
            try advance(connection, place: place, now: now, steps: steps)
            try connection.execute("COMMIT")
        } catch {
            // What failed before is what is said; a transaction that is not taken back ends with its connection.
            if !connection.isLost { try? connection.execute("ROLLBACK") }
            throw error
        }
        return try installation(connection)
    }

    /// nil where the database has none of our tables.
    static func version(_ connection: PostgresConnection) throws(StoreError) -> Int? {
        let isThere = try connection.run("SELECT 1 WHERE to_regclass('migrations') IS NOT NULL AND to_regclass('installation') IS NOT NULL")
        guard !isThere.isEmpty else { return nil }
        return try connection.run("SELECT coalesce(max(number), 0) FROM migrations").first?[0].int
    }

    private static func advance(_ connection: PostgresConnection, place: PostgresPlace, now: Date, steps: [String]) throws(StoreError) {
        var found = try version(connection)
        if found == nil {
            // Tables of something else by these names are not ours to write to.
            let others = try connection.run("SELECT 1 WHERE to_regclass('migrations') IS NOT NULL OR to_regclass('documents') IS NOT NULL")
            guard others.isEmpty else { throw .notADatabase(path: place.shown) }
            guard try !connection.run("SELECT current_schema() WHERE current_schema() IS NOT NULL").isEmpty else {
                throw .badPlace("\(place.shown): the schema that search_path names is not there; make it with CREATE SCHEMA")
            }
            try connection.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, applied_at BIGINT NOT NULL)")
            found = 0
        }
        guard let found, found <= steps.count else { throw .newerSchema(found: found ?? 0, known: steps.count) }
        for number in found..<steps.count {
            try connection.execute(steps[number])
            try connection.run(
                "INSERT INTO migrations (number, applied_at) VALUES ($1, $2)",
                [.number(number + 1), .number(Int(now.timeIntervalSince1970 * 1_000))])
        }
    }

    private static func installation(_ connection: PostgresConnection) throws(StoreError) -> String {
        try connection.run("SELECT id FROM installation").first?[0].string ?? ""
    }
}
