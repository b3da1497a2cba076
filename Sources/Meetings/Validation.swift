import Foundation

/// What is wrong with a value that somebody sent.
package struct ValidationFault: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case empty
        case tooLong(most: Int)
        case controlCharacter
        case outOfRange(least: Int, most: Int)
        case notOneOf([String])
    }
    package var field: String
    package var reason: Reason
    package init(_ field: String, _ reason: Reason) { (self.field, self.reason) = (field, reason) }
}

/// The form in which usernames are kept and compared: two keyboards may write one name in two ways, and its letters small or large (RFC 8265 §3.3).
package enum Username {
    package static func normal(_ raw: String) -> String {
        raw.precomposedStringWithCanonicalMapping.lowercased().precomposedStringWithCanonicalMapping
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Makes what people write fit to keep and to show.
package enum Validation {
    /// - Returns: the text in NFC, without white space around it.
    /// - Throws: where it is empty, longer than `most` characters, or has characters that would break a line or hide in it.
    package static func text(_ raw: String, field: String, most: Int) throws(ValidationFault) -> String {
        // A grapheme cluster may hold any number of scalars, so both are bounded, before any work is spent on the text.
        guard raw.unicodeScalars.prefix(most * 8 + 1).count <= most * 8 else { throw ValidationFault(field, .tooLong(most: most)) }
        let text = raw.precomposedStringWithCanonicalMapping.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw ValidationFault(field, .empty) }
        guard text.unicodeScalars.allSatisfy(isShown) else { throw ValidationFault(field, .controlCharacter) }
        guard text.count <= most else { throw ValidationFault(field, .tooLong(most: most)) }
        return text
    }

    package static func title(_ raw: String) throws(ValidationFault) -> String {
        try text(raw, field: "title", most: MeetingLimits.titleLength)
    }

    package static func name(_ raw: String) throws(ValidationFault) -> String {
        try text(raw, field: "name", most: MeetingLimits.nameLength)
    }

    package static func number(_ value: Int, field: String, in range: ClosedRange<Int>) throws(ValidationFault) -> Int {
        guard range.contains(value) else {
            throw ValidationFault(field, .outOfRange(least: range.lowerBound, most: range.upperBound))
        }
        return value
    }

    /// Control characters, line and paragraph separators, and the bidirectional overrides that let one name pass for another.
    /// The joiners U+200C and U+200D are writing, and stay.
    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse, .surrogate: false
        case .format: scalar.value == 0x200c || scalar.value == 0x200d
        default: true
        }
    }
}
