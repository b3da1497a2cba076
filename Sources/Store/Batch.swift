import Foundation

/// The writes of one act: all of them happen, or none.
///
/// The identifier is written in the same transaction. A commit whose answer was lost is sent again under it and is done once.
package struct Batch: Sendable {
    /// What must be true of a document, or of a stream's version, before it is written.
    package enum Expectation: Sendable, Equatable {
        case anything
        /// There is none yet; a stream has version 0 then.
        case absent
        case version(Int)
    }
    package enum Operation: Sendable, Equatable {
        /// Makes the document with version 1, or replaces body and fields and counts the version up.
        case put(kind: String, id: String, fields: [Field], body: String, expected: Expectation)
        /// Refused where `expected` is not so; `.anything` takes one that is not there for done.
        case delete(kind: String, id: String, expected: Expectation)
        case append(stream: String, events: [NewEvent], expected: Expectation)
        case snapshot(stream: String, StreamSnapshot)
        /// Takes the oldest events out, up to this number.
        case trim(stream: String, through: Int)
        /// Takes the stream out, with its events and snapshot.
        case drop(stream: String)
        /// Writes a row of another store as it is, versions and numbers included.
        case restore(StoredRow)
    }
    package let id: String
    package var operations: [Operation]

    package static let mostOperations = 10_000
    /// Bytes of UTF-8.
    package static let longestBody = 1 << 20
    package static let longestName = 1_024

    package init(_ operations: [Operation] = [], id: UUID = UUID()) {
        self.id = id.uuidString.lowercased()
        self.operations = operations
    }

    /// A whole store that is carried over.
    var isCopy: Bool { operations.allSatisfy { if case .restore = $0 { true } else { false } } }

    /// - Throws: `.failed` where a text is too long, has a NUL, which PostgreSQL cannot keep, or there are too many operations.
    func check() throws(StoreError) {
        guard isCopy || operations.count <= Self.mostOperations else { throw .failed(code: "batch", message: "a batch is too long") }
        for operation in operations {
            for text in operation.names where text.utf8.count > Self.longestName || text.utf8.contains(0) {
                throw .failed(code: "batch", message: "a name is too long or has a NUL")
            }
            for text in operation.bodies where text.utf8.count > Self.longestBody || text.utf8.contains(0) {
                throw .failed(code: "batch", message: "a body is too long or has a NUL")
            }
        }
    }

    /// What other processes are told about.
    var changes: [StoreChange] {
        operations.compactMap { operation in
            switch operation {
            case .put(let kind, let id, _, _, _), .delete(let kind, let id, _): .document(kind: kind, id: id)
            case .append(let stream, _, _), .drop(let stream): .stream(stream)
            case .snapshot, .trim, .restore: nil
            }
        }
    }
}

extension Batch.Operation {
    fileprivate var names: [String] {
        switch self {
        case .put(let kind, let id, let fields, _, _): [kind, id] + fields.flatMap { [$0.name, $0.value] }
        case .delete(let kind, let id, _): [kind, id]
        case .append(let stream, let events, _): [stream] + events.map(\.key)
        case .snapshot(let stream, _), .trim(let stream, _), .drop(let stream): [stream]
        case .restore(let row): row.names
        }
    }

    fileprivate var bodies: [String] {
        switch self {
        case .put(_, _, _, let body, _): [body]
        case .append(_, let events, _): events.map(\.body)
        case .snapshot(_, let snapshot): [snapshot.body]
        case .delete, .trim, .drop: []
        case .restore(let row): row.bodies
        }
    }
}
