import Formats
import Foundation
import Meetings

// Kinds of members whose rules are the domain's.
extension Kind where Value == String {
    /// The title of a meeting, in NFC.
    static var title: Self { .shown(most: MeetingLimits.titleLength) { text throws(ValidationFault) in try Validation.title(text) } }

    /// A name on a tile or of an account, in NFC.
    static var name: Self { .shown(most: MeetingLimits.nameLength) { text throws(ValidationFault) in try Validation.name(text) } }

    /// A login's name in the form in which it is kept.
    static var username: Self {
        .shown(most: 64) { text throws(ValidationFault) in
            try Validation.text(Username.normal(text), field: "username", most: 64)
        }
    }

    /// A new password: what is too weak is refused by a problem of its own, in `ControlPlane.hash`.
    static var newPassword: Self { .text(least: ControlPlane.passwordLength.least, format: "password") }

    private static func shown(most: Int, _ check: @escaping @Sendable (String) throws(ValidationFault) -> String) -> Self {
        Kind.text().checked(.text(most: most)) { text throws(RequestFault) in
            do throws(ValidationFault) { return try check(text) } catch { throw RequestFault(error.reason) }
        }
    }
}

extension Kind where Value == UUID {
    /// A participant: what is no identifier names nobody, and is refused as one who is not there.
    static var participant: Self {
        Kind<String>.text(format: "uuid").checked { text in UUID(uuidString: text) ?? nobody }
    }

    private static var nobody: UUID { UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)) }
}

extension RequestFault {
    init(_ reason: ValidationFault.Reason) {
        switch reason {
        case .empty: self.init(RequestFault.Reason.empty, at: [])
        case .tooLong(let most): self.init(RequestFault.Reason.tooLong(most: most), at: [])
        case .controlCharacter: self.init(RequestFault.Reason.controlCharacter, at: [])
        case .outOfRange(let least, let most): self.init(RequestFault.Reason.outOfRange(least: least, most: most), at: [])
        case .notOneOf(let words): self.init(RequestFault.Reason.notOneOf(words), at: [])
        }
    }
}
