import Formats
import Foundation
import Testing

@testable import ControlPlane

/// The description and the routes are two lists of the same thing; neither may know more than the other.
struct OpenAPITests {
    private static func described() throws -> Set<String> {
        let document = try JSONValue(parsing: OpenAPI.document)
        guard case .object(let paths)? = document["paths"] else { return [] }
        var found: Set<String> = []
        for (path, item) in paths {
            guard case .object(let methods) = item else { continue }
            for (method, _) in methods { found.insert("\(method.uppercased()) \(path)") }
        }
        return found
    }

    @Test func `every route is described and every description has a route`() throws {
        #expect(try Self.described() == Set(Routes.all.map { "\($0.method) \($0.pattern)" }))
    }

    @Test func `what needs no login is said to need none, and nothing else`() throws {
        let document = try JSONValue(parsing: OpenAPI.document)
        for route in Routes.all {
            let operation = try #require(document["paths"]?[route.pattern]?[route.method.lowercased()])
            let saysOpen = operation["security"] == .array([])
            let isOpen = route.access == .open
            #expect(saysOpen == isOpen, "\(route.method) \(route.pattern)")
        }
    }
}

/// Bodies, both ways: what is described is what is checked, and what is answered is what is described.
struct OpenAPIBodiesTests {
    private static func document() throws -> JSONValue { try JSONValue(parsing: OpenAPI.document) }

    @Test func `each body is described as it is checked: members, bounds, choices, what is required`() throws {
        let document = try Self.document()
        let check = SchemaCheck(document)
        for route in Routes.all {
            let operation = try #require(document["paths"]?[route.pattern]?[route.method.lowercased()])
            let described = operation["requestBody"]?["content"]?["application/json"]?["schema"]
            guard !route.bodies.isEmpty else {
                #expect(described == nil, "\(route.method) \(route.pattern)")
                continue
            }
            let schemas = route.bodies.map(\.schema)
            let declared = schemas.count == 1 ? schemas[0] : .object([("oneOf", .array(schemas))])
            #expect(check.canonical(try #require(described)) == check.canonical(declared), "\(route.method) \(route.pattern)")
        }
    }

    /// The schema of an answer, where it is JSON.
    private static func schema(_ document: JSONValue, _ method: String, _ pattern: String, _ status: Int) -> JSONValue? {
        document["paths"]?[pattern]?[method]?["responses"]?[String(status)]?["content"]?["application/json"]?["schema"]
    }

    @Test func `each answer has the members that are described, and each described member is answered`() async throws {
        let document = try Self.document()
        var check = SchemaCheck(document)
        let server = try await TestServer()
        let login = await server.ask("POST", "/api/v1/session", #"{"username":"admin","password":"\#(TestServer.password)"}"#)
        let token = login.text("token")
        let made = await server.ask(
            "POST", "/api/v1/users", #"{"username":"lai-chau","role":"operator","password":"\#(TestServer.password)","sites":["12"]}"#,
            token: token)
        let user = made.text("id")
        let meeting = await server.runningMeeting(by: token)
        let participant = await server.join(meeting, "Lai Châu", by: token)
        let own = "/api/v1/meetings/\(meeting)"
        let command = await server.ask(
            "POST", "\(own)/commands", #"{"id":1,"type":"mute","participantId":"\#(participant)","muted":true}"#, token: token)
        let answers: [(String, String, TestServer.Answer)] = [
            ("post", "/api/v1/session", login), ("get", "/api/v1/session", await server.ask("GET", "/api/v1/session", token: token)),
            ("post", "/api/v1/users", made), ("get", "/api/v1/users", await server.ask("GET", "/api/v1/users", token: token)),
            ("get", "/api/v1/users/{id}", await server.ask("GET", "/api/v1/users/\(user)", token: token)),
            ("patch", "/api/v1/users/{id}", await server.ask("PATCH", "/api/v1/users/\(user)", #"{"name":"Khác"}"#, token: token)),
            ("post", "/api/v1/meetings", await server.ask("POST", "/api/v1/meetings", #"{"title":"Mới"}"#, token: token)),
            ("get", "/api/v1/meetings", await server.ask("GET", "/api/v1/meetings", token: token)),
            ("get", "/api/v1/meetings/{id}", await server.ask("GET", own, token: token)),
            (
                "patch", "/api/v1/meetings/{id}",
                await server.ask("PATCH", own, #"{"locked":true}"#, token: token, headers: ["if-match": "*"])
            ),
            ("get", "/api/v1/meetings/{id}/participants", await server.ask("GET", "\(own)/participants", token: token)),
            ("post", "/api/v1/meetings/{id}/commands", command),
            ("get", "/api/v1/sites", await server.ask("GET", "/api/v1/sites", token: token)),
            ("get", "/api/v1/audit", await server.ask("GET", "/api/v1/audit", token: token)),
        ]
        for (method, pattern, answer) in answers {
            let schema = try #require(
                Self.schema(document, method, pattern, answer.status), "\(method) \(pattern) \(answer.status) \(answer.json.text)")
            check.check(answer.json, schema, at: "\(method) \(pattern)", mayLack: ["kind"])
        }
        #expect(check.faults == [])
        let refusal = await server.ask("POST", "/api/v1/meetings", #"{"title":""}"#, token: token)
        check.check(
            refusal.json, .object([("$ref", .string("#/components/schemas/Problem"))]), at: "problem",
            mayLack: ["field", "line", "mediaLine"])
        #expect(check.faults == [] && refusal.status == 422 && refusal.json["field"] == .string("title"))
    }
}

/// What a call refuses, by the name of what is wrong with it.
struct RefusalTests {
    @Test(
        arguments: [
            (#"{"title":""}"#, 422, "invalid-value", "title"), (#"{"title":5}"#, 400, "wrong-type", "title"),
            ("{}", 400, "missing-field", "title"),
            (#"{"title":"a","nope":1}"#, 400, "unknown-field", "nope"), (#"{"title":"a","capacity":0}"#, 422, "invalid-value", "capacity"),
            (#"{"title":"a","capacity":"5"}"#, 400, "wrong-type", "capacity"),
            (#"{"title":"a","layout":"x"}"#, 422, "invalid-value", "layout"),
            (#"{"title":"a\u0000"}"#, 422, "invalid-value", "title"),
            (#"{"title":"a","startsAt":"2026-02-30T00:00:00Z"}"#, 400, "wrong-type", "startsAt"),
        ] as [(String, Int, String, String)])
    func `a member that is wrong is named`(body: String, status: Int, problem: String, field: String) async throws {
        let server = try await TestServer()
        let answer = await server.ask("POST", "/api/v1/meetings", body, token: await server.signIn())
        #expect(answer.status == status && answer.problem == problem && answer.json["field"] == .string(field), "\(answer.json.text)")
    }

    @Test(
        arguments: [
            ("{", "malformed-json"), ("[]", "missing-field"), (#"{"type":"fly"}"#, "unknown-command"),
            (#"{"type":"mute"}"#, "missing-field"),
            (#"{"type":"lock","locked":1}"#, "wrong-type"), (#"{"type":"lock","locked":true,"muted":true}"#, "unknown-field"),
            (#"{"type":"mute","participantId":"x","muted":true}"#, "participant-not-found"),
            (#"{"type":"readmit","user":"x"}"#, "wrong-type"),
        ])
    func `a command that is wrong is refused by name`(body: String, problem: String) async throws {
        let server = try await TestServer()
        let token = await server.signIn()
        let meeting = await server.runningMeeting(by: token)
        let answer = await server.ask("POST", "/api/v1/meetings/\(meeting)/commands", body, token: token)
        #expect(answer.problem == problem, "\(answer.json.text)")
    }

    @Test func `who may not watch is refused, and it is in the audit log; who may is answered`() async throws {
        let server = try await TestServer()
        let token = await server.signIn()
        let site = await server.account("lai-chau", .operator, by: token)
        let meeting = await server.runningMeeting(by: token)
        let path = "/api/v1/meetings/\(meeting)/commands"
        let refusal = await server.ask("POST", path, #"{"type":"watch","what":["levels"]}"#, token: site)
        #expect(refusal.status == 403 && refusal.problem == "not-allowed")
        let answer = await server.ask("POST", path, #"{"id":4,"type":"watch","what":["levels","lines"]}"#, token: token)
        #expect(answer.status == 200 && answer.json["reply"] == .int(4))
        #expect(await server.ask("POST", path, #"{"type":"watch","what":["pictures"]}"#, token: token).problem == "invalid-value")
        let log = await server.ask("GET", "/api/v1/audit", token: token)
        #expect(log.json.text.contains("\"detail\":\"watch\""))
    }

    @Test func `a body beyond the bound, or one that a form could send, is not read`() async throws {
        let server = try await TestServer()
        let large = #"{"username":"a","password":"\#(String(repeating: "x", count: 70_000))"}"#
        #expect(await server.ask("POST", "/api/v1/session", large).status == 413)
        let form = await server.ask("POST", "/api/v1/session", "{}", headers: ["content-type": "text/plain"])
        #expect(form.status == 415)
    }
}

struct CatalogueOfProblemsTests {
    @Test(arguments: ProblemType.allCases)
    func `each problem has words in both languages that speak of the same things`(type: ProblemType) {
        let pair = Words.pair(type)
        #expect(!pair.vi.title.isEmpty && !pair.en.title.isEmpty && pair.vi != pair.en)
        #expect(pair.vi.places == pair.en.places)
        #expect(!pair.vi.detail([]).isEmpty && !pair.en.detail([]).isEmpty)
        #expect((400...599).contains(type.status))
    }

    @Test(arguments: [Language.vi, .en])
    func `no two problems are told in the same words`(language: Language) {
        let told = ProblemType.allCases.map { Words.of($0, in: language) }
        for (index, words) in told.enumerated() { #expect(!told[..<index].contains(words), "\(ProblemType.allCases[index])") }
    }

    @Test func `an argument of a stranger cannot fill a place of its own`() {
        #expect(Words("t", "a {0} b {1}").detail(["{1}", "x"]) == "a {1} b x")
    }

    @Test(
        arguments: [(nil, "vi"), ("en", "en"), ("en-GB,vi;q=0.5", "en"), ("fr,vi;q=0.2,en;q=0.1", "vi"), ("de", "vi")]
            as [(String?, String)])
    func `the language is the one that is liked best`(header: String?, language: String) {
        #expect(Language(accepting: header).rawValue == language)
    }
}

struct PasswordTests {
    @Test func `a password matches its hash, another does not, and the text keeps what it cost`() throws {
        let hash = try PasswordHash("Mật khẩu dài", cost: .cheap)
        #expect(try hash.matches("Mật khẩu dài"))
        #expect(try hash.matches("Mật khẩu dài".decomposedStringWithCanonicalMapping))
        #expect(try !hash.matches("mật khẩu dài"))
        let read = try #require(PasswordHash(text: hash.text))
        #expect(read == hash)
        #expect(try PasswordHash("Mật khẩu dài", cost: .cheap).salt != hash.salt)
    }

    @Test(arguments: ["", "scrypt$4$8$1$00$11", "scrypt$99$8$1$00$" + String(repeating: "0", count: 64), "plain$x"])
    func `a text that is no hash is none`(text: String) { #expect(PasswordHash(text: text) == nil) }
}

struct SentCommandTests {
    private let own = UUID()

    @Test func `a command is read with what it needs`() throws {
        let id = UUID()
        let value = try JSONValue(parsing: Array("{\"id\":7,\"type\":\"mute\",\"participantId\":\"\(id.uuidString)\",\"muted\":true}".utf8))
        let sent = try SentCommand(value, own: [own])
        #expect(sent.action == .orders([.mute(id, true)]) && sent.id == .int(7))
    }

    @Test func `leave without a name means oneself`() throws {
        #expect(try SentCommand(.object([("type", .string("leave"))]), own: [own]).action == .orders([.remove(own)]))
    }

    @Test(arguments: [
        "{}", "{\"type\":\"dance\"}", "{\"type\":\"mute\"}", "{\"type\":\"lock\",\"locked\":1}",
        "{\"type\":\"lock\",\"locked\":true,\"x\":1}",
    ])
    func `what cannot be done is refused`(text: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(throws: Problem.self) { try SentCommand(value, own: []) }
    }
}
