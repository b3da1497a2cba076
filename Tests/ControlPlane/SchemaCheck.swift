import Formats

/// Holds a value against a schema of the API's document, both ways: what the value lacks or has beside it, and what the schema describes that no value shows.
struct SchemaCheck {
    let document: JSONValue
    private(set) var faults: [String] = []
    init(_ document: JSONValue) { self.document = document }

    /// Without descriptions, references replaced by what they name, members in one order: two schemas of one meaning are equal.
    func canonical(_ schema: JSONValue) -> JSONValue {
        switch resolved(schema) {
        case .object(let members):
            var kept: [(String, JSONValue)] = []
            for (name, value) in members where name != "description" {
                if name == "required", case .array(let names) = value {
                    guard !names.isEmpty else { continue }
                    kept.append((name, .array(names.sorted { $0.text < $1.text })))
                } else {
                    kept.append((name, canonical(value)))
                }
            }
            return .object(kept.sorted { $0.0 < $1.0 })
        case .array(let values): return .array(values.map(canonical))
        case let other: return other
        }
    }

    func resolved(_ schema: JSONValue) -> JSONValue {
        guard case .string(let reference)? = schema["$ref"], let name = reference.split(separator: "/").last else { return schema }
        return document["components"]?["schemas"]?[String(name)] ?? .null
    }

    mutating func check(_ value: JSONValue, _ schema: JSONValue, at place: String, mayLack: Set<String> = []) {
        let schema = resolved(schema)
        if case .array(let choices)? = schema["oneOf"] {
            let fits = choices.contains { choice in
                var one = SchemaCheck(document)
                one.check(value, choice, at: place, mayLack: mayLack)
                return one.faults.isEmpty
            }
            if !fits { faults.append("\(place): is none of the choices") }
            return
        }
        if case .array(let words)? = schema["enum"], !words.contains(value) { faults.append("\(place): \(value.text) is none of \(words)") }
        checkType(value, schema, at: place)
        switch value {
        case .object(let members): checkMembers(members, schema, at: place, mayLack: mayLack)
        case .array(let values):
            for value in values { check(value, schema["items"] ?? .null, at: "\(place)[]", mayLack: mayLack) }
        default: break
        }
    }

    private mutating func checkMembers(_ members: [(String, JSONValue)], _ schema: JSONValue, at place: String, mayLack: Set<String>) {
        guard case .object(let properties)? = schema["properties"] else { return }
        for (name, value) in members {
            guard let described = properties.first(where: { $0.0 == name })?.1 else {
                faults.append("\(place).\(name): not described")
                continue
            }
            check(value, described, at: "\(place).\(name)", mayLack: mayLack)
        }
        for (name, _) in properties where !members.contains(where: { $0.0 == name }) {
            let isRequired =
                schema["required"].map { if case .array(let names) = $0 { names.contains(.string(name)) } else { false } } ?? false
            if isRequired || !mayLack.contains(name) { faults.append("\(place).\(name): described, and not there") }
        }
    }

    private mutating func checkType(_ value: JSONValue, _ schema: JSONValue, at place: String) {
        let names: [JSONValue]
        switch schema["type"] {
        case .array(let several)?: names = several
        case let one?: names = [one]
        case nil: return
        }
        let own: [String] =
            switch value {
            case .null: ["null"]
            case .bool: ["boolean"]
            case .int: ["integer", "number"]
            case .double: ["number"]
            case .string: ["string"]
            case .array: ["array"]
            case .object: ["object"]
            }
        if !own.contains(where: { names.contains(.string($0)) }) { faults.append("\(place): is \(own), wanted \(names)") }
        if case .string(let text) = value, schema["format"] == .string("date-time"), Timestamps.date(text) == nil {
            faults.append("\(place): \(text) is no time")
        }
    }
}
