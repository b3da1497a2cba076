import Formats
import Foundation
import Lines
import MCU
import Meetings
import Store
import WebServer

/// One meeting while somebody looks at it: its state, its changes, and those who follow them.
actor Room {
    /// Somebody who follows the meeting over a WebSocket.
    private struct Follower {
        let connection: any WebSocketConnection
        let base: String
        let user: UUID
    }

    private let store: any Store
    private let media: any MediaPlane
    private let now: @Sendable () -> Date
    private var state: MeetingState
    private var changes: ChangeLog
    private var followers: [UUID: Follower] = [:]

    init(_ meeting: Meeting, store: any Store, media: any MediaPlane, now: @escaping @Sendable () -> Date) {
        (self.store, self.media, self.now) = (store, media, now)
        state = MeetingState(meeting)
        // Milliseconds of the clock: above every number that an earlier run of the server gave out.
        changes = ChangeLog(startingAfter: Int(now().timeIntervalSince1970 * 1_000))
        if meeting.phase == .running, let layout = LayoutChoice(rawValue: meeting.layout.rawValue) {
            media.setLayout(meeting: meeting.id, layout)
        }
    }

    var meeting: Meeting { state.meeting }
    var participants: [Participant] { state.participants }
    var participantCount: Int { state.participantCount }
    var isIdle: Bool { followers.isEmpty && state.participantCount == 0 }
    func participant(_ id: UUID) -> Participant? { state.participant(id) }
    func followers(of user: UUID) -> Int { followers.values.count { $0.user == user } }
    var followerCount: Int { followers.count }

    // MARK: Commands

    /// Does what was asked: first in the store where it lasts, then here, then in media; then everybody is told.
    func perform(_ command: MeetingCommand, by authority: Authority) async throws(Problem) {
        var next = state
        do { _ = try next.apply(command, by: authority, at: now()) } catch { throw Problem(error) }
        if next.meeting.version != state.meeting.version {
            do { try await store.update(next.meeting, from: state.meeting.version) } catch { throw Problem(error) }
        }
        // Media may have reported something while the store wrote: the command is applied to what is true now.
        let events: [MeetingEvent]
        do { events = try state.apply(command, by: authority, at: now()) } catch { throw Problem(error) }
        follow(command)
        publish(events)
    }

    /// What media must do for a command that the meeting took.
    private func follow(_ command: MeetingCommand) {
        switch command {
        case .mute(let id, let muted): media.setMuted(session: id, muted)
        case .camera(let id, let shown): media.setCamera(session: id, shown)
        case .remove(let id): media.leave(session: id)
        case .end: media.end(meeting: meeting.id)
        case .start, .change:
            if let layout = LayoutChoice(rawValue: meeting.layout.rawValue) { media.setLayout(meeting: meeting.id, layout) }
        case .join, .connected, .left, .observe, .speaker, .videoWanted, .notice: break
        }
    }

    /// What the server itself reports; it is never refused for want of permission.
    func report(_ command: MeetingCommand) {
        guard let events = try? state.apply(command, by: .system, at: now()) else { return }
        publish(events)
    }

    /// Media shows a name card in place of a picture that is too much, or the picture again.
    func noteExcess(of id: UUID, _ isTooMuch: Bool) {
        guard isTooMuch, let name = state.participant(id)?.name else { return }
        report(
            .notice(
                "Hình của “\(name)” tạm thay bằng bảng tên: nơi đó gửi quá nhiều. “\(name)” sends too much video; its name card is shown meanwhile."
            ))
    }

    // MARK: Joining

    struct Join: Sendable {
        var session: UUID
        var name: String
        var site: Site?
        var offer: String
        var user: UUID
        var role: UserRole
    }

    /// Asks media for an answer and gives the seat. Nothing is left behind where either refuses.
    func join(_ join: Join) async throws(Problem) -> JoinAnswer {
        let authority = Authority.user(id: join.user, role: join.role)
        do { try state.mayJoin(by: authority) } catch { throw Problem(error) }
        let request = JoinRequest(
            session: join.session, meeting: meeting.id, name: join.name, offer: join.offer, capacity: meeting.capacity, person: join.user)
        let answer: JoinAnswer
        do { answer = try await media.join(request) } catch { throw Problem(error) }
        let kind = ParticipantKind(rawValue: answer.kind.rawValue) ?? .viewer
        let participant = Participant(
            id: join.session, name: join.name, site: join.site, role: Permissions.meetingRole(for: join.role, kind: kind), kind: kind,
            joinedAt: now(), user: join.user)
        do {
            publish(try state.apply(.join(participant), by: authority, at: now()))
        } catch {
            media.leave(session: join.session)
            throw Problem(error)
        }
        return answer
    }

    /// Leaves, as its owner or by somebody who may.
    func leave(_ id: UUID, by authority: Authority) async throws(Problem) { try await perform(.remove(id), by: authority) }

    /// Once a second: what media measured.
    func observe(_ snapshots: [SessionSnapshot]) {
        for snapshot in snapshots { report(.observe(snapshot.session, ParticipantMedia(snapshot))) }
    }

    // MARK: Followers

    /// Sends what `connection` missed, or a snapshot, and from then on every change.
    func attach(_ id: UUID, _ connection: any WebSocketConnection, base: String, caller: Caller, after: Int?) {
        if let missed = after.flatMap({ changes.changes(after: $0) }) {
            for change in missed { _ = connection.send(text(of: change, base: base)) }
        } else {
            _ = connection.send(snapshot(base: base, caller: caller).text)
        }
        followers[id] = Follower(connection: connection, base: base, user: caller.user.id)
    }

    func detach(_ id: UUID) { followers[id] = nil }

    func closeAll(code: UInt16, reason: String) {
        for follower in followers.values { follower.connection.close(code: code, reason: reason) }
        followers.removeAll()
    }

    private func snapshot(base: String, caller: Caller) -> JSONValue {
        .object([
            ("type", .string("snapshot")), ("sequence", .int(changes.sequence)),
            ("meeting", state.meeting.json(base: base, participants: state.participantCount)),
            ("participants", .array(state.participants.map(\.json))), ("speaker", .optional(state.speaker?.text)),
            (
                "you",
                .object([
                    (
                        "user",
                        .object([
                            ("id", .string(caller.user.id.text)), ("name", .string(caller.user.name)),
                            ("role", .string(caller.user.role.rawValue)),
                        ])
                    )
                ])
            ),
        ])
    }

    private func text(of change: NumberedChange, base: String) -> String {
        change.event.json(sequence: change.sequence, base: base, participants: state.participantCount).text
    }

    private func publish(_ events: [MeetingEvent]) {
        for event in events {
            let change = changes.append(event)
            // Most followers come by the same address: the text is made once for each.
            var texts: [String: String] = [:]
            for (id, follower) in followers {
                let text = texts[follower.base] ?? text(of: change, base: follower.base)
                texts[follower.base] = text
                guard follower.connection.send(text) else {
                    // It does not read; it will come back and ask for what it missed.
                    follower.connection.close(code: 1013, reason: "too slow")
                    followers[id] = nil
                    continue
                }
            }
        }
    }
}

extension ParticipantMedia {
    init(_ snapshot: SessionSnapshot) {
        self.init()
        (isConnected, isSendingAudio, isSendingVideo) = (snapshot.isConnected, snapshot.isSendingAudio, snapshot.isSendingVideo)
        (isVideoWanted, sharesScreen) = (snapshot.isVideoWanted, snapshot.sharesScreen)
        (width, height, level) = (snapshot.width, snapshot.height, snapshot.audioLevel)
        (isSpeaking, tier) = (snapshot.isSpeaking, snapshot.tier)
        line.lossUp = snapshot.lossUp
        line.lossDown = snapshot.lossDown
        line.jitterMilliseconds = snapshot.jitterMilliseconds
        line.roundTripMilliseconds = snapshot.roundTripMilliseconds
        line.quality =
            LineQuality(
                loss: max(snapshot.lossUp, snapshot.lossDown), jitterMilliseconds: snapshot.jitterMilliseconds,
                roundTripMilliseconds: snapshot.roundTripMilliseconds
            ).verdict.rawValue
    }
}
