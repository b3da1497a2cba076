import Base
import Formats
import Foundation
import Meetings
import Records
import Store
import WebServer

/// Accounts: made, changed, shut. Whatever takes a right away ends at once what hangs on it: sessions, channels, media.
extension ControlPlane {
    static let passwordLength = (least: 10, most: 1_024)

    /// `GET /users`.
    func listUsers(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (limit, after) = try call.page()
        let users: [UserRecord]
        do { users = try await store.users(limit: limit, after: after) } catch { throw Problem(error) }
        await audit(try call.signedInCaller, "users.read", subject: after?.text ?? "", detail: String(users.count))
        return .list(users.map(\.json), of: call.request.path, limit: limit, last: users.last?.id.text)
    }

    /// `POST /users`.
    func createUser(_ call: Call, _ new: NewUser) async throws(Problem) -> HTTPResponse {
        let sites = try known(new.sites ?? [])
        var user = UserRecord(
            id: UUIDv7.make(at: now()), username: new.username, name: new.name ?? new.username, role: new.role,
            organisation: String((new.organisation ?? "").prefix(200)), passwordHash: try await hash(new.password, of: new.username),
            createdAt: now())
        user.sites = sites
        user.isDisabled = new.isDisabled ?? false
        let note = entry(try call.signedInCaller, "user.create", subject: user.id.text, detail: "\(user.username) \(user.role.rawValue)")
        do { try await store.insert(user, noting: note) } catch { throw Problem(error) }
        return .json(user.json, status: 201, headers: [("Location", "/api/v1/users/\(user.id.text)")])
    }

    /// `GET /users/{id}`.
    func showUser(_ call: Call) async throws(Problem) -> HTTPResponse {
        let user = try await account(call)
        await audit(try call.signedInCaller, "users.read", subject: user.id.text)
        return .json(user.json)
    }

    /// `PATCH /users/{id}`.
    func changeUser(_ call: Call, _ changes: UserChanges) async throws(Problem) -> HTTPResponse {
        try await againWhereStale { () async throws(Problem) in try await changeUserOnce(call, changes) }
    }

    private func changeUserOnce(_ call: Call, _ changes: UserChanges) async throws(Problem) -> HTTPResponse {
        let (caller, before) = (try call.signedInCaller, try await account(call))
        var user = before
        user.name = changes.name ?? before.name
        user.role = changes.role ?? before.role
        if let organisation = changes.organisation { user.organisation = String(organisation.prefix(200)) }
        user.sites = try changes.sites.map { codes throws(Problem) in try known(codes) } ?? before.sites
        user.isDisabled = changes.isDisabled ?? before.isDisabled
        if let password = changes.password { user.passwordHash = try await hash(password, of: user.username) }
        let changed = Self.differences(before, user)
        let note = entry(caller, "user.change", subject: user.id.text, detail: "\(user.username): \(changed.joined(separator: ", "))")
        // A changed right begins with a new sign-in; the administrator's own session that asked for it goes on.
        var ended = EndedSessions.none
        if user.role != before.role || user.isDisabled && !before.isDisabled || user.passwordHash != before.passwordHash {
            let isOwn = user.id == caller.user.id && !user.isDisabled
            ended = .all(except: isOwn ? caller.session.tokenHash : nil)
        }
        try await keep(user, ending: ended, noting: note)
        return .json(user.json)
    }

    /// `DELETE /users/{id}`: nobody signs in by it any more, and its name is free; the audit and its meetings keep naming it.
    func deleteUser(_ call: Call) async throws(Problem) -> HTTPResponse {
        try await againWhereStale { () async throws(Problem) in try await deleteUserOnce(call) }
    }

    private func deleteUserOnce(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (caller, before) = (try call.signedInCaller, try await account(call))
        var user = before
        (user.isDeleted, user.isDisabled, user.passwordHash, user.sites) = (true, true, "", [])
        user.username = "~\(user.id.text)"
        try await keep(
            user, ending: .all(except: nil), noting: entry(caller, "user.delete", subject: user.id.text, detail: before.username))
        return HTTPResponse(status: 204)
    }

    /// `DELETE /users/{id}/sessions`: signs it out everywhere.
    func endUserSessions(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (caller, user) = (try call.signedInCaller, try await account(call))
        let note = entry(caller, "user.signOut", subject: user.id.text, detail: user.username)
        do {
            try await forgetting(user.id) { () async throws(StoreError) in
                try await store.deleteSessions(of: user.id, except: nil, noting: note)
            }
        } catch { throw Problem(error) }
        await rooms.end { $0.user == user.id }
        return HTTPResponse(status: 204)
    }

    /// `POST /users/{id}/password` `{password}`.
    func setUserPassword(_ call: Call, _ new: NewPassword) async throws(Problem) -> HTTPResponse {
        let (caller, before) = (try call.signedInCaller, try await account(call))
        var user = before
        user.passwordHash = try await hash(new.password, of: user.username)
        let note = entry(caller, "user.password", subject: user.id.text, detail: user.username)
        try await keep(user, ending: .all(except: user.id == caller.user.id ? caller.session.tokenHash : nil), noting: note)
        return HTTPResponse(status: 204)
    }

    /// `POST /session/password` `{oldPassword, newPassword}`: one's own. Other sessions of the account end.
    func changeOwnPassword(_ call: Call, _ passwords: OwnPassword) async throws(Problem) -> HTTPResponse {
        let caller = try call.signedInCaller
        let (old, new) = (passwords.old, passwords.new)
        // As it is now, not as it was when its login was last looked up.
        var user = try await account(caller.user.id)
        guard old.utf8.count <= Self.passwordLength.most else { throw Problem(.wrongPassword) }
        // Guessed as slowly as at the door: whoever finds an open session does not have the password.
        let (username, address) = (caller.user.username, call.request.remoteAddress)
        guard case .mayTry(let isKnown) = limiter.withLock({ $0.begin(username: username, address: address, at: now()) }) else {
            throw Problem(.tooManyLogins, ["900"], headers: [("Retry-After", "900")])
        }
        let isRight: Bool
        do {
            isRight = try await self.passwords.verify(old, against: user.passwordHash, isKnown: true)
        } catch {
            limiter.withLock { $0.withdrawn(username: username, address: address, isKnown: isKnown) }
            throw Problem(error)
        }
        guard isRight else {
            await audit(caller, "session.passwordRefused", subject: caller.user.id.text)
            throw Problem(.notYourPassword)
        }
        limiter.withLock { $0.succeeded(username: username, address: address, at: now()) }
        user.passwordHash = try await hash(new, of: username)
        try await keep(
            user, ending: .all(except: caller.session.tokenHash), noting: entry(caller, "session.password", subject: user.id.text))
        return HTTPResponse(status: 204)
    }

    // MARK: Parts

    private func account(_ call: Call) async throws(Problem) -> UserRecord {
        try await account(try call.identifier("id", missing: .userNotFound))
    }

    private func account(_ id: UUID) async throws(Problem) -> UserRecord {
        let user: UserRecord?
        do { user = try await store.user(id) } catch { throw Problem(error) }
        guard let user, !user.isDeleted else { throw Problem(.userNotFound) }
        return user
    }

    private func hash(_ password: String, of username: String) async throws(Problem) -> String {
        guard password.count >= Self.passwordLength.least, password.utf8.count <= Self.passwordLength.most,
            Username.normal(password) != username, Set(password).count > 1
        else { throw Problem(.weakPassword, [String(Self.passwordLength.least), String(Self.passwordLength.most)]) }
        do { return try await passwords.hash(password) } catch { throw Problem(error) }
    }

    /// Codes of the directory, or `*`.
    private func known(_ codes: [String]) throws(Problem) -> [String] {
        for code in codes where code != "*" && sites[code] == nil { throw Problem(.siteNotFound, [String(code.prefix(40))]) }
        return codes
    }

    /// Writes a changed account, with what it ends and its note, and then ends what hung on those sessions.
    /// - Throws: `last-administrator` where nobody could open an account any more.
    private func keep(_ user: UserRecord, ending ended: EndedSessions, noting note: AuditEntry) async throws(Problem) {
        do {
            try await forgetting(user.id) { () async throws(StoreError) in
                try await store.update(user, keepsAnAdministrator: true, ending: ended, noting: note)
            }
        } catch { throw Problem(error, missing: .userNotFound) }
        guard case .all(let kept) = ended else { return }
        await rooms.end { $0.user == user.id && $0.tokenHash != kept }
    }

    /// Reads and changes again where somebody else changed the account in between.
    private func againWhereStale(_ body: () async throws(Problem) -> HTTPResponse) async throws(Problem) -> HTTPResponse {
        for _ in 0..<4 {
            do { return try await body() } catch { guard error.type == .stale else { throw error } }
        }
        return try await body()
    }

    private static func differences(_ before: UserRecord, _ after: UserRecord) -> [String] {
        var changed: [String] = []
        if before.name != after.name { changed.append("name") }
        if before.role != after.role { changed.append("role \(before.role.rawValue) → \(after.role.rawValue)") }
        if before.organisation != after.organisation { changed.append("organisation") }
        if before.sites != after.sites { changed.append("sites") }
        if before.isDisabled != after.isDisabled { changed.append(after.isDisabled ? "disabled" : "enabled") }
        if before.passwordHash != after.passwordHash { changed.append("password") }
        return changed
    }
}
