/// The words of one problem in one language.
struct Words: Sendable, Equatable {
    var title: String
    /// `{0}`, `{1}` … stand for the problem's arguments.
    private var template: String
    init(_ title: String, _ template: String) { (self.title, self.template) = (title, template) }

    /// What to do, with the arguments in place. Arguments come from strangers too, so places inside them are not filled again.
    func detail(_ arguments: [String]) -> String {
        var output = ""
        var rest = Substring(template)
        while let open = rest.firstIndex(of: "{") {
            output += rest[..<open]
            rest = rest[open...]
            guard let close = rest.firstIndex(of: "}"), let index = Int(rest[rest.index(after: open)..<close]) else { break }
            output += arguments.indices.contains(index) ? String(arguments[index].prefix(200)) : ""
            rest = rest[rest.index(after: close)...]
        }
        return (output + rest).trimmingSpaces
    }

    /// How many arguments the words speak of, for the test that both languages speak of the same.
    var places: Set<Int> { Set((0..<6).filter { template.contains("{\($0)}") }) }

    static func of(_ type: ProblemType, in language: Language) -> Words {
        let pair = Self.pair(type)
        return language == .vi ? pair.vi : pair.en
    }
}
