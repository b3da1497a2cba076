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
    private let user = UUID()

    private func session(_ number: UInt8, lasts seconds: TimeInterval = 3_600) -> SessionRecord {
        SessionRecord(tokenHash: [number], user: user, createdAt: start, expiresAt: start.addingTimeInterval(seconds), address: "")
    }

    private func ticket(_ cache: SessionCache, _ number: UInt8) -> Int {
        if case .unknown(let ticket) = cache.look([number], at: start) { ticket } else { -1 }
    }

    @Test func `what the store said counts for a second, and not beyond the end of the login`() {
        var cache = SessionCache()
        cache.note(session(1), ticket: ticket(cache, 1), at: start)
        cache.note(session(2, lasts: 0.5), ticket: ticket(cache, 2), at: start)
        #expect(cache.look([1], at: start.addingTimeInterval(0.9)) == .good)
        #expect(cache.look([1], at: start.addingTimeInterval(1)) != .good)
        #expect(cache.look([1], at: start.addingTimeInterval(-1)) != .good)  // the clock was set back
        #expect(cache.look([2], at: start.addingTimeInterval(0.4)) == .good)
        #expect(cache.look([2], at: start.addingTimeInterval(0.5)) != .good)
    }

    @Test func `what was read before a login ended is not believed after it`() {
        var cache = SessionCache()
        let early = ticket(cache, 1)
        cache.forget([1])
        cache.note(session(1), ticket: early, at: start)
        #expect(cache.look([1], at: start) != .good)
        let later = ticket(cache, 1)
        cache.forget(user: user)
        cache.note(session(1), ticket: later, at: start)
        #expect(cache.look([1], at: start) != .good)
        cache.note(session(1), ticket: ticket(cache, 1), at: start)
        #expect(cache.look([1], at: start) == .good)
        cache.forget(user: user)
        #expect(cache.look([1], at: start) != .good)
    }

    @Test func `it is bounded`() {
        var cache = SessionCache()
        for number in 0..<(SessionCache.most + 10) {
            let record = SessionRecord(
                tokenHash: withUnsafeBytes(of: number) { Array($0) }, user: user, createdAt: start, expiresAt: .distantFuture, address: "")
            cache.note(record, ticket: 0, at: start)
        }
        let known = (0..<(SessionCache.most + 10)).count { number in
            cache.look(withUnsafeBytes(of: number) { Array($0) }, at: start) == .good
        }
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
private final class SetClock: Sendable {
    private let date: Guarded<Date>
    init(_ date: Date) { self.date = Guarded(date) }
    var now: Date { date.withLock { $0 } }
    func goOn(_ seconds: TimeInterval) { date.withLock { $0 += seconds } }
}

struct ChannelSessionTests {
    enum Ending: String, CaseIterable, Sendable {
        case signOut, signOutEverywhere, ownPassword, password, role, disabled, deleted, expired, otherProgram
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
        let path = "/api/v1/meetings/\(meeting)/events"
        let upgrade = await house.plane.upgrade(HTTPRequest(method: "GET", path: path, headers: ["authorization": "Bearer \(token)"]))
        guard case .accept(_, let run) = upgrade else { return #expect(Bool(false), "the channel was refused") }
        let channel = TestChannel()
        let running = Task { await run(channel) }
        var answers = channel.answers.makeAsyncIterator()
        let lock = #"{"id":1,"type":"lock","locked":true}"#
        let before = house.store.sessionReads
        for _ in 0..<8 {
            channel.say(lock)
            #expect(await answers.next()?.contains("problem") == false)
        }
        #expect(house.store.sessionReads == before + 1)
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
        }
        channel.say(lock)
        #expect(await answers.next()?.contains("not-signed-in") == true)
        if ending != .expired, ending != .otherProgram { #expect(channel.closed == 4_401) }
        channel.hangUp()
        await running.value
    }
}

extension JSONValue {
    fileprivate var plain: String? { if case .string(let text) = self { text } else { nil } }
}
