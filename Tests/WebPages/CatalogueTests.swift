import Foundation
import Testing

@testable import WebPages

/// The words that people read: one catalogue in two languages, and the modules that use it.
struct CatalogueTests {
    @Test func `both languages have the same keys, and each has words`() throws {
        let (vietnamese, english) = (try catalogue("vi"), try catalogue("en"))
        #expect(Set(vietnamese.keys).symmetricDifference(english.keys) == [])
        #expect(!vietnamese.isEmpty)
        #expect(vietnamese.merging(english) { $0.isEmpty ? $0 : $1 }.filter { $0.value.isEmpty }.keys.sorted() == [])
    }

    @Test func `a text has the same places for values in both languages`() throws {
        let english = try catalogue("en")
        for (key, text) in try catalogue("vi") { #expect(places(in: text) == places(in: english[key] ?? ""), "\(key)") }
    }

    @Test func `every key that a module or a page names exists, and every key is named`() throws {
        let known = Set(try catalogue("vi").keys)
        let rooms = Set(known.compactMap { $0.split(separator: ".").first })
        var named: Set<String> = []
        for path in WebPages.paths where path.hasSuffix(".js") || path.hasSuffix(".html") {
            let text = String(decoding: try #require(WebPages.file(at: path)).body, as: UTF8.self)
            // A key is a quoted word of two or more parts whose first part is a room of the catalogue: 'login.title'.
            for match in text.matches(of: /['"]([a-z]+)((?:\.[a-zA-Z]+)+)['"]/) where rooms.contains(match.1) {
                named.insert(String(match.1 + match.2))
            }
        }
        #expect(named.subtracting(known).sorted() == [], "used but not in the catalogue")
        #expect(known.subtracting(named).sorted() == [], "in the catalogue but never used")
    }

    private func catalogue(_ language: String) throws -> [String: String] {
        let file = try #require(WebPages.file(at: "/strings.\(language).json"))
        return try JSONDecoder().decode([String: String].self, from: Data(file.body))
    }

    private func places(in text: String) -> [String] { text.matches(of: /\{[a-zA-Z]+\}/).map { String($0.output) }.sorted() }
}
