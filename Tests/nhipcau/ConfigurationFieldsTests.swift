import Base
import Foundation
import Testing

@testable import nhipcau

/// The configuration file as JSON with comments: what is read, and what is said of what is wrong.
struct ConfigurationFieldsTests {
    private func fields(_ text: String) throws -> ConfigurationFields { try ConfigurationFields(Data(text.utf8), file: "a.json") }

    @Test(arguments: [
        #"{"a": "x"}"#, "{\"a\": \"x\",}", "// first\n{\"a\": \"x\" // last\n}", "/* \"a\": \"y\", */ {\"a\": /* { */ \"x\"}",
        "{\"a\": \"x\" /* to the end", "{\r\n// of another machine\r\n\"a\": \"x\",\r\n}",
    ])
    func `comments and a last comma are no part of it`(text: String) throws {
        // A comment that is not ended takes the brace with it.
        if text.hasSuffix("end") {
            #expect(throws: CommandFailure.self) { try fields(text) }
        } else {
            #expect(try fields(text).string("a") == "x")
        }
    }

    @Test(arguments: ["http://a/*b*/", "a,]", "a,}", "\"//", "\\", "\\\"//\\\\", "đ // ế"])
    func `within a text they are the text's own`(text: String) throws {
        let written = String(decoding: try JSONEncoder().encode(["a": text, "b": "z"]), as: UTF8.self)
        let read = try fields("// \"\n" + written.dropLast() + ",}")
        #expect(try read.string("a") == text && read.string("b") == "z")
    }

    @Test func `lines keep their numbers, so that the parser's word about a line is true`() {
        let text = "{ // one\n/* two\nthree */ \"a\": \"//\"\n}"
        let left = ConfigurationFields.withoutComments(text)
        #expect(
            left.split(separator: "\n", omittingEmptySubsequences: false).count == 4 && left.contains("\"//\"") && !left.contains("three"))
    }

    @Test(arguments: [
        ("", "is not JSON"), ("[]", "must be one JSON object"), ("7", "must be one JSON object"), ("{", "is not JSON"),
        ("{} {}", "is not JSON"),
        ("{\"a\" 1}", "is not JSON"), ("\u{feff}x", "is not JSON"), ("{\"a\": 1,\n\"a\": 2}", "is not JSON (line 2: a name stands twice"),
    ])
    func `what is no object is refused with the file's name`(text: String, words: String) {
        let failure = #expect(throws: CommandFailure.self) { try fields(text) }
        #expect(failure?.code == ExitCode.input && failure?.line.hasPrefix("a.json: \(words)") == true)
    }

    @Test func `an unknown key is named with its place, and the known ones beside it`() throws {
        let inner = try #require(try fields(#"{"media": {"prot": 1}}"#).object("media"))
        let failure = #expect(throws: CommandFailure.self) { try inner.allow(["port", "addresses"]) }
        #expect(failure?.line == "a.json: media.prot: unknown key; known are addresses, port")
        try inner.allow(["prot"])
    }

    @Test(arguments: [
        ("1", true), ("5", true), ("0", false), ("6", false), ("-1", false), ("1.5", false), ("true", false), ("false", false),
        ("\"3\"", false),
        ("null", false), ("[3]", false), ("1e30", false), ("99999999999999999999", false),
    ])
    func `a number is whole, within its bounds, and no text and no truth`(value: String, isGood: Bool) throws {
        let read = try fields("{\"n\": \(value)}")
        if isGood {
            #expect(try read.int("n", in: 1...5) == Int(value))
        } else {
            let failure = #expect(throws: CommandFailure.self) { try read.int("n", in: 1...5) }
            #expect(failure?.line == "a.json: n: must be a whole number from 1 to 5")
        }
    }

    @Test(arguments: ["1", "true", "null", "{}", "[\"a\"]"])
    func `a text is a text, a list one of texts, an object an object`(value: String) throws {
        let read = try fields("{\"v\": \(value)}")
        #expect(throws: CommandFailure.self) { try read.string("v") }
        if value != "[\"a\"]" { #expect(throws: CommandFailure.self) { try read.strings("v") } }
        if value != "{}" { #expect(throws: CommandFailure.self) { try read.object("v") } }
    }

    @Test func `what is not there is nothing`() throws {
        let read = try fields("{}")
        #expect(try read.string("a") == nil && read.int("a", in: 0...1) == nil && read.strings("a").isEmpty && read.object("a") == nil)
        #expect(throws: CommandFailure.self) { try fields("{\"a\": [\"x\", 1]}").strings("a") }
    }
}
