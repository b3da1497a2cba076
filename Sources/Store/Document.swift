/// A record that is read and replaced whole, such as a user or a meeting: a body that the store does not look into, a version, a few indexed fields.
package struct Document: Sendable, Equatable {
    /// What it is, such as "user".
    package var kind: String
    /// Unique within its kind; lists are in the order of its bytes.
    package var id: String
    /// Counts its changes, from 1.
    package var version: Int
    /// A text of the room that wrote it, JSON as a rule.
    package var body: String

    package init(kind: String, id: String, version: Int, body: String) {
        self.kind = kind
        self.id = id
        self.version = version
        self.body = body
    }
}

/// What documents are found by. A name may come several times with different values.
package struct Field: Sendable, Equatable, Hashable {
    package var name: String
    package var value: String
    /// No two documents of a kind have this value of this field.
    package var isUnique: Bool

    package init(_ name: String, _ value: String, isUnique: Bool = false) {
        self.name = name
        self.value = value
        self.isUnique = isUnique
    }
}

/// One page of the documents of a kind, in the order of their identifiers.
package struct DocumentQuery: Sendable, Equatable {
    package enum Condition: Sendable, Equatable {
        case equals(String, String)
        /// Compares bytes: numbers are written with leading zeros.
        case atMost(String, String)
    }
    package var kind: String
    package var condition: Condition?
    package var isDescending: Bool
    /// The last identifier of the page before; nil begins.
    package var after: String?
    package var limit: Int

    package init(_ kind: String, where condition: Condition? = nil, isDescending: Bool = false, after: String? = nil, limit: Int) {
        self.kind = kind
        self.condition = condition
        self.isDescending = isDescending
        self.after = after
        self.limit = limit
    }
}
