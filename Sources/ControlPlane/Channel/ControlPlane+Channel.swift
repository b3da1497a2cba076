import Formats
import Foundation
import Meetings
import Records
import Store
import WebServer

/// The meeting channel: changes go out, commands come in.
extension ControlPlane {
    static let subprotocol = "nhipcau.v1"

    /// `GET /meetings/{id}/events` with an upgrade.
    func channel(_ request: HTTPRequest) async throws(Problem) -> UpgradeDecision {
        let segments = request.path.split(separator: "/")
        guard segments.count == 5, segments[..<3] == ["api", "v1", "meetings"], segments[4] == "events" else {
            throw Problem(.notFound, [request.path])
        }
        let caller = try await signedIn(request, isUpgrade: true)
        guard Permissions.allows(.seeMeetings, for: caller.user.role) else { throw Problem(.notAllowed) }
        let offered = (request.headers["sec-websocket-protocol"] ?? "").split(separator: ",").map { $0.trimmingSpaces }
        guard offered.isEmpty || offered.contains(Self.subprotocol) else { throw Problem(.wrongSubprotocol, [Self.subprotocol]) }
        guard let id = UUID(uuidString: String(segments[3])) else { throw Problem(.meetingNotFound) }
        let room = try await rooms.room(id)
        guard await room.followerCount < settings.channelsPerMeeting, await rooms.followers(of: caller.user.id) < settings.channelsPerUser
        else {
            throw Problem(.tooManyChannels, [String(settings.channelsPerUser)], headers: [("Retry-After", "10")])
        }
        let after = request.query.first { $0.name == "after" }.flatMap { Int($0.value) }
        let (base, language) = (baseURL(request), Language(accepting: request.headers["accept-language"]))
        return .accept(subprotocol: offered.isEmpty ? nil : Self.subprotocol) { [self] connection in
            let follower = UUID()
            await room.attach(follower, connection, base: base, caller: caller, after: after)
            var rate = RateLimiter<UUID>(burst: Self.commandsPerSecond, perSecond: Double(Self.commandsPerSecond), mostKeys: 1)
            for await text in connection.messages {
                guard rate.take(follower, at: now()) == nil else {
                    counters.withLock { $0.channelsClosed += 1 }
                    connection.close(code: 1008, reason: "too many commands")
                    break
                }
                let answer = await reply(to: text, in: room, channel: follower, by: caller, language)
                guard connection.send(answer.text) else { break }
            }
            await room.detach(follower)
        }
    }

    /// `GET /meetings/{id}/events` without an upgrade.
    func needUpgrade(_ call: Call) async throws(Problem) -> HTTPResponse {
        throw Problem(.upgradeRequired, headers: [("Upgrade", "websocket"), ("Connection", "Upgrade")])
    }

    /// `POST /meetings/{id}/commands`.
    func postCommand(_ call: Call) async throws(Problem) -> HTTPResponse {
        let value = try RequestBody.json(of: call)
        let (caller, room) = (try call.signedInCaller, try await room(call))
        guard commands.withLock({ $0.take(caller.user.id, at: now()) }) == nil else {
            counters.withLock { $0.commandsLimited += 1 }
            throw Problem(.tooManyCommands, [String(Self.commandsPerSecond)], headers: [("Retry-After", "1")])
        }
        try await perform(value, in: room, channel: nil, by: caller)
        return .json(.object([("reply", value["id"] ?? .null)]))
    }

    private func reply(to text: String, in room: Room, channel: UUID, by caller: Caller, _ language: Language) async -> JSONValue {
        var value: JSONValue?
        do throws(Problem) {
            let parsed = try RequestBody.json([UInt8](text.utf8))
            value = parsed
            // A channel may outlive the session that opened it, and the rights of its account: commands do not.
            var caller = caller
            caller.user = try await login(caller.session.tokenHash).user
            try await perform(parsed, in: room, channel: channel, by: caller)
            return .object([("reply", parsed["id"] ?? .null)])
        } catch {
            return .object([("reply", value?["id"] ?? .null), ("problem", error.json(in: language))])
        }
    }

    private func perform(_ value: JSONValue, in room: Room, channel: UUID?, by caller: Caller) async throws(Problem) {
        let own = await room.sessions(of: caller.user.id)
        let sent = try SentCommand(value, own: own)
        let orders: [Order]
        switch sent.action {
        case .orders(let given): orders = given
        case .watch(let watched):
            do throws(Problem) { return try await room.watch(watched, channel: channel, by: caller) } catch {
                await audit(caller, "command.refused", subject: await room.meeting.id.text, detail: sent.type)
                throw error
            }
        }
        for order in orders {
            let meeting = await room.meeting.id
            let subject = (order.target ?? meeting).text
            // What people do to themselves is no act of power.
            let note = order.target.map({ !own.contains($0) }) ?? true ? entry(caller, "command.\(sent.type)", subject: subject) : nil
            let isNoted: Bool
            do throws(Problem) {
                isNoted = try await room.perform(order, by: caller.authority, noting: note)
            } catch {
                if error.type == .notAllowed { await audit(caller, "command.refused", subject: subject, detail: sent.type) }
                throw error
            }
            if let note, !isNoted { await audit(note) }
        }
    }
}

extension Order {
    /// Whom it is done to.
    var target: UUID? {
        switch self {
        case .mute(let id, _), .camera(let id, _), .remove(let id), .readmit(let id): id
        case .start, .end, .change, .join: nil
        }
    }
}
