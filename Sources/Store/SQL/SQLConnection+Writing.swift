// A batch, written by statements that both engines take. The caller makes it one transaction.
extension SQLConnection {
    /// - Parameter seconds: of the clock, since 1970; by it identifiers of old batches are let go.
    /// - Returns: false where a batch with this identifier was written before: nothing is left to do.
    func begin(_ batch: Batch, at seconds: Int) throws(StoreError) -> Bool {
        // Waits where another connection is about to commit the same one.
        let rows = try run(
            "INSERT INTO batches (id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING at", [.text(batch.id), .number(seconds)])
        return !rows.isEmpty
    }

    func forgetBatches(before seconds: Int) throws(StoreError) { try run("DELETE FROM batches WHERE at < $1", [.number(seconds)]) }

    func apply(_ operation: Batch.Operation) throws(StoreError) {
        switch operation {
        case .put(let kind, let id, let fields, let body, let expected):
            try put(kind, id, body, expected)
            try replaceFields(kind, id, fields)
        case .delete(let kind, let id, let expected): try delete(kind, id, expected)
        case .append(let stream, let events, let expected): try append(stream, events, expected)
        case .snapshot(let stream, let snapshot): try keep(snapshot, of: stream)
        case .trim(let stream, let number):
            try run("DELETE FROM events WHERE stream = $1 AND number <= $2", [.text(stream), .number(number)])
        case .drop(let stream):
            for (table, column) in [("events", "stream"), ("snapshots", "stream"), ("streams", "name")] {
                try run("DELETE FROM \(table) WHERE \(column) = $1", [.text(stream)])
            }
        case .restore(let row): try restore(row)
        }
    }

    // MARK: Documents

    private func put(_ kind: String, _ id: String, _ body: String, _ expected: Batch.Expectation) throws(StoreError) {
        let rows =
            switch expected {
            case .absent:
                try run(
                    "INSERT INTO documents (kind, id, version, body) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING RETURNING version",
                    [.text(kind), .text(id), .text(body)])
            case .version(let version):
                try run(
                    "UPDATE documents SET version = version + 1, body = $1 WHERE kind = $2 AND id = $3 AND version = $4 RETURNING version",
                    [.text(body), .text(kind), .text(id), .number(version)])
            case .anything:
                try run(
                    """
                    INSERT INTO documents (kind, id, version, body) VALUES ($1, $2, 1, $3)
                    ON CONFLICT (kind, id) DO UPDATE SET version = documents.version + 1, body = excluded.body RETURNING version
                    """, [.text(kind), .text(id), .text(body)])
            }
        if rows.isEmpty { throw try refusal(kind, id) }
    }

    private func replaceFields(_ kind: String, _ id: String, _ fields: [Field]) throws(StoreError) {
        try run("DELETE FROM fields WHERE kind = $1 AND id = $2", [.text(kind), .text(id)])
        for field in Set(fields) {
            let rows = try run(
                "INSERT INTO fields (kind, id, name, value, is_unique) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING name",
                [.text(kind), .text(id), .text(field.name), .text(field.value), .number(field.isUnique ? 1 : 0)])
            if rows.isEmpty { throw .taken(field.name) }
        }
    }

    private func delete(_ kind: String, _ id: String, _ expected: Batch.Expectation) throws(StoreError) {
        let rows =
            if case .version(let version) = expected {
                try run(
                    "DELETE FROM documents WHERE kind = $1 AND id = $2 AND version = $3 RETURNING version",
                    [.text(kind), .text(id), .number(version)])
            } else {
                try run("DELETE FROM documents WHERE kind = $1 AND id = $2 RETURNING version", [.text(kind), .text(id)])
            }
        switch expected {
        case .version where rows.isEmpty: throw try refusal(kind, id)
        case .absent where !rows.isEmpty: throw .stale(current: rows[0][0].int)
        default: try run("DELETE FROM fields WHERE kind = $1 AND id = $2", [.text(kind), .text(id)])
        }
    }

    /// Why no row matched.
    private func refusal(_ kind: String, _ id: String) throws(StoreError) -> StoreError {
        try document(kind, id).map { .stale(current: $0.version) } ?? .missing
    }

    // MARK: Streams

    private func append(_ stream: String, _ events: [NewEvent], _ expected: Batch.Expectation) throws(StoreError) {
        try run("INSERT INTO streams (name, version) VALUES ($1, 0) ON CONFLICT DO NOTHING", [.text(stream)])
        let seen: Int? =
            switch expected {
            case .anything: nil
            case .absent: 0
            case .version(let version): version
            }
        // The row is held until the commit, so that numbers have no holes and appear in their order.
        let rows =
            if let seen {
                try run(
                    "UPDATE streams SET version = version + $1 WHERE name = $2 AND version = $3 RETURNING version",
                    [.number(events.count), .text(stream), .number(seen)])
            } else {
                try run(
                    "UPDATE streams SET version = version + $1 WHERE name = $2 RETURNING version",
                    [.number(events.count), .text(stream)])
            }
        guard let version = rows.first?[0].int else { throw .stale(current: try self.version(of: stream)) }
        for (index, event) in events.enumerated() {
            let written = try run(
                "INSERT INTO events (stream, number, key, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING number",
                [.text(stream), .number(version - events.count + index + 1), .text(event.key), .text(event.body)])
            if written.isEmpty { throw .taken("key") }
        }
    }

    private func keep(_ snapshot: StreamSnapshot, of stream: String) throws(StoreError) {
        guard snapshot.number <= (try version(of: stream)) else { throw .missing }
        // An older one that comes late does not take the place of a newer.
        try run(
            """
            INSERT INTO snapshots (stream, number, body) VALUES ($1, $2, $3) ON CONFLICT (stream)
            DO UPDATE SET number = excluded.number, body = excluded.body WHERE snapshots.number <= excluded.number
            """, [.text(stream), .number(snapshot.number), .text(snapshot.body)])
    }

    private func restore(_ row: StoredRow) throws(StoreError) {
        switch row {
        case .document(let document, let fields):
            try run(
                "INSERT INTO documents (kind, id, version, body) VALUES ($1, $2, $3, $4)",
                [.text(document.kind), .text(document.id), .number(document.version), .text(document.body)])
            try replaceFields(document.kind, document.id, fields)
        case .stream(let name, let version):
            try run("INSERT INTO streams (name, version) VALUES ($1, $2)", [.text(name), .number(version)])
        case .event(let stream, let event):
            try run(
                "INSERT INTO events (stream, number, key, body) VALUES ($1, $2, $3, $4)",
                [.text(stream), .number(event.number), .text(event.key), .text(event.body)])
        case .snapshot(let stream, let snapshot):
            try run(
                "INSERT INTO snapshots (stream, number, body) VALUES ($1, $2, $3)",
                [.text(stream), .number(snapshot.number), .text(snapshot.body)])
        }
    }
}
