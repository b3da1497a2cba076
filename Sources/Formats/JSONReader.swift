/// Why bytes are not the JSON that is taken. Lines and columns count from 1, columns in bytes.
package struct JSONFault: Error, Equatable, Sendable {
    package enum Reason: String, Sendable, CaseIterable {
        case ended = "it ends too early"
        case unexpected = "a character has no meaning here"
        case trailing = "something follows the value"
        case notText = "it is not UTF-8"
        case controlCharacter = "a control character in a text must be written as \\u"
        case escape = "an escape is none of RFC 8259"
        case surrogate = "half of a surrogate pair stands alone"
        case number = "a number is not one, or is too large"
        case tooDeep = "it is nested more than 32 deep"
        case tooManyMembers = "an object has more than 1000 members"
        case duplicateName = "a name stands twice in an object"
        case notAnObject = "it must be one object, {…}"
    }
    package var line: Int
    package var column: Int
    package var reason: Reason

    package init(line: Int, column: Int, reason: Reason) {
        self.line = line
        self.column = column
        self.reason = reason
    }
}

extension JSONValue {
    package static let mostDepth = 32
    package static let mostMembers = 1_000

    /// Reads JSON of a stranger, RFC 8259. Its cost is linear in the bytes, whatever they are.
    /// - Parameter allowsLastCommas: a comma before a closing bracket is passed over, as in a file that people write.
    package init(parsing bytes: [UInt8], allowsLastCommas: Bool = false) throws(JSONFault) {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw JSONFault(line: 1, column: 1, reason: .notText) }
        var reader = JSONReader(bytes, allowsLastCommas: allowsLastCommas)
        do throws(JSONReader.Failure) {
            self = try reader.whole()
        } catch {
            let before = bytes.prefix(reader.at)
            let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            throw JSONFault(line: before.count { $0 == UInt8(ascii: "\n") } + 1, column: reader.at - start + 1, reason: error.reason)
        }
    }
}

/// Goes over the bytes once. The depth is bounded, so that the stack is too.
private struct JSONReader {
    struct Failure: Error { var reason: JSONFault.Reason }
    private let bytes: [UInt8]
    private(set) var at = 0
    private let allowsLastCommas: Bool
    private var depth = 0

    init(_ bytes: [UInt8], allowsLastCommas: Bool) {
        self.bytes = bytes
        self.allowsLastCommas = allowsLastCommas
    }

    mutating func whole() throws(Failure) -> JSONValue {
        let value = try value()
        skipBlanks()
        guard at == bytes.count else { throw Failure(reason: .trailing) }
        return value
    }

    private mutating func skipBlanks() {
        while at < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[at]) { at += 1 }
    }

    /// The next byte that is no blank, without taking it.
    private mutating func peek() throws(Failure) -> UInt8 {
        skipBlanks()
        guard at < bytes.count else { throw Failure(reason: .ended) }
        return bytes[at]
    }

    private mutating func value() throws(Failure) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"): return try nested { reader throws(Failure) in .object(try reader.members()) }
        case UInt8(ascii: "["): return try nested { reader throws(Failure) in .array(try reader.elements()) }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw Failure(reason: .unexpected)
        }
    }

    private mutating func nested(_ body: (inout JSONReader) throws(Failure) -> JSONValue) throws(Failure) -> JSONValue {
        guard depth < JSONValue.mostDepth else { throw Failure(reason: .tooDeep) }
        depth += 1
        at += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func elements() throws(Failure) -> [JSONValue] {
        var values: [JSONValue] = []
        if try takes("]") { return values }
        while true {
            values.append(try value())
            if try takes("]") { return values }
            guard try takes(",") else { throw Failure(reason: .unexpected) }
            if allowsLastCommas, try takes("]") { return values }
        }
    }

    private mutating func members() throws(Failure) -> [(String, JSONValue)] {
        var members: [(String, JSONValue)] = []
        var names: Set<String> = []
        if try takes("}") { return members }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw Failure(reason: .unexpected) }
            guard members.count < JSONValue.mostMembers else { throw Failure(reason: .tooManyMembers) }
            let start = at
            let name = try string()
            guard names.insert(name).inserted else {
                at = start
                throw Failure(reason: .duplicateName)
            }
            guard try takes(":") else { throw Failure(reason: .unexpected) }
            members.append((name, try value()))
            if try takes("}") { return members }
            guard try takes(",") else { throw Failure(reason: .unexpected) }
            if allowsLastCommas, try takes("}") { return members }
        }
    }

    private mutating func takes(_ letter: Unicode.Scalar) throws(Failure) -> Bool {
        guard try peek() == UInt8(ascii: letter) else { return false }
        at += 1
        return true
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let matches = word.withUTF8Buffer { bytes[at...].starts(with: $0) }
        guard matches else { throw Failure(reason: .unexpected) }
        at += word.utf8CodeUnitCount
        return value
    }

    // MARK: Texts

    private mutating func string() throws(Failure) -> String {
        at += 1
        var text: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw Failure(reason: .controlCharacter)
            default:
                text.append(byte)
                at += 1
            }
        }
        throw Failure(reason: .ended)
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        guard at + 1 < bytes.count else { throw Failure(reason: .ended) }
        let letter = bytes[at + 1]
        let plain: [UInt8: UInt8] = [
            UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5c, UInt8(ascii: "/"): 0x2f, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
            UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
        ]
        if let byte = plain[letter] {
            text.append(byte)
            at += 2
            return
        }
        var scalar = try unit()
        if (0xd800..<0xdc00).contains(scalar) {
            let second = at < bytes.count && bytes[at] == UInt8(ascii: "\\") ? try unit() : 0
            guard (0xdc00..<0xe000).contains(second) else { throw Failure(reason: .surrogate) }
            scalar = 0x10000 + (scalar - 0xd800) << 10 + (second - 0xdc00)
        }
        guard let made = Unicode.Scalar(scalar) else { throw Failure(reason: .surrogate) }
        text.append(contentsOf: String(made).utf8)
    }

    /// Four hexadecimal digits behind \u.
    private mutating func unit() throws(Failure) -> UInt32 {
        guard at + 6 <= bytes.count else { throw Failure(reason: .ended) }
        guard bytes[at + 1] == UInt8(ascii: "u") else { throw Failure(reason: .escape) }
        var value: UInt32 = 0
        for byte in bytes[(at + 2)..<(at + 6)] {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 128 else { throw Failure(reason: .escape) }
            value = value << 4 | UInt32(digit)
        }
        at += 6
        return value
    }

    // MARK: Numbers

    /// Whole ones within 64 bits are kept exactly, all others as `Double`.
    private mutating func number() throws(Failure) -> JSONValue {
        let start = at
        var isWhole = true
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        let first = at
        guard digits() > 0, bytes[first] != UInt8(ascii: "0") || at == first + 1 else { throw Failure(reason: .number) }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            isWhole = false
            at += 1
            guard digits() > 0 else { throw Failure(reason: .number) }
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            guard digits() > 0 else { throw Failure(reason: .number) }
        }
        guard at - start <= 64 else { throw Failure(reason: .number) }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isWhole, let value = Int(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else { throw Failure(reason: .number) }
        return .double(value)
    }

    private mutating func digits() -> Int {
        let start = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
        return at - start
    }
}
