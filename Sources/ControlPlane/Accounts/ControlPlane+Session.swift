import Formats
import Foundation
import Meetings
import Records
import Store
import WebServer

extension ControlPlane {
    /// `POST /session`.
    func signIn(_ call: Call, _ credentials: Credentials) async throws(Problem) -> HTTPResponse {
        // A page of another origin must not sign somebody in either.
        if call.request.headers["origin"] != nil { try checkOrigin(call.request) }
        let (username, password) = (Username.normal(credentials.username), credentials.password)
        guard username.utf8.count <= 256, password.utf8.count <= 1_024 else { throw Problem(.wrongPassword) }
        let address = call.request.remoteAddress
        let isKnown: Bool
        switch limiter.withLock({ $0.begin(username: username, address: address, at: now()) }) {
        case .mayTry(let known): isKnown = known
        case .wait(let seconds):
            counters.withLock { $0.loginsLimited += 1 }
            throw Problem(.tooManyLogins, [String(seconds)], headers: [("Retry-After", String(seconds))])
        }
        let found: UserRecord?
        do throws(Problem) {
            found = try await verified(username, password, isKnown: isKnown)
        } catch {
            // Nobody looked at the password, so it was no guess.
            limiter.withLock { $0.withdrawn(username: username, address: address, isKnown: isKnown) }
            counters.withLock { $0.loginsLimited += 1 }
            throw error
        }
        guard let user = found else {
            counters.withLock { $0.loginsFailed += 1 }
            await audit(nil, "session.refused", subject: String(username.prefix(64)), address: address)
            throw Problem(.wrongPassword)
        }
        limiter.withLock { $0.succeeded(username: username, address: address, at: now()) }
        counters.withLock { $0.loginsSucceeded += 1 }
        return try await session(of: user, call)
    }

    /// The account, where the password is its own and it is open.
    private func verified(_ username: String, _ password: String, isKnown: Bool) async throws(Problem) -> UserRecord? {
        let user: UserRecord?
        do { user = try await store.user(named: username) } catch { throw Problem(error) }
        let isRight: Bool
        do {
            isRight = try await passwords.verify(password, against: user?.passwordHash, isKnown: isKnown)
        } catch { throw Problem(error) }
        // A shut account is told what an unknown one is, after the same time.
        guard isRight, var user, !user.isDisabled else { return nil }
        // Made anew at the next login where it cannot be made or kept now.
        if passwords.isOutdated(user.passwordHash), let hash = try? await passwords.hash(password) {
            user.passwordHash = hash
            // As above.
            if (try? await store.update(user)) != nil { user.version += 1 }
        }
        return user
    }

    private func session(of user: UserRecord, _ call: Call) async throws(Problem) -> HTTPResponse {
        let token = Secrets.token()
        let expires = now().addingTimeInterval(settings.sessionLifetime)
        let record = SessionRecord(
            tokenHash: Secrets.sha256(token), user: user.id, createdAt: now(), expiresAt: expires, address: call.request.remoteAddress)
        let caller = Caller(user: user, session: record, address: call.request.remoteAddress)
        let note = entry(caller, "session.begin", subject: user.id.text)
        do {
            // A new one of too many takes the place of the oldest.
            try await forgetting(user.id) { () async throws(StoreError) in
                try await store.insert(record, most: settings.sessionsPerUser, noting: note)
            }
        } catch { throw Problem(error) }
        let body = JSONValue.object([("token", .string(token)), ("expiresAt", .time(expires)), ("user", user.json)])
        let cookie = Self.setCookie(token, lifetime: Int(settings.sessionLifetime), isTLS: isSecure(call.request))
        return .json(body, status: 201, headers: [("Set-Cookie", cookie), ("Cache-Control", "no-store")])
    }

    /// `GET /session`: who am I.
    func showSession(_ call: Call) async throws(Problem) -> HTTPResponse {
        let caller = try call.signedInCaller
        return .json(.object([("expiresAt", .time(caller.session.expiresAt)), ("user", caller.user.json)]))
    }

    /// `DELETE /session`.
    func signOut(_ call: Call) async throws(Problem) -> HTTPResponse {
        let caller = try call.signedInCaller
        let note = entry(caller, "session.end", subject: caller.user.id.text)
        do {
            try await forgetting(caller.user.id) { () async throws(StoreError) in
                try await store.deleteSession(tokenHash: caller.session.tokenHash, noting: note)
            }
        } catch { throw Problem(error) }
        await rooms.end { $0.tokenHash == caller.session.tokenHash }
        return HTTPResponse(status: 204, headers: [("Set-Cookie", Self.setCookie("", lifetime: 0, isTLS: isSecure(call.request)))])
    }

    /// Writes what may change a user's account or end its logins. They are looked up anew from then on, before anybody is told to come back, and where the write
    /// failed too: what became of it the store knows better.
    func forgetting(_ user: UUID, _ write: () async throws(StoreError) -> Void) async throws(StoreError) {
        defer { sessions.withLock { $0.forget(user: user) } }
        try await write()
    }

    /// Whether the browser came by TLS, here or at the proxy whose address was configured.
    private func isSecure(_ request: HTTPRequest) -> Bool { request.isTLS || settings.publicURL?.hasPrefix("https://") ?? false }

    private static func setCookie(_ value: String, lifetime: Int, isTLS: Bool) -> String {
        "\(cookieName)=\(value); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(lifetime)" + (isTLS ? "; Secure" : "")
    }
}

extension Call {
    /// The route's access made sure that there is one.
    var signedInCaller: Caller {
        get throws(Problem) {
            guard let caller else { throw ControlPlane.notSignedIn }
            return caller
        }
    }

    /// Entity tags that the request names, without quotation marks; nil where it names none.
    var ifMatch: [String]? {
        request.headers["if-match"].map { text in
            text.split(separator: ",").map { tag in
                var tag = tag.trimmingSpaces[...]
                if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
                return tag.count >= 2 && tag.hasPrefix("\"") && tag.hasSuffix("\"") ? String(tag.dropFirst().dropLast()) : String(tag)
            }
        }
    }

    /// The identifier in the path; one that is none names nothing.
    func identifier(_ name: String, missing: ProblemType) throws(Problem) -> UUID {
        guard let id = parameters[name].flatMap({ UUID(uuidString: $0) }) else { throw Problem(missing) }
        return id
    }

    /// `?limit=` 1 to 200, 50 without, and `?after=` an identifier.
    func page() throws(Problem) -> (limit: Int, after: UUID?) {
        var limit = 50
        if let text = query("limit") {
            guard let number = Int(text) else { throw .field(.wrongType, "limit", "integer") }
            limit = try RequestBody.check { () throws(ValidationFault) in try Validation.number(number, field: "limit", in: 1...200) }
        }
        guard let text = query("after") else { return (limit, nil) }
        guard let after = UUID(uuidString: text) else { throw .field(.wrongType, "after", "id") }
        return (limit, after)
    }
}

extension HTTPResponse {
    static func json(_ value: JSONValue, status: Int = 200, headers: [(name: String, value: String)] = []) -> HTTPResponse {
        HTTPResponse(status: status, headers: [(name: "Content-Type", value: "application/json")] + headers, body: value.bytes)
    }

    /// One page of a list; `last` is set where there may be more.
    static func list(_ values: [JSONValue], of path: String, limit: Int, last: String?) -> HTTPResponse {
        guard let last, values.count == limit else { return .json(.array(values)) }
        return .json(.array(values), headers: [("Link", "<\(path)?limit=\(limit)&after=\(last)>; rel=\"next\"")])
    }
}
