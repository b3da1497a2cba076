import Formats
import Meetings

/// The body of a JSON call, on its way to the type that the route declares.
enum RequestBody {
    /// Bodies of JSON calls are small; media offers have their own bound.
    static let mostBytes = 64 * 1_024

    /// The body of a request, whose type is looked at too: what a form of another page can send is not taken.
    static func json(of call: Call) throws(Problem) -> JSONValue {
        let type = call.request.headers["content-type"]?.split(separator: ";").first?.trimmingSpaces.lowercased()
        guard type == nil || type == "application/json" else { throw Problem(.unsupportedMediaType, ["application/json"]) }
        return try json(call.request.body)
    }

    /// - Throws: `malformed-json` with the place of the fault, `body-too-large`.
    static func json(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
        guard bytes.count <= mostBytes else { throw Problem(.bodyTooLarge, [String(mostBytes)]) }
        do { return try JSONValue(parsing: bytes) } catch { throw Problem(error) }
    }

    /// Runs a check of the domain, its fault as a problem.
    static func check<Value>(_ body: () throws(ValidationFault) -> Value) throws(Problem) -> Value {
        do { return try body() } catch { throw Problem(error) }
    }
}

extension Call {
    /// The body as what the route declares.
    func body<Body: Declared>(_: Body.Type) throws(Problem) -> Body {
        let value = try RequestBody.json(of: self)
        do { return try Body(value) } catch { throw Problem(error) }
    }
}

extension Problem {
    /// Each names the member as it was declared.
    init(_ fault: RequestFault) {
        switch fault.reason {
        case .notAnObject where fault.path.isEmpty: self.init(JSONFault(line: 1, column: 1, reason: .notAnObject))
        case .notAnObject: self = .field(.wrongType, fault.field, "object")
        case .unknown(let known): self = .field(.unknownField, fault.field, known.joined(separator: ", "))
        case .missing: self = .field(.missingField, fault.field)
        case .wrongType(let wanted): self = .field(.wrongType, fault.field, wanted)
        case .empty: self.init(ValidationFault(fault.field, .empty))
        case .tooLong(let most): self.init(ValidationFault(fault.field, .tooLong(most: most)))
        case .controlCharacter: self.init(ValidationFault(fault.field, .controlCharacter))
        case .outOfRange(let least, let most): self.init(ValidationFault(fault.field, .outOfRange(least: least, most: most)))
        case .notOneOf(let words): self.init(ValidationFault(fault.field, .notOneOf(words)))
        }
    }
}
