// The two shapes, read by statements that both engines take.
extension SQLConnection {
    func document(_ kind: String, _ id: String) throws(StoreError) -> Document? {
        guard Self.canBeStored(kind, id) else { return nil }
        let rows = try run("SELECT version, body FROM documents WHERE kind = $1 AND id = $2", [.text(kind), .text(id)])
        return rows.first.map { Document(kind: kind, id: id, version: $0[0].int, body: $0[1].string) }
    }

    func documents(_ query: DocumentQuery) throws(StoreError) -> [Document] {
        guard Self.canBeStored(query.kind, query.after ?? "") else { return [] }
        let order = query.isDescending ? "DESC" : "ASC"
        // The last code point there is sorts above every text.
        let (compare, edge) = query.isDescending ? ("<", query.after ?? "\u{10ffff}") : (">", query.after ?? "")
        let rows: [[SQLValue]]
        if let condition = query.condition {
            let (name, sign, value) =
                switch condition {
                case .equals(let name, let value): (name, "=", value)
                case .atMost(let name, let value): (name, "<=", value)
                }
            guard Self.canBeStored(name, value) else { return [] }
            rows = try run(
                """
                SELECT d.id, d.version, d.body FROM fields f JOIN documents d ON d.kind = f.kind AND d.id = f.id
                WHERE f.kind = $1 AND f.name = $2 AND f.value \(sign) $3 AND f.id \(compare) $4 ORDER BY f.id \(order) LIMIT $5
                """, [.text(query.kind), .text(name), .text(value), .text(edge), .number(query.limit)])
        } else {
            rows = try run(
                "SELECT id, version, body FROM documents WHERE kind = $1 AND id \(compare) $2 ORDER BY id \(order) LIMIT $3",
                [.text(query.kind), .text(edge), .number(query.limit)])
        }
        return rows.map { Document(kind: query.kind, id: $0[0].string, version: $0[1].int, body: $0[2].string) }
    }

    func count(_ kind: String, where field: (name: String, value: String)?) throws(StoreError) -> Int {
        guard Self.canBeStored(kind, field?.name ?? "", field?.value ?? "") else { return 0 }
        let rows =
            if let field {
                try run(
                    "SELECT count(*) FROM fields WHERE kind = $1 AND name = $2 AND value = $3",
                    [.text(kind), .text(field.name), .text(field.value)])
            } else {
                try run("SELECT count(*) FROM documents WHERE kind = $1", [.text(kind)])
            }
        return rows.first?.first?.int ?? 0
    }

    func counts(_ kind: String, by field: String) throws(StoreError) -> [String: Int] {
        guard Self.canBeStored(kind, field) else { return [:] }
        var counts: [String: Int] = [:]
        let sql = "SELECT value, count(*) FROM fields WHERE kind = $1 AND name = $2 GROUP BY value"
        for row in try run(sql, [.text(kind), .text(field)]) { counts[row[0].string] = row[1].int }
        return counts
    }

    func events(of stream: String, _ page: EventPage) throws(StoreError) -> [StoredEvent] {
        guard Self.canBeStored(stream) else { return [] }
        let rows =
            switch page {
            case .after(let number, let limit):
                try run(
                    "SELECT number, key, body FROM events WHERE stream = $1 AND number > $2 ORDER BY number LIMIT $3",
                    [.text(stream), .number(number), .number(limit)])
            case .before(let number, let limit):
                try run(
                    "SELECT number, key, body FROM events WHERE stream = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
                    [.text(stream), .number(number ?? .max), .number(limit)])
            }
        return rows.map { StoredEvent(number: $0[0].int, key: $0[1].string, body: $0[2].string) }
    }

    func number(of key: String, in stream: String) throws(StoreError) -> Int? {
        guard !key.isEmpty, Self.canBeStored(stream, key) else { return nil }
        return try run("SELECT number FROM events WHERE stream = $1 AND key = $2", [.text(stream), .text(key)]).first?[0].int
    }

    func version(of stream: String) throws(StoreError) -> Int {
        guard Self.canBeStored(stream) else { return 0 }
        return try run("SELECT version FROM streams WHERE name = $1", [.text(stream)]).first?[0].int ?? 0
    }

    func snapshot(of stream: String) throws(StoreError) -> StreamSnapshot? {
        guard Self.canBeStored(stream) else { return nil }
        let rows = try run("SELECT number, body FROM snapshots WHERE stream = $1", [.text(stream)])
        return rows.first.map { StreamSnapshot(number: $0[0].int, body: $0[1].string) }
    }

    func check() throws(StoreError) {
        try run("INSERT INTO checks (id, at) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET at = (checks.at + 1) % 1000000")
    }

    /// No row has a NUL or a longer name, so nobody need ask the engine; PostgreSQL would refuse the first.
    private static func canBeStored(_ names: String...) -> Bool {
        names.allSatisfy { $0.utf8.count <= Batch.longestName && !$0.utf8.contains(0) }
    }
}

// A whole store, row by row. The caller makes it one transaction, so that it is of one moment.
extension SQLConnection {
    private static var rowsAtOnce: Int { 500 }

    func dump(_ take: (StoredRow) -> Void) throws(StoreError) {
        try dumpDocuments(take)
        var (stream, number) = ("", 0)
        var rows: [[SQLValue]]
        repeat {
            rows = try run(
                "SELECT name, version FROM streams WHERE name > $1 ORDER BY name LIMIT $2", [.text(stream), .number(Self.rowsAtOnce)])
            for row in rows { take(.stream(row[0].string, version: row[1].int)) }
            stream = rows.last?[0].string ?? stream
        } while rows.count == Self.rowsAtOnce
        (stream, number) = ("", 0)
        repeat {
            rows = try run(
                "SELECT stream, number, key, body FROM events WHERE (stream, number) > ($1, $2) ORDER BY stream, number LIMIT $3",
                [.text(stream), .number(number), .number(Self.rowsAtOnce)])
            for row in rows {
                take(.event(stream: row[0].string, StoredEvent(number: row[1].int, key: row[2].string, body: row[3].string)))
            }
            if let last = rows.last { (stream, number) = (last[0].string, last[1].int) }
        } while rows.count == Self.rowsAtOnce
        stream = ""
        repeat {
            rows = try run(
                "SELECT stream, number, body FROM snapshots WHERE stream > $1 ORDER BY stream LIMIT $2",
                [.text(stream), .number(Self.rowsAtOnce)])
            for row in rows { take(.snapshot(stream: row[0].string, StreamSnapshot(number: row[1].int, body: row[2].string))) }
            stream = rows.last?[0].string ?? stream
        } while rows.count == Self.rowsAtOnce
    }

    private func dumpDocuments(_ take: (StoredRow) -> Void) throws(StoreError) {
        var (kind, id) = ("", "")
        var rows: [[SQLValue]]
        repeat {
            rows = try run(
                "SELECT kind, id, version, body FROM documents WHERE (kind, id) > ($1, $2) ORDER BY kind, id LIMIT $3",
                [.text(kind), .text(id), .number(Self.rowsAtOnce)])
            for row in rows {
                (kind, id) = (row[0].string, row[1].string)
                let fields = try run(
                    "SELECT name, value, is_unique FROM fields WHERE kind = $1 AND id = $2 ORDER BY name, value", [.text(kind), .text(id)]
                )
                take(
                    .document(
                        Document(kind: kind, id: id, version: row[2].int, body: row[3].string),
                        fields.map { Field($0[0].string, $0[1].string, isUnique: $0[2].int == 1) }))
            }
        } while rows.count == Self.rowsAtOnce
    }
}
