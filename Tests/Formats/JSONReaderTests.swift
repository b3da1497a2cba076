import Formats
import TestSupport
import Testing

struct JSONReaderTests {
    private func read(_ text: String) throws(JSONFault) -> JSONValue { try JSONValue(parsing: [UInt8](text.utf8)) }
    private func fault(_ text: String) -> JSONFault? {
        do {
            _ = try read(text)
            return nil
        } catch { return error }
    }

    @Test(
        arguments: [
            ("null", .null), (" true\r\n", .bool(true)), ("[false, 1]", .array([.bool(false), .int(1)])), ("\"\"", .string("")),
            ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)),
            ("-0", .int(0)), ("1.0", .double(1)), ("1e3", .double(1_000)), ("-2.5E-1", .double(-0.25)), ("1e-400", .double(0)),
            (#""\u0041\u00ea\ud83d\ude00\n\/""#, .string("Aê😀\n/")), ("\"Điện Biên\"", .string("Điện Biên")),
            (#"{"b":1,"a":{"c":[]}}"#, .object([("b", .int(1)), ("a", .object([("c", .array([]))]))])), ("{}", .object([])),
        ] as [(String, JSONValue)])
    func `what RFC 8259 allows is read`(text: String, value: JSONValue) throws {
        #expect(try read(text) == value)
        #expect(try read(value.text) == value)
    }

    @Test(
        arguments: [
            ("", 1, 1, .ended), ("[1,\n 2", 2, 3, .ended), ("[1,]", 1, 4, .unexpected), ("{\"a\":1,}", 1, 8, .unexpected),
            ("{a:1}", 1, 2, .unexpected),
            ("01", 1, 3, .number), ("1.", 1, 3, .number), ("-", 1, 2, .number), (".5", 1, 1, .unexpected), ("1e400", 1, 6, .number),
            ("NaN", 1, 1, .unexpected),
            ("1 2", 1, 3, .trailing), ("'a'", 1, 1, .unexpected), ("\"a\tb\"", 1, 3, .controlCharacter), ("\"a", 1, 3, .ended),
            (#""\x""#, 1, 2, .ended), (#""\x    ""#, 1, 2, .escape), (#""\ud800""#, 1, 8, .surrogate), (#""\udc00""#, 1, 8, .surrogate),
            (#""\ud800\u0041""#, 1, 14, .surrogate), (#""\u00g0""#, 1, 2, .escape), (#"{"a":1,"a":2}"#, 1, 8, .duplicateName),
            (#"{"a":1,"\u0061":2}"#, 1, 8, .duplicateName), ("\u{feff}{}", 1, 1, .unexpected), ("tru", 1, 1, .unexpected),
        ] as [(String, Int, Int, JSONFault.Reason)])
    func `everything else is refused where it stands`(text: String, line: Int, column: Int, reason: JSONFault.Reason) {
        #expect(fault(text) == JSONFault(line: line, column: column, reason: reason))
    }

    @Test func `bytes that are no text are refused`() {
        #expect(throws: JSONFault(line: 1, column: 1, reason: .notText)) { try JSONValue(parsing: [0x22, 0xff, 0x22]) }
    }

    @Test func `thirty-two levels are read, one more is refused, and so is a thousand members and one`() throws {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(fault(nested(32)) == nil)
        #expect(fault(nested(33))?.reason == .tooDeep)
        #expect(fault("[" + (0..<6).map { _ in nested(500) }.joined(separator: ",") + "]")?.reason == .tooDeep)
        #expect(fault(String(repeating: "{\"a\":", count: 9_000))?.reason == .tooDeep)
        func object(_ count: Int) -> String { "{" + (0..<count).map { "\"m\($0)\":\($0)" }.joined(separator: ",") + "}" }
        #expect(fault(object(1_000)) == nil)
        #expect(fault(object(1_001))?.reason == .tooManyMembers)
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `whatever the bytes, they are read or refused, and what was read prints to the same`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces = ["{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\u00e1", "1", "-", "e5", ".", "true", "null", " ", "\n", "\u{301}"]
        let text = (0..<Int.random(in: 1..<60, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
        guard let value = try? read(text) else { return }
        #expect((try? read(value.text)) == value)
    }
}
