/// The words behind a subcommand: flags with one value each, as two words or with an equals sign between them, and switches without one.
package struct Arguments: Sendable {
    private var values: [String: [String]] = [:]

    /// - Parameters:
    ///   - subcommand: for what is said of a wrong word.
    ///   - known: flags that take a value; `repeatable` may come more than once.
    ///   - switches: flags that take none.
    ///   - help: the command that explains them; nil: `nhipcau help` with the subcommand.
    /// - Throws: a usage error that names an unknown word, a flag without its value, or one that comes twice.
    package init(
        _ words: [String], of subcommand: String, known: Set<String>, repeatable: Set<String> = [], switches: Set<String> = [],
        help: String? = nil
    ) throws(CommandFailure) {
        let help = help ?? "nhipcau help \(subcommand)"
        var rest = words[...]
        while let word = rest.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let isSwitch = switches.contains(word)
            guard isSwitch || known.contains(parts[0]) || repeatable.contains(parts[0]) else {
                throw .usage("\(subcommand): unknown word \"\(word)\"; see \(help)")
            }
            guard values[parts[0]] == nil || repeatable.contains(parts[0]) else {
                throw .usage("\(subcommand): \(parts[0]) is given twice")
            }
            guard !isSwitch else {
                values[word] = []
                continue
            }
            guard let value = parts.count > 1 ? parts[1] : rest.popFirst(), !value.isEmpty, parts.count > 1 || !value.hasPrefix("--") else {
                throw .usage("\(subcommand): \(parts[0]) wants a value; see \(help)")
            }
            values[parts[0], default: []].append(value)
        }
    }

    package subscript(flag: String) -> String? { values[flag]?.last }
    package func all(_ flag: String) -> [String] { values[flag] ?? [] }
    /// Whether a switch is there.
    package func has(_ flag: String) -> Bool { values[flag] != nil }
}
