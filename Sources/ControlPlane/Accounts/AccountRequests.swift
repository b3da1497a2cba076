import Formats
import Meetings

/// `POST /session`.
struct Credentials: Declared {
    var username = ""
    var password = ""
    static let members = Members<Self>(
        .required("username", \.username, .text()),
        .required("password", \.password, .text(format: "password")))
}

/// `POST /users`.
struct NewUser: Declared {
    var username = ""
    var name: String?
    var role = UserRole.operator
    var organisation: String?
    var password = ""
    var sites: [String]?
    var isDisabled: Bool?
    static let members = Members<Self>(
        .required("username", \.username, .username),
        .optional("name", \.name, .name),
        .required("role", \.role, .choice),
        .optional("organisation", \.organisation, .text()),
        .required("password", \.password, .newPassword),
        .optional("sites", \.sites, .siteCodes),
        .optional("disabled", \.isDisabled, .bool))
}

/// `PATCH /users/{id}`.
struct UserChanges: Declared {
    var name: String?
    var role: UserRole?
    var organisation: String?
    var password: String?
    var sites: [String]?
    var isDisabled: Bool?
    static let members = Members<Self>(
        .optional("name", \.name, .name),
        .optional("role", \.role, .choice),
        .optional("organisation", \.organisation, .text()),
        .optional("password", \.password, .newPassword),
        .optional("sites", \.sites, .siteCodes),
        .optional("disabled", \.isDisabled, .bool))
}

/// `POST /users/{id}/password`.
struct NewPassword: Declared {
    var password = ""
    static let members = Members<Self>(.required("password", \.password, .newPassword))
}

/// `POST /session/password`: one's own.
struct OwnPassword: Declared {
    var old = ""
    var new = ""
    static let members = Members<Self>(
        .required("oldPassword", \.old, .text(format: "password")),
        .required("newPassword", \.new, .newPassword))
}

extension Kind where Value == [String] {
    /// Codes of the directory, or `*`; whether there is such a site is asked later.
    static var siteCodes: Self { .list(of: .text(), most: 1_000, named: "[string]") }
}
