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

struct CatalogueOfProblemsTests {
    @Test(arguments: ProblemType.allCases)
    func `each problem has words in both languages that speak of the same things`(type: ProblemType) {
        let pair = Words.pair(type)
        #expect(!pair.vi.title.isEmpty && !pair.en.title.isEmpty && pair.vi != pair.en)
        #expect(pair.vi.places == pair.en.places)
        #expect((400...599).contains(type.status))
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
        #expect(sent.orders == [.mute(id, true)] && sent.id == .int(7))
    }

    @Test func `leave without a name means oneself`() throws {
        #expect(try SentCommand(.object([("type", .string("leave"))]), own: [own]).orders == [.remove(own)])
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
