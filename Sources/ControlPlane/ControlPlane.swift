import Base
import Foundation
import MCU
import Meetings
import Records
import Store
import WebServer

/// What an installation decides about its API.
package struct ControlPlaneSettings: Sendable {
    /// Scheme and authority under which people reach the server, without a slash at the end; nil takes what each request names.
    package var publicURL: String?
    package var sessionLifetime: TimeInterval = 12 * 3_600
    package var sessionsPerUser = 50
    package var channelsPerMeeting = 2_000
    package var channelsPerUser = 32
    /// Media sessions of one login in one meeting; who leads meetings is not bound.
    package var mediaSessionsPerLogin = SeatRule.usual.most
    /// The same of logins that bring many sites, by name.
    package var gateways: [String: Int] = [:]
    /// `/metrics` has an address of its own (`MetricsApplication`): here it is not found.
    package var metricsAreElsewhere = false
    /// Of the HTTP server before it, for `/metrics`.
    package var web: ServerCounters?
    package var scrypt = ScryptCost.standard
    /// Days that the audit log keeps; older rows go into files in `auditArchive`, and stay where they are while that is nil.
    package var auditDays = 365
    package var auditArchive: String?
    package init() {}
}

/// The API: sessions, roles, meetings, media, the meeting channel, audit. Joins the domain, the store and media behind HTTP.
package final class ControlPlane: WebApplication {
    let store: Records
    let media: any MediaPlane
    let settings: ControlPlaneSettings
    let sites: SiteDirectory
    let rooms: Rooms
    let passwords: PasswordWorker
    let limiter = Guarded(LoginLimiter())
    let audits = Guarded(AuditSummary())
    /// Joins of a login: twenty at once, then ten a minute.
    let joins = Guarded(RateLimiter<UUID>(burst: 20, perSecond: 10 / 60))
    /// Commands of a login that are POSTed.
    let commands = Guarded(RateLimiter<UUID>(burst: commandsPerSecond, perSecond: Double(commandsPerSecond)))
    static let commandsPerSecond = 20
    let sessions = Guarded(SessionCache())
    let counters = Guarded(Counters())
    let now: @Sendable () -> Date
    let log: @Sendable (String) -> Void
    private let pages: @Sendable (HTTPRequest) async -> HTTPResponse?
    private let router = Router(Routes.all)

    /// - Parameters:
    ///   - directory: the file of sites, in the form of `provinces.json`; nil for none.
    ///   - pages: answers GET outside the API; nil where there is no such page.
    ///   - now: the clock.
    ///   - log: takes lines of key=value, without secrets.
    /// - Throws: `DirectoryError` where the directory of sites cannot be read.
    package init(
        store: Records, media: any MediaPlane, settings: ControlPlaneSettings = ControlPlaneSettings(), directory: [UInt8]? = nil,
        pages: @escaping @Sendable (HTTPRequest) async -> HTTPResponse? = { _ in nil }, now: @escaping @Sendable () -> Date = { Date() },
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(DirectoryError) {
        self.store = store
        self.media = media
        self.settings = settings
        self.pages = pages
        self.now = now
        self.log = log
        sites = try directory.map { bytes throws(DirectoryError) in try SiteDirectory(parsing: bytes) } ?? SiteDirectory(sites: [])
        rooms = Rooms(store: store, media: media, now: now)
        passwords = PasswordWorker(cost: settings.scrypt)
    }

    /// Makes the user `admin` on a store without users.
    /// - Parameter password: nil makes a random one.
    /// - Returns: the random password, which is told once and never again; nil where none was made.
    package func ensureAdministrator(password: String?) async throws -> String? {
        guard try await store.userCount() == 0 else { return nil }
        let chosen = password.flatMap { $0.isEmpty ? nil : $0 }
        let secret = chosen ?? Secrets.readablePassword()
        let admin = UserRecord(
            id: UUIDv7.make(at: now()), username: "admin", name: "Quản trị viên", role: .admin, organisation: sites.centreName,
            passwordHash: try await passwords.hash(secret), createdAt: now())
        try await store.insert(admin, noting: entry(nil, "user.create", subject: admin.id.text, detail: "admin, first start"))
        return chosen == nil ? secret : nil
    }

    /// Follows media until the task is cancelled: its events as they come, its snapshots once a second.
    package func run() async {
        let events = media.events()
        await withTaskGroup { group in
            group.addTask { [rooms] in
                for await event in events { await rooms.handle(event) }
            }
            group.addTask { [self] in
                while !Task.isCancelled {
                    await tick()
                    do { try await Task.sleep(for: .seconds(1)) } catch { return }
                }
            }
            // Apart from the tick: a store that is slow or gone holds up nobody's levels.
            group.addTask { [self] in
                while !Task.isCancelled {
                    await keepHouse(second: Int(now().timeIntervalSince1970))
                    do { try await Task.sleep(for: .seconds(1)) } catch { return }
                }
            }
            group.addTask { [self] in
                for await change in await store.changes() { await take(change) }
            }
            await group.waitForAll()
        }
    }

    /// One second's work that no store can hold up: media's snapshots to the rooms, expired sessions to the end.
    func tick() async {
        await rooms.tick()
        let time = now()
        await rooms.end { $0.expiresAt <= time }
    }

    /// One second's work in the store.
    func keepHouse(second: Int) async {
        await writeAuditCounts()
        await rooms.settleDoubts()
        await writeAbsences()
        guard second % 10 == 0 else { return }
        await endLostLogins { _ in true }
        guard second % 60 == 0 else { return }
        await retireAudit()
        do { try await store.deleteSessions(expiredBy: now()) } catch { log("level=error part=store error=\"\(error)\"") }
    }

    /// Each absence that ended is one line of the audit, from which minutes are made.
    private func writeAbsences() async {
        for absence in await rooms.takeAbsences() {
            let entry = entry(nil, "media.absence", subject: absence.participant.text, detail: absence.detail)
            // What the store does not take is at least said: it is asked for nothing else in its place.
            do { try await store.append(entry) } catch { log("level=error part=store error=\"\(error)\" absence=\"\(absence.detail)\"") }
        }
    }

    /// What another process did.
    func take(_ change: RecordChange) async {
        switch change {
        case .session(let tokenHash):
            sessions.withLock { $0.forget(tokenHash) }
            await endLostLogins { $0.tokenHash == tokenHash }
        // What ends with a change of an account is told of each login.
        case .user(let id): sessions.withLock { $0.forget(user: id) }
        case .meeting(let id): await rooms.lookAgain(at: id)
        case .everything:
            sessions.withLock { $0.forgetAll() }
            await endLostLogins { _ in true }
            await rooms.lookAgain()
        }
    }

    /// Logins that the store does not have any more, whoever took them out: a newer one of many, or another program.
    private func endLostLogins(where isMeant: (SessionRecord) -> Bool) async {
        var lost: Set<[UInt8]> = []
        for (tokenHash, login) in await rooms.hangingLogins() where isMeant(login) {
            do {
                if try await store.session(tokenHash: tokenHash) == nil { lost.insert(tokenHash) }
            } catch {
                return log("level=error part=store error=\"\(error)\"")
            }
        }
        guard !lost.isEmpty else { return }
        sessions.withLock { [lost] sessions in for tokenHash in lost { sessions.forget(tokenHash) } }
        await rooms.end { [lost] in lost.contains($0.tokenHash) }
    }

    /// Tells everybody in a meeting, as before the server stops.
    package func announce(_ text: String) async { await rooms.announce(text) }

    /// Tells everybody that the server stops, then closes their channels.
    package func stop() async {
        await rooms.announce("Máy chủ sắp dừng; hệ thống sẽ tự nối lại. The server is stopping; you will be reconnected.")
        await rooms.closeAll()
    }
}

extension ControlPlane {
    package func respond(to request: HTTPRequest) async -> HTTPResponse {
        var asked = request
        if request.method == "HEAD" { asked.method = "GET" }
        var response = await answer(asked)
        counters.withLock { $0.count(status: response.status) }
        if request.method == "HEAD" { response.body = [] }
        return response
    }

    package func upgrade(_ request: HTTPRequest) async -> UpgradeDecision {
        do {
            return try await channel(request)
        } catch {
            counters.withLock { $0.count(status: error.type.status) }
            if [401, 403].contains(error.type.status) {
                // Who is not let in for want of a login has none to name.
                let caller = try? await signedIn(request)
                await audit(caller, "channel.refused", subject: request.path, detail: error.type.rawValue, address: request.remoteAddress)
            }
            return .refuse(error.response(in: Language(accepting: request.headers["accept-language"])))
        }
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        let language = Language(accepting: request.headers["accept-language"])
        if settings.metricsAreElsewhere, request.path == "/metrics" { return Problem(.notFound, [request.path]).response(in: language) }
        do {
            return try await dispatch(request, language)
        } catch {
            return error.response(in: language)
        }
    }

    private func dispatch(_ request: HTTPRequest, _ language: Language) async throws(Problem) -> HTTPResponse {
        switch router.find(request.method, request.path) {
        case .route(let route, let parameters):
            var call = Call(request: request, parameters: parameters, language: language)
            guard route.access != .open else { return try await route.handler(self)(call) }
            let caller = try await signedIn(request)
            if case .act(let act) = route.access, !Permissions.allows(act, for: caller.user.role) {
                await audit(caller, "call.refused", subject: request.path, detail: request.method, address: request.remoteAddress)
                throw Problem(.notAllowed)
            }
            call.caller = caller
            return try await route.handler(self)(call)
        case .otherMethods(let allowed):
            let list = allowed.joined(separator: ", ")
            guard request.method != "OPTIONS" else { return HTTPResponse(status: 204, headers: [("Allow", list)]) }
            throw Problem(.methodNotAllowed, [list], headers: [("Allow", list)])
        case .none:
            guard request.method == "GET", !request.path.hasPrefix("/api/"), let page = await pages(request) else {
                throw Problem(.notFound, [request.path])
            }
            return page
        }
    }
}
