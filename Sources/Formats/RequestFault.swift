/// Why a JSON value is not what was declared.
package struct RequestFault: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case notAnObject
        case unknown(known: [String])
        case missing
        /// With what was wanted, in a word.
        case wrongType(String)
        case empty
        case tooLong(most: Int)
        case controlCharacter
        case outOfRange(least: Int, most: Int)
        case notOneOf([String])
    }
    /// Names of members, from the outermost in.
    package var path: [String]
    package var reason: Reason

    package init(_ reason: Reason, at path: [String] = []) {
        self.path = path
        self.reason = reason
    }

    /// As people write it: `media.port`.
    package var field: String { path.joined(separator: ".") }

    /// The same, seen from the object around it.
    package func within(_ name: String) -> RequestFault { RequestFault(reason, at: [name] + path) }
}
