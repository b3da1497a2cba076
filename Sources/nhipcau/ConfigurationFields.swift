import Formats
import Foundation

/// One object of the configuration file. Every fault names the file, the key and what to do.
struct ConfigurationFields {
    private let members: [(String, JSONValue)]
    private let file: String
    private let path: String

    /// - Parameter data: JSON with `//` and `/* */` comments and trailing commas.
    init(_ data: Data, file: String) throws(CommandFailure) {
        let text = Self.withoutTrailingCommas(Self.withoutComments(String(decoding: data, as: UTF8.self)))
        let value: JSONValue
        do throws(JSONFault) { value = try JSONValue(parsing: [UInt8](text.utf8)) } catch {
            throw .input("\(file): is not JSON (line \(error.line): \(error.reason.rawValue)); comments are // and /* */")
        }
        guard case .object(let members) = value else { throw .input("\(file): must be one JSON object, {…}") }
        self.init(members, file: file, path: "")
    }

    private init(_ members: [(String, JSONValue)], file: String, path: String) {
        self.members = members
        self.file = file
        self.path = path
    }

    private subscript(key: String) -> JSONValue? { members.first { $0.0 == key }?.1 }

    func place(_ key: String) -> String { "\(file): \(path)\(key)" }

    /// In order, of an object whose keys are names.
    var keys: [String] { members.map(\.0).sorted() }

    func allow(_ known: Set<String>) throws(CommandFailure) {
        for key in keys where !known.contains(key) {
            throw .input("\(place(key)): unknown key; known are \(known.sorted().joined(separator: ", "))")
        }
    }

    func string(_ key: String) throws(CommandFailure) -> String? {
        guard let value = self[key] else { return nil }
        guard case .string(let text) = value else { throw .input("\(place(key)): must be a text in quotation marks") }
        return text
    }

    func int(_ key: String, in range: ClosedRange<Int>) throws(CommandFailure) -> Int? {
        guard let value = self[key] else { return nil }
        guard case .int(let number) = value, range.contains(number) else {
            throw .input("\(place(key)): must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func strings(_ key: String) throws(CommandFailure) -> [String] {
        guard let value = self[key] else { return [] }
        guard case .array(let values) = value else { throw .input("\(place(key)): must be a list of texts, [\"…\"]") }
        var texts: [String] = []
        for value in values {
            guard case .string(let text) = value else { throw .input("\(place(key)): must be a list of texts, [\"…\"]") }
            texts.append(text)
        }
        return texts
    }

    func object(_ key: String) throws(CommandFailure) -> ConfigurationFields? {
        guard let value = self[key] else { return nil }
        guard case .object(let inner) = value else { throw .input("\(place(key)): must be an object, {…}") }
        return ConfigurationFields(inner, file: file, path: "\(path)\(key).")
    }

    /// A comma before a closing bracket goes.
    static func withoutTrailingCommas(_ text: String) -> String {
        var output: [Character] = []
        var isInString = false
        var isEscaped = false
        for character in text {
            if isInString {
                isInString = character != "\"" || isEscaped
                isEscaped = character == "\\" && !isEscaped
            } else if character == "\"" {
                isInString = true
            } else if character == "}" || character == "]", let last = output.lastIndex(where: { !$0.isWhitespace }), output[last] == "," {
                output.remove(at: last)
            }
            output.append(character)
        }
        return String(output)
    }

    /// Comments become blanks, so that a parser's line numbers stay true.
    static func withoutComments(_ text: String) -> String {
        var output = ""
        var rest = Substring(text)
        var isInString = false
        while let character = rest.first {
            if isInString {
                if character == "\\" {
                    output += rest.prefix(2)
                    rest = rest.dropFirst(2)
                    continue
                }
                if character == "\"" { isInString = false }
            } else if character == "\"" {
                isInString = true
            } else if rest.hasPrefix("//") {
                rest = rest.drop { !$0.isNewline }
                continue
            } else if rest.hasPrefix("/*") {
                let end = rest.range(of: "*/")?.upperBound ?? rest.endIndex
                output += rest[..<end].filter(\.isNewline)
                rest = rest[end...]
                continue
            }
            output.append(character)
            rest = rest.dropFirst()
        }
        return output
    }
}
