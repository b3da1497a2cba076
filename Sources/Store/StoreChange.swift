/// What another process wrote.
package enum StoreChange: Sendable, Equatable, Hashable {
    case document(kind: String, id: String)
    case stream(String)
    /// Too much to name, or nobody listened for a while: look at all that matters again.
    case everything
}

/// The text by which processes tell each other: who wrote, then what, parted by blanks. `d:kind/id`, `s:name` or `*`.
struct StoreNotice: Equatable {
    /// PostgreSQL takes 8000 bytes.
    static let longest = 7_900
    var origin: String
    var changes: [StoreChange]

    init(origin: String, changes: [StoreChange]) {
        self.origin = origin
        self.changes = changes
    }

    /// nil where it is none of ours: anybody with the database may send one.
    init?(parsing text: String) {
        guard text.utf8.count <= Self.longest else { return nil }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2, !words[0].isEmpty else { return nil }
        origin = String(words[0])
        changes = []
        for word in words.dropFirst() {
            guard let change = Self.change(word) else { return nil }
            changes.append(change)
        }
    }

    private static func change(_ word: Substring) -> StoreChange? {
        if word == "*" { return .everything }
        if word.hasPrefix("s:"), word.utf8.count > 2 { return .stream(String(word.dropFirst(2))) }
        guard word.hasPrefix("d:") else { return nil }
        let parts = word.dropFirst(2).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return .document(kind: String(parts[0]), id: String(parts[1]))
    }

    /// What does not fit, or could not be told apart again, becomes `*`.
    var text: String {
        var words = [origin]
        for change in changes {
            switch change {
            case .document(let kind, let id): words.append("d:\(kind)/\(id)")
            case .stream(let name): words.append("s:\(name)")
            case .everything: words.append("*")
            }
        }
        let text = words.joined(separator: " ")
        return StoreNotice(parsing: text) == self ? text : "\(origin) *"
    }
}
