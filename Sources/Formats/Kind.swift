import Foundation

/// How a value of a type is read from JSON, and what the JSON must be for it.
package struct Kind<Value: Sendable>: Sendable {
    package let shape: Shape
    private let reader: @Sendable (JSONValue) throws(RequestFault) -> Value

    package init(_ shape: Shape, _ reader: @escaping @Sendable (JSONValue) throws(RequestFault) -> Value) {
        self.shape = shape
        self.reader = reader
    }

    package func read(_ value: JSONValue) throws(RequestFault) -> Value { try reader(value) }

    /// A further check of the domain, which may also change the value, as to a normal form.
    package func checked<Other: Sendable>(
        _ shape: Shape? = nil, _ check: @escaping @Sendable (Value) throws(RequestFault) -> Other
    ) -> Kind<Other> {
        Kind<Other>(shape ?? self.shape) { value throws(RequestFault) in try check(try read(value)) }
    }
}

extension Kind where Value == JSONValue {
    /// Whatever it is; it is only given back.
    package static var anything: Self { Self(.anything) { value in value } }
}

extension Kind where Value == Bool {
    package static var bool: Self {
        Self(.bool) { value throws(RequestFault) in
            guard case .bool(let truth) = value else { throw RequestFault(.wrongType("true / false")) }
            return truth
        }
    }
}

extension Kind where Value == Int {
    package static func integer(_ range: ClosedRange<Int>) -> Self {
        Self(.integer(range)) { value throws(RequestFault) in
            let number: Int
            switch value {
            case .int(let whole): number = whole
            // 1.0 and 1e2 are whole numbers too (RFC 8259 §6), as far as a Double counts exactly.
            case .double(let given) where given == given.rounded() && abs(given) < 9_007_199_254_740_992: number = Int(given)
            default: throw RequestFault(.wrongType("integer"))
            }
            guard range.contains(number) else { throw RequestFault(.outOfRange(least: range.lowerBound, most: range.upperBound)) }
            return number
        }
    }
}

extension Kind where Value == String {
    /// As it was sent; bounds, where there are any, are those of the domain that takes it.
    package static func text(least: Int? = nil, most: Int? = nil, format: String? = nil) -> Self {
        Self(.text(least: least, most: most, format: format)) { value throws(RequestFault) in
            guard case .string(let text) = value else { throw RequestFault(.wrongType("string")) }
            return text
        }
    }
}

extension Kind where Value == Date {
    /// RFC 3339.
    package static var time: Self {
        Kind<String>.text(format: "date-time").checked { text throws(RequestFault) in
            guard let date = Timestamps.date(text) else { throw RequestFault(.wrongType("RFC 3339, 2026-01-31T01:30:00Z")) }
            return date
        }
    }
}

extension Kind where Value == UUID {
    package static var identifier: Self {
        Kind<String>.text(format: "uuid").checked { text throws(RequestFault) in
            guard let id = UUID(uuidString: text) else { throw RequestFault(.wrongType("id")) }
            return id
        }
    }
}

extension Kind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    package static var choice: Self {
        let words = Value.allCases.map(\.rawValue)
        return Kind<String>.text().checked(.choice(words)) { text throws(RequestFault) in
            guard let value = Value(rawValue: text) else { throw RequestFault(.notOneOf(words)) }
            return value
        }
    }
}

extension Kind {
    package static func list<Element: Sendable>(of element: Kind<Element>, most: Int, named words: String) -> Self
    where Value == [Element] {
        Self(.list(of: element.shape, most: most)) { value throws(RequestFault) in
            guard case .array(let values) = value, values.count <= most else { throw RequestFault(.wrongType(words)) }
            var elements: [Element] = []
            elements.reserveCapacity(values.count)
            for value in values {
                do throws(RequestFault) { elements.append(try element.read(value)) } catch {
                    // Its place in a list is not told: the list is named, and what it is made of.
                    if case .wrongType = error.reason, error.path.isEmpty { throw RequestFault(.wrongType(words)) }
                    throw error
                }
            }
            return elements
        }
    }

    /// An object inside of another.
    package static func object() -> Self where Value: Declared {
        Self(Value.members.shape()) { value throws(RequestFault) in
            guard case .object = value else { throw RequestFault(.wrongType("object")) }
            return try Value(value)
        }
    }
}
