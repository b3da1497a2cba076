import Formats

/// One row of a store as it lies there: what an export prints and a copy carries over.
package enum StoredRow: Sendable, Equatable {
    case document(Document, [Field])
    case stream(String, version: Int)
    case event(stream: String, StoredEvent)
    case snapshot(stream: String, StreamSnapshot)

    var names: [String] {
        switch self {
        case .document(let document, let fields): [document.kind, document.id] + fields.flatMap { [$0.name, $0.value] }
        case .stream(let name, _), .snapshot(let name, _): [name]
        case .event(let name, let event): [name, event.key]
        }
    }

    var bodies: [String] {
        switch self {
        case .document(let document, _): [document.body]
        case .stream: []
        case .event(_, let event): [event.body]
        case .snapshot(_, let snapshot): [snapshot.body]
        }
    }

    /// One line of the export, a JSON object; the same for the same row on any engine.
    package var line: String {
        let members: [(String, JSONValue)] =
            switch self {
            case .document(let document, let fields):
                [
                    ("document", .string(document.kind)), ("id", .string(document.id)), ("version", .int(document.version)),
                    (
                        "fields",
                        .array(fields.map { .array([.string($0.name), .string($0.value), .bool($0.isUnique)]) })
                    ), ("body", .string(document.body)),
                ]
            case .stream(let name, let version): [("stream", .string(name)), ("version", .int(version))]
            case .event(let name, let event):
                [("event", .string(name)), ("number", .int(event.number)), ("key", .string(event.key)), ("body", .string(event.body))]
            case .snapshot(let name, let snapshot):
                [("snapshot", .string(name)), ("number", .int(snapshot.number)), ("body", .string(snapshot.body))]
            }
        return JSONValue.object(members).text
    }
}
