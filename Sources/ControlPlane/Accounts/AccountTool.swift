import Base
import Foundation
import Meetings
import Records
import Store

/// Accounts without the API: for whoever has the machine and lost the administrator's password. A running server sees the change at once, and ends what hung on
/// the account's sessions within ten seconds.
package struct AccountTool: Sendable {
    package enum Failure: Error, Equatable, Sendable {
        case noSuchUser(String)
        case weakPassword(least: Int)
        case hashingFailed
        case store(StoreError)
    }
    private let store: Records
    private let now: @Sendable () -> Date

    package init(store: Records, now: @escaping @Sendable () -> Date = { Date() }) { (self.store, self.now) = (store, now) }

    /// Every account, in the order of its making.
    package func users() async throws(Failure) -> [UserRecord] {
        var all: [UserRecord] = []
        do {
            while case let page = try await store.users(limit: 200, after: all.last?.id), !page.isEmpty { all += page }
        } catch { throw .store(error) }
        return all
    }

    /// - Parameter password: nil makes a random one.
    /// - Returns: the random one.
    package func setPassword(of username: String, to password: String?) async throws(Failure) -> String? {
        let secret = password ?? Secrets.readablePassword()
        guard secret.count >= ControlPlane.passwordLength.least, secret.utf8.count <= ControlPlane.passwordLength.most else {
            throw .weakPassword(least: ControlPlane.passwordLength.least)
        }
        let hash: String
        do { hash = try PasswordHash(secret, cost: .standard).text } catch { throw .hashingFailed }
        try await change(username, "password") { $0.passwordHash = hash }
        return password == nil ? secret : nil
    }

    package func setDisabled(_ username: String, _ isDisabled: Bool) async throws(Failure) {
        try await change(username, isDisabled ? "disabled" : "enabled") { $0.isDisabled = isDisabled }
    }

    package func setRole(of username: String, to role: UserRole) async throws(Failure) {
        try await change(username, "role \(role.rawValue)") { $0.role = role }
    }

    private func change(_ username: String, _ what: String, _ body: (inout UserRecord) -> Void) async throws(Failure) {
        do {
            guard var user = try await store.user(named: Username.normal(username)) else { throw Failure.noSuchUser(username) }
            body(&user)
            let note = AuditEntry(
                id: UUIDv7.make(at: now()), at: now(), actor: nil, actorName: "command line", action: "user.change", subject: user.id.text,
                detail: "\(user.username): \(what)")
            try await store.update(user, ending: .all(except: nil), noting: note)
        } catch let failure as Failure {
            throw failure
        } catch let error as StoreError {
            throw .store(error)
        } catch {
            throw .noSuchUser(username)
        }
    }
}
