import Base
import Formats
import Foundation
import Meetings
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
        do { try await store.insert(user) } catch { throw Problem(error) }
        await audit(try call.signedInCaller, "user.create", subject: user.id.text, detail: "\(user.username) \(user.role.rawValue)")
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
        let (caller, before) = (try call.signedInCaller, try await account(call))
        var user = before
        user.name = changes.name ?? before.name
        user.role = changes.role ?? before.role
        if let organisation = changes.organisation { user.organisation = String(organisation.prefix(200)) }
        user.sites = try changes.sites.map { codes throws(Problem) in try known(codes) } ?? before.sites
        user.isDisabled = changes.isDisabled ?? before.isDisabled
        if let password = changes.password { user.passwordHash = try await hash(password, of: user.username) }
        try await keepAnAdministrator(before, after: user)
        do { try await store.update(user) } catch { throw Problem(error, missing: .userNotFound) }
        let changed = Self.differences(before, user)
        await audit(caller, "user.change", subject: user.id.text, detail: "\(user.username): \(changed.joined(separator: ", "))")
        // A changed right begins with a new sign-in; the administrator's own session that asked for it goes on.
        if user.role != before.role || user.isDisabled && !before.isDisabled || user.passwordHash != before.passwordHash {
            let isOwn = user.id == caller.user.id && !user.isDisabled
            try await endSessions(of: user.id, except: isOwn ? caller.session.tokenHash : nil)
        }
        return .json(user.json)
    }

    /// `DELETE /users/{id}`: nobody signs in by it any more, and its name is free; the audit and its meetings keep naming it.
    func deleteUser(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (caller, before) = (try call.signedInCaller, try await account(call))
        var user = before
        (user.isDeleted, user.isDisabled, user.passwordHash, user.sites) = (true, true, "", [])
        user.username = "~\(user.id.text)"
        try await keepAnAdministrator(before, after: user)
        do { try await store.update(user) } catch { throw Problem(error, missing: .userNotFound) }
        await audit(caller, "user.delete", subject: user.id.text, detail: before.username)
        try await endSessions(of: user.id, except: nil)
        return HTTPResponse(status: 204)
    }

    /// `DELETE /users/{id}/sessions`: signs it out everywhere.
    func endUserSessions(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (caller, user) = (try call.signedInCaller, try await account(call))
        try await endSessions(of: user.id, except: nil)
        await audit(caller, "user.signOut", subject: user.id.text, detail: user.username)
        return HTTPResponse(status: 204)
    }

    /// `POST /users/{id}/password` `{password}`.
    func setUserPassword(_ call: Call, _ new: NewPassword) async throws(Problem) -> HTTPResponse {
        let (caller, before) = (try call.signedInCaller, try await account(call))
        var user = before
        user.passwordHash = try await hash(new.password, of: user.username)
        do { try await store.update(user) } catch { throw Problem(error, missing: .userNotFound) }
        await audit(caller, "user.password", subject: user.id.text, detail: user.username)
        try await endSessions(of: user.id, except: user.id == caller.user.id ? caller.session.tokenHash : nil)
        return HTTPResponse(status: 204)
    }

    /// `POST /session/password` `{oldPassword, newPassword}`: one's own. Other sessions of the account end.
    func changeOwnPassword(_ call: Call, _ passwords: OwnPassword) async throws(Problem) -> HTTPResponse {
        let caller = try call.signedInCaller
        let (old, new) = (passwords.old, passwords.new)
        guard old.utf8.count <= Self.passwordLength.most else { throw Problem(.wrongPassword) }
        // Guessed as slowly as at the door: whoever finds an open session does not have the password.
        let (username, address) = (caller.user.username, call.request.remoteAddress)
        guard case .mayTry(let isKnown) = limiter.withLock({ $0.begin(username: username, address: address, at: now()) }) else {
            throw Problem(.tooManyLogins, ["900"], headers: [("Retry-After", "900")])
        }
        let isRight: Bool
        do {
            isRight = try await self.passwords.verify(old, against: caller.user.passwordHash, isKnown: true)
        } catch {
            limiter.withLock { $0.withdrawn(username: username, address: address, isKnown: isKnown) }
            throw Problem(error)
        }
        guard isRight else {
            await audit(caller, "session.passwordRefused", subject: caller.user.id.text)
            throw Problem(.notYourPassword)
        }
        limiter.withLock { $0.succeeded(username: username, address: address, at: now()) }
        var user = caller.user
        user.passwordHash = try await hash(new, of: username)
        do { try await store.update(user) } catch { throw Problem(error, missing: .userNotFound) }
        await audit(caller, "session.password", subject: user.id.text)
        try await endSessions(of: user.id, except: caller.session.tokenHash)
        return HTTPResponse(status: 204)
    }

    // MARK: Parts

    private func account(_ call: Call) async throws(Problem) -> UserRecord {
        let id = try call.identifier("id", missing: .userNotFound)
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

    /// - Throws: `last-administrator` where nobody could open an account any more.
    private func keepAnAdministrator(_ before: UserRecord, after: UserRecord) async throws(Problem) {
        func isOpenAdministrator(_ user: UserRecord) -> Bool { user.role == .admin && !user.isDisabled && !user.isDeleted }
        guard isOpenAdministrator(before), !isOpenAdministrator(after) else { return }
        let count: Int
        do { count = try await store.administratorCount() } catch { throw Problem(error) }
        guard count > 1 else { throw Problem(.lastAdministrator) }
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

    /// Signs a user out, and ends what hung on those sessions.
    func endSessions(of user: UUID, except kept: [UInt8]?) async throws(Problem) {
        do { try await store.deleteSessions(of: user, except: kept) } catch { throw Problem(error) }
        sessions.withLock { $0.forget(user: user) }
        await rooms.end { $0.user == user && $0.tokenHash != kept }
    }
}
