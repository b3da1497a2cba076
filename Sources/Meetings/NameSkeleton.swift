import Foundation

/// What of a name the eye sees: names that look alike have one skeleton (UTS 39 §4). Marks of Vietnamese stay, for they tell names apart.
package enum NameSkeleton {
    package static func of(_ name: String) -> String {
        var skeleton = ""
        // Compatibility forms first (fullwidth, mathematical, ligatures), then letters of other scripts that look Latin.
        for scalar in name.precomposedStringWithCompatibilityMapping.decomposedStringWithCanonicalMapping.unicodeScalars {
            guard !scalar.properties.isDefaultIgnorableCodePoint, !scalar.properties.isWhitespace, scalar.value != 0x2010 else { continue }
            skeleton += looks[scalar] ?? String(scalar)
        }
        // Once more for what the letters became, without regard to case: "I", "l" and "1" are one stroke.
        var folded = ""
        for scalar in skeleton.lowercased().unicodeScalars { folded += looks[scalar] ?? String(scalar) }
        return folded.precomposedStringWithCanonicalMapping
    }

    /// The prototypes of the scripts that keyboards and fonts here have: Cyrillic, Greek, digits, dashes and quotation marks.
    private static let looks: [Unicode.Scalar: String] = {
        let rows: [(String, String)] = [
            ("а", "a"), ("в", "b"), ("с", "c"), ("ԁ", "d"), ("е", "e"), ("һ", "h"), ("і", "i"), ("ј", "j"), ("к", "k"), ("ӏ", "i"),
            ("м", "m"), ("н", "h"), ("о", "o"), ("р", "p"), ("ԛ", "q"), ("ѕ", "s"), ("т", "t"), ("у", "y"), ("х", "x"), ("ԝ", "w"),
            ("А", "A"), ("В", "B"), ("С", "C"), ("Е", "E"), ("Н", "H"), ("І", "I"), ("Ј", "J"), ("К", "K"), ("М", "M"), ("О", "O"),
            ("Р", "P"), ("Ѕ", "S"), ("Т", "T"), ("Х", "X"), ("У", "Y"), ("Ԍ", "G"), ("Ү", "Y"), ("Ӏ", "I"),
            ("α", "a"), ("β", "b"), ("ε", "e"), ("η", "n"), ("ι", "i"), ("κ", "k"), ("ν", "v"), ("ο", "o"), ("ρ", "p"), ("τ", "t"),
            ("υ", "u"), ("χ", "x"), ("γ", "y"), ("ω", "w"), ("ϲ", "c"), ("ϳ", "j"),
            ("Α", "A"), ("Β", "B"), ("Ε", "E"), ("Ζ", "Z"), ("Η", "H"), ("Ι", "I"), ("Κ", "K"), ("Μ", "M"), ("Ν", "N"), ("Ο", "O"),
            ("Ρ", "P"), ("Τ", "T"), ("Υ", "Y"), ("Χ", "X"), ("Ϲ", "C"),
            ("օ", "o"), ("ո", "n"), ("ս", "u"), ("ց", "g"), ("հ", "h"), ("ɑ", "a"), ("ɡ", "g"), ("ı", "i"), ("ɩ", "i"), ("ʋ", "v"),
            ("0", "o"), ("1", "i"), ("l", "i"), ("|", "i"), ("ǀ", "i"),
            ("‐", ""), ("‑", ""), ("‒", ""), ("–", ""), ("—", ""), ("-", ""), ("_", ""), ("·", ""), (".", ""), ("’", ""), ("'", ""),
            ("`", ""),
        ]
        var looks: [Unicode.Scalar: String] = [:]
        for (look, letter) in rows { if let scalar = look.unicodeScalars.first { looks[scalar] = letter } }
        return looks
    }()

}

/// Whose names look how, so that a name costs the same in a hall of seven hundred as in a room of three.
struct NameIndex: Sendable {
    /// By skeleton: whose they are, and how often each has it.
    private var owners: [String: [UUID: Int]] = [:]

    mutating func add(_ name: String, of user: UUID) { owners[NameSkeleton.of(name), default: [:]][user, default: 0] += 1 }

    mutating func remove(_ name: String, of user: UUID) {
        let skeleton = NameSkeleton.of(name)
        guard let count = owners[skeleton]?[user] else { return }
        owners[skeleton]?[user] = count > 1 ? count - 1 : nil
        if owners[skeleton]?.isEmpty == true { owners[skeleton] = nil }
    }

    /// `name`, with a number where it looks like one of somebody else.
    func unique(_ name: String, for user: UUID) -> String {
        guard isTaken(name, for: user) else { return name }
        for number in 2...(owners.count + 2) {
            let numbered = "\(name) (\(number))"
            if !isTaken(numbered, for: user) { return numbered }
        }
        return name
    }

    private func isTaken(_ name: String, for user: UUID) -> Bool {
        owners[NameSkeleton.of(name)].map { $0.count > 1 || $0[user] == nil } ?? false
    }
}
