import Base
import Foundation
import Meetings

package struct UserRecord: Sendable, Equatable, Identifiable {
    package var id: UUID
    /// In lower case, unique.
    package var username: String
    package var name: String
    package var role: UserRole
    package var organisation: String
    /// Scheme, parameters, salt and hash as one text; nobody but who checks it looks inside.
    package var passwordHash: String
    package var createdAt: Date
    /// Shut: nobody signs in by it.
    package var isDisabled = false
    /// Gone for people; kept, since meetings and the audit name it.
    package var isDeleted = false
    /// Codes of the sites that it may stand for; empty: any that is nobody's. `*` is every one.
    package var sites: [String] = []
    /// Counts its changes; a change is refused where another came between.
    package var version = 1

    package init(id: UUID, username: String, name: String, role: UserRole, organisation: String, passwordHash: String, createdAt: Date) {
        self.id = id
        self.username = username
        self.name = name
        self.role = role
        self.organisation = organisation
        self.passwordHash = passwordHash
        self.createdAt = createdAt
    }

    /// May open and shut accounts.
    package var isOpenAdministrator: Bool { role == .admin && !isDisabled && !isDeleted }
}

/// A login. The token itself is never stored: who reads the database cannot act as its users.
package struct SessionRecord: Sendable, Equatable {
    /// SHA-256 of the token.
    package var tokenHash: [UInt8]
    package var user: UUID
    package var createdAt: Date
    package var expiresAt: Date
    package var address: String

    package init(tokenHash: [UInt8], user: UUID, createdAt: Date, expiresAt: Date, address: String) {
        self.tokenHash = tokenHash
        self.user = user
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.address = address
    }
}

/// One act of power, or one that was refused.
package struct AuditEntry: Sendable, Equatable, Identifiable {
    package var id: UUID
    package var at: Date
    /// nil where nobody was signed in.
    package var actor: UUID?
    package var actorName: String
    /// A stable word such as "meeting.start" or "command.refused".
    package var action: String
    /// What it was done to, as an identifier; empty where there is none.
    package var subject: String
    package var detail: String
    package var address: String

    package init(
        id: UUID, at: Date, actor: UUID?, actorName: String, action: String, subject: String = "", detail: String = "", address: String = ""
    ) {
        self.id = id
        self.at = at
        self.actor = actor
        self.actorName = actorName
        self.action = action
        self.subject = subject
        self.detail = detail
        self.address = address
    }
}
