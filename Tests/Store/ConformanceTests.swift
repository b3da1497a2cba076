import Foundation
import TestSupport
import Testing

@testable import Store

/// What every engine must do alike.
struct ConformanceTests {
    private func put(
        _ id: String, _ body: String, _ fields: [Field] = [], kind: String = "k", _ expected: Batch.Expectation = .absent
    ) -> Batch.Operation { .put(kind: kind, id: id, fields: fields, body: body, expected: expected) }

    @Test(arguments: Engine.all) func `what was committed is there when the store is opened again`(engine: Engine) async throws {
        try await engine.withPlace { place in
            let first = try await place.open(now: Date())
            try await first.commit(
                Batch([put("a", "Một"), .append(stream: "s", events: [NewEvent(key: "x", body: "e")], expected: .absent)]))
            await first.close()
            let second = try await place.open(now: Date())
            #expect(try await second.document("k", "a") == Document(kind: "k", id: "a", version: 1, body: "Một"))
            #expect(try await second.events(of: "s", .after(0, limit: 9)) == [StoredEvent(number: 1, key: "x", body: "e")])
            await second.close()
        }
    }

    @Test(arguments: Engine.all) func `a document is replaced only by who saw its version`(engine: Engine) async throws {
        try await engine.withStore { store in
            try await store.commit(Batch([put("a", "1")]))
            await #expect(throws: StoreError.stale(current: 1)) { try await store.commit(Batch([put("a", "2")])) }
            try await store.commit(Batch([put("a", "2", .version(1))]))
            await #expect(throws: StoreError.stale(current: 2)) { try await store.commit(Batch([put("a", "3", .version(1))])) }
            await #expect(throws: StoreError.missing) { try await store.commit(Batch([put("b", "3", .version(1))])) }
            try await store.commit(Batch([put("a", "4", .anything), put("c", "5", .anything)]))
            #expect(try await store.document("k", "a") == Document(kind: "k", id: "a", version: 3, body: "4"))
            #expect(try await store.document("k", "c")?.version == 1)
            #expect(try await store.document("other", "a") == nil)
        }
    }

    private func put(_ id: String, _ body: String, _ expected: Batch.Expectation) -> Batch.Operation {
        put(id, body, [], kind: "k", expected)
    }

    @Test(arguments: Engine.all) func `a batch happens whole or not at all`(engine: Engine) async throws {
        try await engine.withStore { store in
            try await store.commit(Batch([put("a", "1")]))
            let before = try await store.rows()
            let batch = Batch([
                put("b", "1"), .append(stream: "s", events: [NewEvent(body: "e")], expected: .anything),
                .delete(kind: "k", id: "a", expected: .anything), put("a", "9", .version(7)),
            ])
            await #expect(throws: StoreError.missing) { try await store.commit(batch) }
            #expect(try await store.rows() == before)
        }
    }

    @Test(arguments: Engine.all) func `the same batch twice is done once`(engine: Engine) async throws {
        try await engine.withStore { store in
            let batch = Batch([put("a", "1", .anything), .append(stream: "s", events: [NewEvent(body: "e")], expected: .anything)])
            try await store.commit(batch)
            try await store.commit(batch)
            #expect(try await store.document("k", "a")?.version == 1)
            #expect(try await store.version(of: "s") == 1)
            // One that was refused may come again.
            let refused = Batch([put("z", "1", .version(1))])
            await #expect(throws: StoreError.missing) { try await store.commit(refused) }
            try await store.commit(Batch([put("z", "0")]))
            try await store.commit(refused)
            #expect(try await store.document("k", "z")?.version == 2)
        }
    }

    @Test(arguments: Engine.all) func `documents are deleted by version, at will, or not`(engine: Engine) async throws {
        try await engine.withStore { store in
            try await store.commit(Batch([put("a", "1", [Field("f", "v")]), put("b", "1")]))
            await #expect(throws: StoreError.stale(current: 1)) {
                try await store.commit(Batch([.delete(kind: "k", id: "a", expected: .version(2))]))
            }
            await #expect(throws: StoreError.missing) {
                try await store.commit(Batch([.delete(kind: "k", id: "c", expected: .version(2))]))
            }
            try await store.commit(
                Batch([.delete(kind: "k", id: "a", expected: .version(1)), .delete(kind: "k", id: "c", expected: .anything)]))
            #expect(try await store.document("k", "a") == nil)
            #expect(try await store.count("k", where: (name: "f", value: "v")) == 0)
            #expect(try await store.count("k", where: nil) == 1)
        }
    }

    @Test(arguments: Engine.all) func `a unique field is one document's, and free again when that changes it`(engine: Engine) async throws {
        try await engine.withStore { store in
            let name = Field("name", "thuky", isUnique: true)
            try await store.commit(Batch([put("a", "1", [name])]))
            await #expect(throws: StoreError.taken("name")) { try await store.commit(Batch([put("b", "1", [name])])) }
            #expect(try await store.document("k", "b") == nil)
            try await store.commit(Batch([put("b", "1", [name], kind: "other")]))
            try await store.commit(Batch([.put(kind: "k", id: "a", fields: [], body: "1", expected: .version(1)), put("b", "1", [name])]))
            #expect(try await store.documents(DocumentQuery("k", where: .equals("name", "thuky"), limit: 9)).map(\.id) == ["b"])
        }
    }

    @Test(arguments: Engine.all) func `pages follow each other without a hole, either way, with a field and without`(engine: Engine)
        async throws
    {
        try await engine.withStore { store in
            let ids = (0..<25).map { String($0 + 100) }
            try await store.commit(
                Batch(ids.map { put($0, $0, [Field("even", $0.hasSuffix("0") || $0.hasSuffix("4") ? "y" : "n"), Field("n", $0)]) }))
            for isDescending in [false, true] {
                for condition in [nil, DocumentQuery.Condition.equals("even", "n"), .atMost("n", "112")] {
                    let wanted = ids.filter {
                        switch condition {
                        case .equals: !($0.hasSuffix("0") || $0.hasSuffix("4"))
                        case .atMost: $0 <= "112"
                        case nil: true
                        }
                    }
                    var query = DocumentQuery("k", where: condition, isDescending: isDescending, limit: 4)
                    var seen: [String] = []
                    while case let page = try await store.documents(query), !page.isEmpty {
                        seen += page.map(\.id)
                        #expect(page.allSatisfy { $0.body == $0.id })
                        query.after = seen.last
                    }
                    #expect(seen == (isDescending ? wanted.reversed() : wanted))
                }
            }
            #expect(try await store.counts("k", by: "even") == ["y": 6, "n": 19])
        }
    }

    @Test(arguments: Engine.all) func `texts of any script come back to the byte and are ordered by bytes`(engine: Engine) async throws {
        try await engine.withStore { store in
            let ids = ["-", "A", "B", "a", "a-b", "aa", "ab", "Ế", "ế", "đ", "日", "\u{1}", "😀", "%_'\"\\"]
            try await store.commit(Batch(ids.map { put($0, "\($0)\n\t\u{7f}'\"\\", [Field("f", $0, isUnique: true)]) }))
            let ordered = ids.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
            let found = try await store.documents(DocumentQuery("k", limit: 99))
            #expect(found.map(\.id) == ordered)
            #expect(try await store.documents(DocumentQuery("k", isDescending: true, limit: 99)).map(\.id) == ordered.reversed())
            #expect(found.allSatisfy { $0.body == "\($0.id)\n\t\u{7f}'\"\\" })
            for id in ids { #expect(try await store.documents(DocumentQuery("k", where: .equals("f", id), limit: 9)).map(\.id) == [id]) }
        }
    }

    @Test(arguments: Engine.all) func `a stream is appended to by who saw its version, without holes`(engine: Engine) async throws {
        try await engine.withStore { store in
            func append(_ bodies: [String], _ expected: Batch.Expectation) async throws {
                try await store.commit(Batch([.append(stream: "s", events: bodies.map { NewEvent(body: $0) }, expected: expected)]))
            }
            try await append(["a", "b"], .absent)
            await #expect(throws: StoreError.stale(current: 2)) { try await append(["x"], .absent) }
            try await append(["c"], .version(2))
            await #expect(throws: StoreError.stale(current: 3)) { try await append(["x"], .version(2)) }
            try await append(["d"], .anything)
            #expect(try await store.version(of: "s") == 4)
            #expect(try await store.version(of: "none") == 0)
            #expect(try await store.events(of: "s", .after(1, limit: 2)).map(\.body) == ["b", "c"])
            #expect(try await store.events(of: "s", .before(nil, limit: 2)).map(\.body) == ["d", "c"])
            #expect(try await store.events(of: "s", .before(3, limit: 9)).map(\.number) == [2, 1])
            try await store.commit(Batch([.trim(stream: "s", through: 2)]))
            try await append(["e"], .version(4))
            #expect(try await store.events(of: "s", .after(0, limit: 9)).map(\.number) == [3, 4, 5])
            try await store.commit(Batch([.drop(stream: "s")]))
            #expect(try await store.version(of: "s") == 0)
            #expect(try await store.events(of: "s", .after(0, limit: 9)).isEmpty)
        }
    }

    @Test(arguments: Engine.all) func `an event is found by its key, which is one event's`(engine: Engine) async throws {
        try await engine.withStore { store in
            let events = ["p", "q", "", ""].map { NewEvent(key: $0, body: "b") }
            try await store.commit(Batch([.append(stream: "s", events: events, expected: .anything)]))
            #expect(try await store.number(of: "q", in: "s") == 2)
            #expect(try await store.number(of: "", in: "s") == nil)
            #expect(try await store.number(of: "q", in: "t") == nil)
            await #expect(throws: StoreError.taken("key")) {
                try await store.commit(Batch([.append(stream: "s", events: [NewEvent(key: "q", body: "b")], expected: .anything)]))
            }
            #expect(try await store.version(of: "s") == 4)
        }
    }

    @Test(arguments: Engine.all) func `a snapshot is the newest, and of events that are there`(engine: Engine) async throws {
        try await engine.withStore { store in
            let events = (0..<5).map { NewEvent(body: "\($0)") }
            try await store.commit(Batch([.append(stream: "s", events: events, expected: .absent)]))
            #expect(try await store.snapshot(of: "s") == nil)
            try await store.commit(Batch([.snapshot(stream: "s", StreamSnapshot(number: 4, body: "four"))]))
            try await store.commit(Batch([.snapshot(stream: "s", StreamSnapshot(number: 2, body: "late"))]))
            #expect(try await store.snapshot(of: "s") == StreamSnapshot(number: 4, body: "four"))
            await #expect(throws: StoreError.missing) {
                try await store.commit(Batch([.snapshot(stream: "s", StreamSnapshot(number: 6, body: ""))]))
            }
        }
    }

    @Test(arguments: Engine.all) func `a NUL, a name or a body too long is refused, and nothing is found by one`(engine: Engine)
        async throws
    {
        try await engine.withStore { store in
            try await store.commit(Batch([put("a", "1", [Field("f", "v")])]))
            let long = String(repeating: "x", count: Batch.longestBody + 1)
            for operation in [put("a\0", "1"), put("b", "\0"), put("b", long), put(String(repeating: "n", count: 2_000), "1")] {
                await #expect(throws: StoreError.self) { try await store.commit(Batch([operation])) }
            }
            #expect(try await store.document("k", "a\0b") == nil)
            #expect(try await store.documents(DocumentQuery("k", where: .equals("f", "v\0"), limit: 9)).isEmpty)
            #expect(try await store.count("k", where: nil) == 1)
            try await store.check()
        }
    }

    @Test(arguments: Engine.all) func `writers at the same time lose nothing and leave no hole`(engine: Engine) async throws {
        try await engine.withStore { store in
            try await withThrowingTaskGroup { group in
                for writer in 0..<8 {
                    group.addTask {
                        for number in 0..<12 {
                            try await store.commit(
                                Batch([
                                    .append(stream: "s", events: [NewEvent(key: "\(writer)-\(number)", body: "b")], expected: .anything),
                                    .put(kind: "k", id: "shared", fields: [], body: "\(writer)", expected: .anything),
                                ]))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.events(of: "s", .after(0, limit: 200)).map(\.number) == Array(1...96))
            #expect(try await store.document("k", "shared")?.version == 96)
        }
    }

    @Test(arguments: Engine.all) func `of writers who saw the same version one comes through`(engine: Engine) async throws {
        try await engine.withStore { store in
            try await store.commit(Batch([put("a", "0")]))
            let won = await withTaskGroup(of: Bool.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        let batch = Batch([.put(kind: "k", id: "a", fields: [], body: "\(writer)", expected: .version(1))])
                        do { try await store.commit(batch) } catch { return false }
                        return true
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(won == 1)
            #expect(try await store.document("k", "a")?.version == 2)
        }
    }

    /// Random batches against a store in memory that is a few lines long.
    @Test(arguments: Engine.all, 0..<6 as Range<UInt64>)
    func `whatever is written, a copy on either engine prints the same`(engine: Engine, seed: UInt64) async throws {
        try await engine.withStore { store in
            var random = SeededGenerator(seed: seed)
            for _ in 0..<40 {
                let operations = (0..<Int.random(in: 1...4, using: &random)).map { _ in Self.operation(&random) }
                do { try await store.commit(Batch(operations)) } catch is StoreError {}
            }
            let rows = try await store.rows()
            #expect(!rows.isEmpty)
            for other in Engine.all {
                try await other.withStore { copy in
                    try await copy.commit(Batch(rows.map { .restore($0) }))
                    #expect(try await copy.rows().map(\.line) == rows.map(\.line))
                    // It goes on where the first one stood.
                    try await copy.commit(
                        Batch([.append(stream: "s0", events: [NewEvent(body: "on")], expected: .version(try await store.version(of: "s0")))]
                        ))
                }
            }
        }
    }

    private static func operation(_ random: inout SeededGenerator) -> Batch.Operation {
        let id = String(Int.random(in: 0..<6, using: &random))
        let (stream, body) = ("s\(Int.random(in: 0..<3, using: &random))", "thân \(Int.random(in: 0..<1_000, using: &random))")
        let expected: Batch.Expectation = Bool.random(using: &random) ? .anything : .version(Int.random(in: 1..<4, using: &random))
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<3:
            return .put(
                kind: id < "3" ? "k0" : "k1", id: id, fields: [Field("f", body), Field("u", "\(body)\(id)", isUnique: true)], body: body,
                expected: expected)
        case 3: return .delete(kind: "k0", id: id, expected: .anything)
        case 4: return .trim(stream: stream, through: Int.random(in: 0..<5, using: &random))
        case 5: return .snapshot(stream: stream, StreamSnapshot(number: Int.random(in: 0..<3, using: &random), body: body))
        default: return .append(stream: stream, events: [NewEvent(body: body)], expected: .anything)
        }
    }

    @Test(arguments: Engine.all) func `a database of a newer schema is not touched`(engine: Engine) async throws {
        try await engine.withPlace { place in
            let store = try await place.open(now: Date())
            await store.close()
            switch place {
            case .sqlite(let path):
                let connection = try SQLiteConnection(path: path)
                try connection.run("INSERT INTO migrations (number, applied_at) VALUES (99, 0)")
                connection.close()
                #expect(throws: StoreError.newerSchema(found: 99, known: SQLiteMigrations.steps.count)) {
                    try SQLiteStore(path: path, now: Date())
                }
            case .postgresql(let url):
                let connection = try PostgresConnection(try PostgresPlace(url), deadline: .now + .seconds(10), stop: StopFlag())
                try connection.run("INSERT INTO migrations (number, applied_at) VALUES (99, 0)")
                await #expect(throws: StoreError.newerSchema(found: 99, known: PostgresMigrations.steps.count)) {
                    try await PostgresStore(url: url)
                }
            }
        }
    }
}

struct StoreNoticeTests {
    @Test func `a notice is printed and read again`() {
        let notice = StoreNotice(origin: "me", changes: [.document(kind: "user", id: "a/b"), .stream("meeting/1"), .everything])
        #expect(StoreNotice(parsing: notice.text) == notice)
    }

    @Test func `what does not fit or could be taken for something else becomes everything`() {
        let many = (0..<2_000).map { StoreChange.document(kind: "user", id: "\($0)") }
        #expect(StoreNotice(origin: "me", changes: many).text == "me *")
        #expect(StoreNotice(origin: "me", changes: [.stream("a b")]).text == "me *")
        #expect(StoreNotice(origin: "me", changes: [.document(kind: "a/b", id: "c")]).text == "me *")
    }

    @Test(arguments: ["", "me", " *", "me x", "me d:", "me d:a/", "me d:/a", "me s:", "me  *", String(repeating: "x", count: 9_000) + " *"])
    func `what is no notice is none`(text: String) { #expect(StoreNotice(parsing: text) == nil) }
}

struct StorePlaceTests {
    @Test func `places are read, and shown without a password`() throws {
        #expect(try StorePlace(parsing: "sqlite:/a/b.sqlite") == .sqlite(path: "/a/b.sqlite"))
        let place = try StorePlace(parsing: "postgresql://u:bimat@db.example/hop?sslmode=verify-full&sslpassword=bimat")
        #expect(place.shown == "postgresql://db.example/hop")
    }

    @Test(arguments: ["", "sqlite:", "mysql://x", "postgresql://h/d?nonsense=1", "user:bimat@host", "postgresql://["])
    func `what is no place says what to write, and no secret`(text: String) {
        let failure = #expect(throws: StoreError.self) { try StorePlace(parsing: text) }
        #expect(failure.map { !"\($0)".contains("bimat") } ?? false)
    }
}
