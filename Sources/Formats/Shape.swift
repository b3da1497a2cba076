/// What a JSON value must be. The reader checks with it, and the description of an API is held against it: what is declared once cannot drift.
package indirect enum Shape: Sendable, Equatable {
    case anything
    case bool
    case integer(ClosedRange<Int>? = nil)
    /// Lengths in characters. `format` is one of JSON Schema's: date-time, uuid, password.
    case text(least: Int? = nil, most: Int? = nil, format: String? = nil)
    case choice([String])
    case list(of: Shape, most: Int? = nil)
    /// An object of these members and no others.
    case object([MemberShape])
}

package struct MemberShape: Sendable, Equatable {
    package var name: String
    package var shape: Shape
    package var isRequired: Bool

    package init(_ name: String, _ shape: Shape, isRequired: Bool) {
        self.name = name
        self.shape = shape
        self.isRequired = isRequired
    }
}

extension Shape {
    /// As JSON Schema 2020-12, which OpenAPI 3.1 speaks; without descriptions.
    package var schema: JSONValue {
        switch self {
        case .anything: return .object([])
        case .bool: return .object([("type", .string("boolean"))])
        case .integer(let range):
            let bounds = range.map { [("minimum", JSONValue.int($0.lowerBound)), ("maximum", .int($0.upperBound))] } ?? []
            return .object([("type", .string("integer"))] + bounds)
        case .text(let least, let most, let format):
            return .object(
                [("type", .string("string"))] + Self.bound("minLength", least) + Self.bound("maxLength", most)
                    + (format.map { [("format", JSONValue.string($0))] } ?? []))
        case .choice(let words): return .object([("type", .string("string")), ("enum", .array(words.map { .string($0) }))])
        case .list(let element, let most):
            return .object([("type", .string("array")), ("items", element.schema)] + Self.bound("maxItems", most))
        case .object(let members):
            return .object([
                ("type", .string("object")), ("properties", .object(members.map { ($0.name, $0.shape.schema) })),
                ("required", .array(members.filter(\.isRequired).map { .string($0.name) })), ("additionalProperties", .bool(false)),
            ])
        }
    }

    private static func bound(_ name: String, _ number: Int?) -> [(String, JSONValue)] { number.map { [(name, .int($0))] } ?? [] }
}
