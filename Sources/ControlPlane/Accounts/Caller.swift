import Foundation
import Meetings
import Records
import Store
import WebServer

/// Somebody who is signed in.
struct Caller: Sendable {
    var user: UserRecord
    var session: SessionRecord
    var address: String
    var authority: Authority { .user(id: user.id, role: user.role) }
}

extension ControlPlane {
    static let cookieName = "nhipcau_session"
    private static let safeMethods: Set<String> = ["GET", "HEAD", "OPTIONS"]

    /// Who asks, by `Authorization: Bearer` or else by the cookie.
    /// - Throws: 401 without a session that lasts; 403 where a page of another origin uses the cookie.
    func signedIn(_ request: HTTPRequest, isUpgrade: Bool = false) async throws(Problem) -> Caller {
        let bearer = Self.bearerToken(request.headers["authorization"])
        guard let token = bearer ?? Self.cookie(request.headers["cookie"]), token.utf8.count <= 256 else { throw Self.notSignedIn }
        if bearer == nil, isUpgrade || !Self.safeMethods.contains(request.method) { try checkOrigin(request) }
        let login = try await login(Secrets.sha256(token))
        return Caller(user: login.user, session: login.session, address: request.remoteAddress)
    }

    /// The login whose token has this hash, and its account: as they were a moment ago, or else as the store has them.
    /// - Throws: 401 where it does not last, or its account is shut.
    func login(_ tokenHash: [UInt8]) async throws(Problem) -> SessionCache.Login {
        let time = now()
        let ticket: Int
        switch sessions.withLock({ $0.look(tokenHash, at: time) }) {
        case .good(let login): return login
        case .unknown(let given): ticket = given
        }
        let session: SessionRecord?
        var user: UserRecord?
        do {
            session = try await store.session(tokenHash: tokenHash)
            if let session { user = try await store.user(session.user) }
        } catch { throw Problem(error) }
        guard let session, session.expiresAt > now(), let user, !user.isDisabled, !user.isDeleted else { throw Self.notSignedIn }
        let login = SessionCache.Login(session: session, user: user)
        sessions.withLock { $0.note(login, ticket: ticket, at: time) }
        return login
    }

    /// A browser names the origin of every write and every WebSocket; SameSite=Strict is the first fence, this the second. A program without
    /// an origin is no page that somebody was lured to.
    func checkOrigin(_ request: HTTPRequest) throws(Problem) {
        if let place = request.headers["sec-fetch-site"], place != "same-origin", place != "none" { throw Problem(.foreignOrigin) }
        guard let origin = request.headers["origin"] else { return }
        let own = [request.headers["host"].map { "//" + $0 }, settings.publicURL].compactMap { $0.flatMap(Self.authority) }
        guard let asked = Self.authority(origin), own.contains(asked) else { throw Problem(.foreignOrigin) }
    }

    static var notSignedIn: Problem { Problem(.notSignedIn, headers: [("WWW-Authenticate", "Bearer realm=\"nhipcau\"")]) }

    static func bearerToken(_ header: String?) -> String? {
        guard let header, header.lowercased().hasPrefix("bearer ") else { return nil }
        return header.dropFirst(7).trimmingSpaces
    }

    static func cookie(_ header: String?) -> String? {
        for pair in (header ?? "").split(separator: ";").prefix(64) {
            let parts = pair.trimmingSpaces.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0] == cookieName { return String(parts[1]) }
        }
        return nil
    }

    /// Host and port of an origin or address, in lower case and without the ports that go without saying.
    private static func authority(_ text: String) -> String? {
        guard let slashes = text.range(of: "//") else { return nil }
        let host = text[slashes.upperBound...].prefix { $0 != "/" }.lowercased()
        for port in [":80", ":443"] where host.hasSuffix(port) { return String(host.dropLast(port.count)) }
        return host.isEmpty ? nil : host
    }

    /// Scheme and authority for links in answers.
    func baseURL(_ request: HTTPRequest) -> String {
        if let given = settings.publicURL { return given }
        let host = request.headers["host"] ?? "localhost"
        let isPlain = !host.isEmpty && host.utf8.count <= 255 && host.utf8.allSatisfy { Self.hostBytes.contains($0) }
        return (request.isTLS ? "https://" : "http://") + (isPlain ? host : "localhost")
    }

    private static let hostBytes = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_".utf8)
}
