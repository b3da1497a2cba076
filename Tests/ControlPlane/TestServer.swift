import Formats
import Foundation
import Meetings
import Records
import Store
import Testing
import WebServer

@testable import ControlPlane

/// The whole API over a store in memory and media that only writes down: requests in, answers out, no socket.
struct TestServer {
    struct Answer {
        var status: Int
        var headers: [(name: String, value: String)]
        var json: JSONValue
        /// The end of a problem's type.
        var problem: String? {
            guard case .string(let uri)? = json["type"] else { return nil }
            return uri.split(separator: ":").last.map(String.init)
        }
        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        func text(_ name: String) -> String {
            guard case .string(let text)? = json[name] else { return "" }
            return text
        }
    }
    static let password = "Mật khẩu 2026"
    let store: HeldStore
    let media = RecordingMedia()
    let control: ControlPlane

    init() async throws {
        let start = Date(timeIntervalSince1970: 1_800_000_000)
        store = try HeldStore(now: start)
        var settings = ControlPlaneSettings()
        settings.scrypt = .cheap
        let directory =
            #"{"centre":{"code":"TW","name":"Ủy ban","site":"Hội trường"},"provinces":[{"code":"12","name":"Lai Châu","kind":"tỉnh"}]}"#
        control = try ControlPlane(
            store: store.records, media: media, settings: settings, directory: Array(directory.utf8), now: { start })
        _ = try await control.ensureAdministrator(password: Self.password)
    }

    func ask(
        _ method: String, _ path: String, _ body: String? = nil, token: String = "", headers: [String: String] = [:],
        query: [(name: String, value: String)] = []
    ) async -> Answer {
        var all = headers
        if body != nil, all["content-type"] == nil { all["content-type"] = "application/json" }
        if !token.isEmpty { all["authorization"] = "Bearer \(token)" }
        all["accept-language"] = "en"
        let request = HTTPRequest(method: method, path: path, query: query, headers: all, body: Array((body ?? "").utf8))
        let response = await control.respond(to: request)
        return Answer(status: response.status, headers: response.headers, json: (try? JSONValue(parsing: response.body)) ?? .null)
    }

    /// - Returns: a token.
    func signIn(_ username: String = "admin") async -> String {
        await ask("POST", "/api/v1/session", #"{"username":"\#(username)","password":"\#(Self.password)"}"#).text("token")
    }

    /// - Returns: a token of a new account.
    func account(_ username: String, _ role: UserRole, by administrator: String) async -> String {
        let made = await ask(
            "POST", "/api/v1/users", #"{"username":"\#(username)","role":"\#(role.rawValue)","password":"\#(Self.password)"}"#,
            token: administrator)
        #expect(made.status == 201)
        return await signIn(username)
    }

    /// - Returns: the id of a running meeting.
    func runningMeeting(by token: String, capacity: Int = 1_000) async -> String {
        let made = await ask("POST", "/api/v1/meetings", #"{"title":"Giao ban","capacity":\#(capacity)}"#, token: token)
        let id = made.text("id")
        #expect(await ask("POST", "/api/v1/meetings/\(id)/start", token: token).status == 204)
        return id
    }

    /// - Returns: the media session's id.
    func join(_ meeting: String, _ name: String, by token: String) async -> String {
        let answer = await ask(
            "POST", "/api/v1/meetings/\(meeting)/media", "v=0", token: token, headers: ["content-type": "application/sdp"],
            query: [(name: "name", value: name)])
        return answer.header("Location")?.split(separator: "/").last.map(String.init) ?? ""
    }
}

extension ScryptCost {
    /// A hash that costs a test nothing.
    static let cheap = ScryptCost(logN: 4, r: 8, p: 1)
}
