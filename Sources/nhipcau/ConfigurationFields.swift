import Base
import Formats
import Foundation

/// One object of the configuration file, read by the reader and the kinds of the API's requests. Every fault names the file, the key and what to do.
struct ConfigurationFields {
    private let object: [String: JSONValue]
    private let file: String
    private let path: String

    /// - Parameter data: JSON with `//` and `/* */` comments and last commas; bounded as requests are.
    init(_ data: Data, file: String) throws(CommandFailure) {
        let text = Self.withoutComments(String(decoding: data, as: UTF8.self))
        let value: JSONValue
        do {
            value = try JSONValue(parsing: Array(text.utf8), allowsLastCommas: true)
        } catch {
            throw .input(
                "\(file): is not JSON (line \(error.line): \(error.reason.rawValue)); comments are // and /* */")
        }
        guard case .object(let members) = value else { throw .input("\(file): must be one JSON object, {…}") }
        self.init(members, file: file, path: "")
    }

    private init(_ members: [(String, JSONValue)], file: String, path: String) {
        object = Dictionary(uniqueKeysWithValues: members)
        self.file = file
        self.path = path
    }

    func place(_ key: String) -> String { "\(file): \(path)\(key)" }

    /// In order, of an object whose keys are names.
    var keys: [String] { object.keys.sorted() }

    func allow(_ known: Set<String>) throws(CommandFailure) {
        for key in keys where !known.contains(key) {
            throw .input("\(place(key)): unknown key; known are \(known.sorted().joined(separator: ", "))")
        }
    }

    func string(_ key: String) throws(CommandFailure) -> String? { try read(key, .text(), "must be a text in quotation marks") }

    func int(_ key: String, in range: ClosedRange<Int>) throws(CommandFailure) -> Int? {
        try read(key, .integer(range), "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }

    func strings(_ key: String) throws(CommandFailure) -> [String] {
        try read(key, .list(of: .text(), most: JSONValue.mostMembers, named: "[string]"), "must be a list of texts, [\"…\"]") ?? []
    }

    func object(_ key: String) throws(CommandFailure) -> ConfigurationFields? {
        guard let value = object[key] else { return nil }
        guard case .object(let members) = value else { throw .input("\(place(key)): must be an object, {…}") }
        return ConfigurationFields(members, file: file, path: "\(path)\(key).")
    }

    private func read<Value: Sendable>(_ key: String, _ kind: Kind<Value>, _ remedy: String) throws(CommandFailure) -> Value? {
        guard let value = object[key] else { return nil }
        do { return try kind.read(value) } catch { throw .input("\(place(key)): \(remedy)") }
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
