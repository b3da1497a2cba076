import Formats
import Foundation
import TestSupport
import Testing

private enum Colour: String, CaseIterable { case red, green }

private struct Inner: Declared {
    var count = 0
    static let members = Members<Self>(.required("count", \.count, .integer(1...9)))
}

private struct Order: Declared {
    var title = ""
    var colour: Colour?
    var startsAt: Date?
    var words: [String]?
    var inner: Inner?
    var isLate: Bool?
    static let members = Members<Self>(
        .required("title", \.title, .text(most: 5)), .optional("colour", \.colour, .choice), .optional("startsAt", \.startsAt, .time),
        .optional("words", \.words, .list(of: .text(), most: 2, named: "[string]")), .optional("inner", \.inner, .object()),
        .optional("late", \.isLate, .bool))
}

struct DeclaredTests {
    private func read(_ text: String) throws -> Order { try Order(try JSONValue(parsing: Array(text.utf8))) }

    @Test func `what is declared is read, and what is left out stays as it was`() throws {
        let order = try read(#"{"late":true,"inner":{"count":3.0},"words":["a","b"],"title":"x","colour":"green"}"#)
        #expect(order.title == "x" && order.colour == .green && order.inner?.count == 3 && order.words == ["a", "b"])
        #expect(order.isLate == true && order.startsAt == nil)
    }

    @Test(
        arguments: [
            ("[]", "", .notAnObject), ("{}", "title", .missing), (#"{"title":null}"#, "title", .wrongType("string")),
            (#"{"title":"x","nope":1}"#, "nope", .unknown(known: ["title", "colour", "startsAt", "words", "inner", "late"])),
            (#"{"title":"x","colour":"blue"}"#, "colour", .notOneOf(["red", "green"])),
            (#"{"title":"x","colour":7}"#, "colour", .wrongType("string")),
            (#"{"title":"x","late":1}"#, "late", .wrongType("true / false")),
            (#"{"title":"x","startsAt":"2026-02-30T00:00:00Z"}"#, "startsAt", .wrongType("RFC 3339, 2026-01-31T01:30:00Z")),
            (#"{"title":"x","words":["a","b","c"]}"#, "words", .wrongType("[string]")),
            (#"{"title":"x","words":["a",1]}"#, "words", .wrongType("[string]")),
            (#"{"title":"x","inner":{"count":10}}"#, "inner.count", .outOfRange(least: 1, most: 9)),
            (#"{"title":"x","inner":{"count":1.5}}"#, "inner.count", .wrongType("integer")),
            (#"{"title":"x","inner":{"count":1e300}}"#, "inner.count", .wrongType("integer")),
            (#"{"title":"x","inner":{}}"#, "inner.count", .missing),
            (#"{"title":"x","inner":{"x":1}}"#, "inner.x", .unknown(known: ["count"])),
            (#"{"title":"x","inner":[]}"#, "inner", .wrongType("object")),
        ] as [(String, String, RequestFault.Reason)])
    func `what is not as declared is refused by the name of the member`(text: String, field: String, reason: RequestFault.Reason) throws {
        let fault = #expect(throws: RequestFault.self) { try read(text) }
        #expect(fault?.field == field && fault?.reason == reason)
    }

    @Test func `members that somebody else reads are passed over, and no others`() throws {
        let value = try JSONValue(parsing: Array(#"{"id":[1],"type":"t","count":2}"#.utf8))
        #expect(try Inner(value, besides: ["id", "type"]).count == 2)
        let fault = #expect(throws: RequestFault.self) { try Inner(value, besides: ["id"]) }
        #expect(fault == RequestFault(.unknown(known: ["id", "count"]), at: ["type"]))
    }

    @Test func `the declaration prints as a schema`() {
        let text = Inner.members.shape().schema.text
        #expect(
            text
                == #"{"type":"object","properties":{"count":{"type":"integer","minimum":1,"maximum":9}},"required":["count"],"additionalProperties":false}"#
        )
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `whatever is sent is read or refused`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let names = ["title", "colour", "startsAt", "words", "inner", "late", "nope"]
        let values: [JSONValue] = [
            .null, .bool(true), .int(3), .double(1.5), .string("red"), .array([.string("a")]), .object([("count", .int(3))]),
        ]
        let given = names.shuffled(using: &generator).prefix(Int.random(in: 0...7, using: &generator)).map { name in
            (name, values.randomElement(using: &generator) ?? .null)
        }
        do throws(RequestFault) {
            let order = try Order(.object(given))
            #expect(given.contains { $0.0 == "title" && $0.1 == .string("red") } && order.title == "red")
        } catch {
            #expect(names.contains(error.path.first ?? ""))
        }
    }
}
