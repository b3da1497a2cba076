import Base
import Formats
import Foundation
import Meetings
import Records
import Store
import Testing
import WebServer

@testable import ControlPlane

struct SessionCacheTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let user = UserRecord(
        id: UUID(), username: "thuky", name: "Thư ký", role: .secretary, organisation: "", passwordHash: "", createdAt: .distantPast)

    private func login(_ number: UInt8, lasts seconds: TimeInterval = 3_600) -> SessionCache.Login {
        let session = SessionRecord(
            tokenHash: [number], user: user.id, createdAt: start, expiresAt: start.addingTimeInterval(seconds), address: "")
        return SessionCache.Login(session: session, user: user)
    }

    private func ticket(_ cache: SessionCache, _ number: UInt8) -> Int {
        if case .unknown(let ticket) = cache.look([number], at: start) { ticket } else { -1 }
    }

    @Test func `what the store said counts for a second, and not beyond the end of the login`() {
        var cache = SessionCache()
        cache.note(login(1), ticket: ticket(cache, 1), at: start)
        cache.note(login(2, lasts: 0.5), ticket: ticket(cache, 2), at: start)
        #expect(cache.look([1], at: start.addingTimeInterval(0.9)) == .good(login(1)))
        #expect(!isKnown(1, cache, at: start.addingTimeInterval(1)))
        #expect(!isKnown(1, cache, at: start.addingTimeInterval(-1)))  // the clock was set back
        #expect(isKnown(2, cache, at: start.addingTimeInterval(0.4)))
        #expect(!isKnown(2, cache, at: start.addingTimeInterval(0.5)))
    }

    private func isKnown(_ number: UInt8, _ cache: SessionCache, at time: Date? = nil) -> Bool {
        if case .good = cache.look([number], at: time ?? start) { true } else { false }
    }

    @Test func `what was read before a login ended is not believed after it`() {
        let endings: [(inout SessionCache) -> Void] = [
            { $0.forget([1]) }, { [user] in $0.forget(user: user.id) }, { $0.forgetAll() },
        ]
        for end in endings {
            var cache = SessionCache()
            let early = ticket(cache, 1)
            end(&cache)
            cache.note(login(1), ticket: early, at: start)
            #expect(!isKnown(1, cache))
            cache.note(login(1), ticket: ticket(cache, 1), at: start)
            #expect(isKnown(1, cache))
            end(&cache)
            #expect(!isKnown(1, cache))
        }
    }

    @Test func `it is bounded`() {
        var cache = SessionCache()
        let hashes = (0..<(SessionCache.most + 10)).map { withUnsafeBytes(of: $0) { Array($0) } }
        for hash in hashes {
            var login = login(1)
            login.session.tokenHash = hash
            cache.note(login, ticket: 0, at: start)
        }
        let known = hashes.count { if case .good = cache.look($0, at: start) { true } else { false } }
        #expect(known == 10)
    }
}

/// One WebSocket of a test: what is said into it, and what came out.
private final class TestChannel: WebSocketConnection {
    let messages: AsyncStream<String>
    private let said: AsyncStream<String>.Continuation
    let answers: AsyncStream<String>
    private let answered: AsyncStream<String>.Continuation
    private let closing = Guarded<UInt16?>(nil)

    init() {
        (messages, said) = AsyncStream.makeStream(of: String.self)
        (answers, answered) = AsyncStream.makeStream(of: String.self)
    }

    var closed: UInt16? { closing.withLock { $0 } }
    func say(_ text: String) { said.yield(text) }
    func hangUp() { said.finish() }
    func send(_ text: String) -> Bool {
        if text.contains("\"reply\"") { answered.yield(text) }
        return true
    }
    func close(code: UInt16, reason: String) { closing.withLock { $0 = code } }
}

/// A clock that goes on when it is told to.
final class SetClock: Sendable {
    private let date: Guarded<Date>
    init(_ date: Date) { self.date = Guarded(date) }
    var now: Date { date.withLock { $0 } }
    func goOn(_ seconds: TimeInterval) { date.withLock { $0 += seconds } }
}

struct ChannelSessionTests {
    enum Ending: String, CaseIterable, Sendable {
        case signOut, signOutEverywhere, ownPassword, password, role, disabled, deleted, expired, otherProgram, otherProcess,
            somethingElsewhere
    }

    /// The API over a store that counts, and the clock that it reads.
    private struct House {
        let store: HeldStore
        let plane: ControlPlane
        let clock = SetClock(Date(timeIntervalSince1970: 1_800_000_000))

        init() throws {
            store = try HeldStore(now: clock.now)
            var settings = ControlPlaneSettings()
            settings.scrypt = .cheap
            plane = try ControlPlane(store: store.records, media: RecordingMedia(), settings: settings, now: { [clock] in clock.now })
        }

        func call(_ method: String, _ path: String, _ body: String = "", token: String? = nil) async throws -> (
            status: Int, json: JSONValue
        ) {
            var headers = ["content-type": "application/json"]
            if let token { headers["authorization"] = "Bearer \(token)" }
            let answer = await plane.respond(
                to: HTTPRequest(method: method, path: "/api/v1/" + path, headers: headers, body: Array(body.utf8)))
            return (answer.status, answer.body.isEmpty ? .null : try JSONValue(parsing: answer.body))
        }

        func signIn(_ username: String, _ password: String) async throws -> String {
            let answer = try await call("POST", "session", "{\"username\":\"\(username)\",\"password\":\"\(password)\"}")
            return try #require(answer.json["token"]?.plain)
        }
    }

    @Test(arguments: Ending.allCases)
    func `commands of a channel do not read the login each time, and what ends it ends them at once`(ending: Ending) async throws {
        let house = try House()
        _ = try await house.plane.ensureAdministrator(password: "mat-khau-quan-tri")
        let admin = try await house.signIn("admin", "mat-khau-quan-tri")
        let made = try await house.call(
            "POST", "users", #"{"username":"thuky","role":"secretary","password":"mat-khau-thu-ky"}"#, token: admin)
        let id = try #require(made.json["id"]?.plain)
        let token = try await house.signIn("thuky", "mat-khau-thu-ky")
        let meeting = try #require(try await house.call("POST", "meetings", #"{"title":"Giao ban"}"#, token: token).json["id"]?.plain)
        let before = house.store.sessionReads
        let path = "/api/v1/meetings/\(meeting)/events"
        let upgrade = await house.plane.upgrade(HTTPRequest(method: "GET", path: path, headers: ["authorization": "Bearer \(token)"]))
        guard case .accept(_, let run) = upgrade else { return #expect(Bool(false), "the channel was refused") }
        let channel = TestChannel()
        let running = Task { await run(channel) }
        var answers = channel.answers.makeAsyncIterator()
        let lock = #"{"id":1,"type":"lock","locked":true}"#
        for _ in 0..<8 {
            channel.say(lock)
            #expect(await answers.next()?.contains("problem") == false)
            #expect(try await house.call("GET", "session", token: token).status == 200)
        }
        // Not even once, nor did the upgrade: the first request of this login has read it.
        #expect(house.store.sessionReads == before)
        switch ending {
        case .signOut: #expect(try await house.call("DELETE", "session", token: token).status == 204)
        case .signOutEverywhere: #expect(try await house.call("DELETE", "users/\(id)/sessions", token: admin).status == 204)
        case .ownPassword:
            // Those of other sessions end; this one is another.
            let other = try await house.signIn("thuky", "mat-khau-thu-ky")
            channel.say(lock)
            #expect(await answers.next()?.contains("problem") == false)
            let body = #"{"oldPassword":"mat-khau-thu-ky","newPassword":"mat-khau-thu-hai"}"#
            #expect(try await house.call("POST", "session/password", body, token: other).status == 204)
        case .password:
            #expect(try await house.call("POST", "users/\(id)/password", #"{"password":"mat-khau-moi-2"}"#, token: admin).status == 204)
        case .role: #expect(try await house.call("PATCH", "users/\(id)", #"{"role":"network"}"#, token: admin).status == 200)
        case .disabled: #expect(try await house.call("PATCH", "users/\(id)", #"{"disabled":true}"#, token: admin).status == 200)
        case .deleted: #expect(try await house.call("DELETE", "users/\(id)", token: admin).status == 204)
        case .expired: house.clock.goOn(12 * 3_600)
        case .otherProgram:
            try await house.store.records.deleteSessions(of: try #require(UUID(uuidString: id)), except: nil)
            house.clock.goOn(SessionCache.lifetime)
        case .otherProcess:
            let hash = Secrets.sha256(token)
            try await house.store.records.deleteSession(tokenHash: hash)
            await house.plane.take(.session(tokenHash: hash))
        case .somethingElsewhere:
            try await house.store.records.deleteSessions(of: try #require(UUID(uuidString: id)), except: nil)
            await house.plane.take(.everything)
        }
        #expect(try await house.call("GET", "session", token: token).status == 401)
        let again = await house.plane.upgrade(HTTPRequest(method: "GET", path: path, headers: ["authorization": "Bearer \(token)"]))
        if case .accept = again { #expect(Bool(false), "a channel was opened by a login that ended") }
        channel.say(lock)
        #expect(await answers.next()?.contains("not-signed-in") == true)
        if ending != .expired, ending != .otherProgram { #expect(channel.closed == 4_401) }
        channel.hangUp()
        await running.value
    }
}

extension ChannelSessionTests {
    @Test func `an administrator who takes the own right away keeps the login, and the channel has no more rights than the account`()
        async throws
    {
        let house = try House()
        _ = try await house.plane.ensureAdministrator(password: "mat-khau-quan-tri")
        let first = try await house.signIn("admin", "mat-khau-quan-tri")
        let made = try await house.call(
            "POST", "users", #"{"username":"quantri","role":"admin","password":"mat-khau-thu-hai"}"#, token: first)
        let id = try #require(made.json["id"]?.plain)
        let token = try await house.signIn("quantri", "mat-khau-thu-hai")
        let meeting = try #require(try await house.call("POST", "meetings", #"{"title":"Giao ban"}"#, token: token).json["id"]?.plain)
        let path = "/api/v1/meetings/\(meeting)/events"
        let upgrade = await house.plane.upgrade(HTTPRequest(method: "GET", path: path, headers: ["authorization": "Bearer \(token)"]))
        guard case .accept(_, let run) = upgrade else { return #expect(Bool(false), "the channel was refused") }
        let channel = TestChannel()
        let running = Task { await run(channel) }
        var answers = channel.answers.makeAsyncIterator()
        channel.say(#"{"id":1,"type":"lock","locked":true}"#)
        #expect(await answers.next()?.contains("problem") == false)
        #expect(try await house.call("PATCH", "users/\(id)", #"{"role":"operator"}"#, token: token).status == 200)
        channel.say(#"{"id":2,"type":"lock","locked":false}"#)
        #expect(await answers.next()?.contains("not-allowed") == true)
        #expect(try await house.call("GET", "users", token: token).status == 403)
        #expect(try await house.call("GET", "session", token: token).json["user"]?["role"]?.plain == "operator")
        channel.hangUp()
        await running.value
    }

    @Test(arguments: 0..<3)
    func `a login on which nothing hangs is out when another process has ended it`(way: Int) async throws {
        let house = try House()
        _ = try await house.plane.ensureAdministrator(password: "mat-khau-quan-tri")
        let token = try await house.signIn("admin", "mat-khau-quan-tri")
        let user = try #require(
            try await house.call("GET", "session", token: token).json["user"]?["id"]?.plain.flatMap { UUID(uuidString: $0) })
        let hash = Secrets.sha256(token)
        try await house.store.records.deleteSession(tokenHash: hash)
        // Nobody has told of it yet: what was read a moment ago counts.
        #expect(try await house.call("GET", "session", token: token).status == 200)
        await house.plane.take([.session(tokenHash: hash), .user(user), .everything][way])
        #expect(try await house.call("GET", "session", token: token).status == 401)
    }

    @Test func `a login whose end was not answered is looked up anew`() async throws {
        let house = try House()
        _ = try await house.plane.ensureAdministrator(password: "mat-khau-quan-tri")
        let token = try await house.signIn("admin", "mat-khau-quan-tri")
        #expect(try await house.call("GET", "session", token: token).status == 200)
        house.store.loseNextAnswer()
        #expect(try await house.call("DELETE", "session", token: token).status == 503)
        #expect(try await house.call("GET", "session", token: token).status == 401)
    }
}

extension JSONValue {
    fileprivate var plain: String? { if case .string(let text) = self { text } else { nil } }
}
