/// The words after a subcommand: flags with one value each.
struct Words {
    private var values: [String: [String]] = [:]

    /// - Parameter known: flags that take a value; `repeatable` may come more than once.
    /// - Throws: an unknown word, a flag without its value, or one that comes twice.
    init(_ words: [String], of subcommand: String, known: Set<String>, repeatable: Set<String> = []) throws(CommandFailure) {
        var rest = words[...]
        while let word = rest.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard known.contains(parts[0]) || repeatable.contains(parts[0]) else {
                throw .usage("\(subcommand): unknown word \"\(word)\"; see nhipcau help \(subcommand)")
            }
            guard let value = parts.count > 1 ? parts[1] : rest.popFirst(), !value.isEmpty, parts.count > 1 || !value.hasPrefix("--") else {
                throw .usage("\(subcommand): \(parts[0]) wants a value; see nhipcau help \(subcommand)")
            }
            guard values[parts[0]] == nil || repeatable.contains(parts[0]) else {
                throw .usage("\(subcommand): \(parts[0]) is given twice")
            }
            values[parts[0], default: []].append(value)
        }
    }

    subscript(flag: String) -> String? { values[flag]?.last }
    func all(_ flag: String) -> [String] { values[flag] ?? [] }
}
