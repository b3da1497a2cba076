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

    /// `name`, with a number where it looks like one of `taken`.
    package static func unique(_ name: String, among taken: [String]) -> String {
        let skeletons = Set(taken.map { of($0) })
        guard skeletons.contains(of(name)) else { return name }
        for number in 2...(taken.count + 2) {
            let numbered = "\(name) (\(number))"
            if !skeletons.contains(of(numbered)) { return numbered }
        }
        return name
    }
}
