import Formats
import Foundation
import Meetings

/// The members of a request's JSON object, each asked for by name; a name that nobody knows is refused.
struct Fields {
    /// Bodies of JSON calls are small; media offers have their own bound.
    static let mostBytes = 64 * 1_024
    private let object: JSONValue

    init(_ call: Call, known: [String]) throws(Problem) {
        try self.init(try Self.json(of: call), known: known)
    }

    /// The body of a request, whose type is looked at too: what a form of another page can send is not taken.
    static func json(of call: Call) throws(Problem) -> JSONValue {
        let type = call.request.headers["content-type"]?.split(separator: ";").first?.trimmingSpaces.lowercased()
        guard type == nil || type == "application/json" else { throw Problem(.unsupportedMediaType, ["application/json"]) }
        guard call.request.body.count <= Self.mostBytes else { throw Problem(.bodyTooLarge, [String(Self.mostBytes)]) }
        return try json(call.request.body)
    }

    /// - Throws: `malformed-json` with the place of the fault.
    static func json(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
        do { return try JSONValue(parsing: bytes) } catch { throw Problem(error) }
    }

    init(_ value: JSONValue, known: [String]) throws(Problem) {
        guard case .object(let members) = value else {
            throw Problem(JSONFault(line: 1, column: 1, reason: .notAnObject))
        }
        for (name, _) in members where !known.contains(name) {
            throw .field(.unknownField, name, known.joined(separator: ", "))
        }
        object = value
    }

    func has(_ name: String) -> Bool { object[name] != nil }

    func string(_ name: String) throws(Problem) -> String? {
        switch object[name] {
        case nil: return nil
        case .string(let text): return text
        default: throw .field(.wrongType, name, "string")
        }
    }

    func int(_ name: String) throws(Problem) -> Int? {
        switch object[name] {
        case nil: return nil
        case .int(let number): return number
        // 1.0 and 1e2 are whole numbers too (RFC 8259 §6), as far as a Double counts exactly.
        case .double(let number) where number == number.rounded() && abs(number) < 9_007_199_254_740_992: return Int(number)
        default: throw .field(.wrongType, name, "integer")
        }
    }

    /// A list of texts.
    func strings(_ name: String, most: Int) throws(Problem) -> [String]? {
        guard let value = object[name] else { return nil }
        guard case .array(let values) = value, values.count <= most else { throw .field(.wrongType, name, "[string]") }
        var texts: [String] = []
        for value in values {
            guard case .string(let text) = value else { throw .field(.wrongType, name, "[string]") }
            texts.append(text)
        }
        return texts
    }

    func bool(_ name: String) throws(Problem) -> Bool? {
        switch object[name] {
        case nil: return nil
        case .bool(let value): return value
        default: throw .field(.wrongType, name, "true / false")
        }
    }

    func date(_ name: String) throws(Problem) -> Date? {
        guard let text = try string(name) else { return nil }
        guard let date = Timestamps.date(text) else { throw .field(.wrongType, name, "RFC 3339, 2026-01-31T01:30:00Z") }
        return date
    }

    func choice<Value: RawRepresentable & CaseIterable>(_ name: String, _: Value.Type) throws(Problem) -> Value?
    where Value.RawValue == String {
        guard let text = try string(name) else { return nil }
        guard let value = Value(rawValue: text) else {
            throw Problem(ValidationFault(name, .notOneOf(Value.allCases.map(\.rawValue))))
        }
        return value
    }

    /// - Throws: `missing-field` where the member is absent.
    static func need<Value>(_ value: Value?, _ name: String) throws(Problem) -> Value {
        guard let value else { throw .field(.missingField, name) }
        return value
    }

    /// Runs a check of the domain, its fault as a problem.
    static func check<Value>(_ body: () throws(ValidationFault) -> Value) throws(Problem) -> Value {
        do { return try body() } catch { throw Problem(error) }
    }
}
