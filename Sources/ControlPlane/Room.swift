import Formats
import Foundation
import Lines
import MCU
import Meetings
import Records
import Store
import WebServer

/// One meeting while somebody looks at it: its state, its changes, and those who follow them.
actor Room {
    /// Somebody who follows the meeting over a WebSocket.
    private struct Follower {
        let connection: any WebSocketConnection
        let base: String
        let user: UUID
        /// Gets levels and figures of lines too.
        let leads: Bool
        let session: SessionRecord
    }

    private let store: Records
    private let media: any MediaPlane
    private let now: @Sendable () -> Date
    private var state: MeetingState
    /// What those who lead are told, and what everybody is: each numbered without holes.
    private var changes: (leading: ChangeLog, everybody: ChangeLog)
    private var followers: [UUID: Follower] = [:]
    /// Of whom those who do not lead will be told.
    private var activity = ActivityQueue()
    /// A command is on its way to the store; those that came after it wait, each for one caller.
    private var isWriting = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// By which login each media session was made: it ends with it.
    private var logins: [UUID: SessionRecord] = [:]

    init(_ meeting: Meeting, store: Records, media: any MediaPlane, now: @escaping @Sendable () -> Date) {
        (self.store, self.media, self.now) = (store, media, now)
        state = MeetingState(meeting)
        // Milliseconds of the clock: above every number that an earlier run of the server gave out.
        let log = ChangeLog(startingAfter: Int(now().timeIntervalSince1970 * 1_000))
        changes = (log, log)
        if meeting.phase == .running, let layout = LayoutChoice(rawValue: meeting.layout.rawValue) {
            media.setLayout(meeting: meeting.id, layout)
        }
    }

    var meeting: Meeting { state.meeting }
    var participants: [Participant] { state.participants }
    var participantCount: Int { state.participantCount }
    var isIdle: Bool { followers.isEmpty && state.participantCount == 0 }
    func participant(_ id: UUID) -> Participant? { state.participant(id) }
    func sessions(of user: UUID) -> [UUID] { state.sessions(of: user) }
    func followers(of user: UUID) -> Int { followers.values.count { $0.user == user } }
    var followerCount: Int { followers.count }

    // MARK: Commands

    /// Does what was asked: first in the store where it lasts, then here, then in media; then everybody is told.
    /// - Parameter note: written in one batch with what the command changes.
    /// - Returns: whether it was; a command that changes nothing that lasts leaves it to the caller.
    @discardableResult
    func perform(_ command: MeetingCommand, by authority: Authority, noting note: AuditEntry? = nil) async throws(Problem) -> Bool {
        await takeTurn()
        defer { giveTurn() }
        var next = state
        do { _ = try next.apply(command, by: authority, at: now()) } catch { throw Problem(error) }
        let isWritten = next.meeting.version != state.meeting.version
        if isWritten {
            do { try await store.update(next.meeting, from: state.meeting.version, noting: note) } catch { throw Problem(error) }
        }
        // Media may have reported something while the store wrote: the command is applied to what is true now.
        let events: [MeetingEvent]
        do { events = try state.apply(command, by: authority, at: now()) } catch { throw Problem(error) }
        follow(command)
        follow(events)
        publish(events)
        return isWritten
    }

    /// Two that write at once would write the same version, and one would be refused for what the other did.
    private func takeTurn() async {
        guard isWriting else {
            isWriting = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func giveTurn() {
        if waiting.isEmpty { isWriting = false } else { waiting.removeFirst().resume() }
    }

    /// What media must do for what became of participants: a decision about one session may reach others.
    private func follow(_ events: [MeetingEvent]) {
        for event in events {
            switch event {
            case .participantJoined(let participant), .participantChanged(let participant):
                media.setMuted(session: participant.id, participant.isMuted)
                media.setCamera(session: participant.id, !participant.isCameraOff)
            case .participantLeft(let id, _): media.leave(session: id)
            default: break
            }
        }
    }

    /// What media must do for a command that the meeting took.
    private func follow(_ command: MeetingCommand) {
        switch command {
        case .end: media.end(meeting: meeting.id)
        case .start, .change:
            if let layout = LayoutChoice(rawValue: meeting.layout.rawValue) { media.setLayout(meeting: meeting.id, layout) }
        case .join, .connected, .left, .observe, .speaker, .videoWanted, .notice, .mute, .camera, .remove, .readmit, .became: break
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
        var user: UserRecord
        var rule: SeatRule
        var login: SessionRecord
    }

    /// How long a session may take to connect while others wait for a seat.
    private static let connectingPatience: TimeInterval = 10

    /// Asks media for an answer and gives the seat. Nothing is left behind where either refuses.
    func join(_ join: Join) async throws(Problem) -> JoinAnswer {
        let authority = Authority.user(id: join.user.id, role: join.user.role)
        let leads = state.goesBeyondCapacity(authority)
        try makeRoom(for: authority, join.rule, leads: leads)
        // Others' names are theirs: one that looks like them gets a number.
        let name = state.takeName(join.name, for: join.user.id)
        defer { state.giveUpName(name, of: join.user.id) }
        let request = JoinRequest(
            session: join.session, meeting: meeting.id, name: name, offer: join.offer, capacity: leads ? .max : meeting.capacity,
            person: join.rule.isPersonal ? join.user.id : nil)
        let answer: JoinAnswer
        do { answer = try await media.join(request) } catch { throw Problem(error) }
        let kind = ParticipantKind(answer.kind)
        var participant = Participant(
            id: join.session, name: name, site: join.site, role: Permissions.meetingRole(for: join.user.role, kind: kind), kind: kind,
            joinedAt: now(), user: join.user.id, account: Account(name: join.user.name, organisation: join.user.organisation))
        participant.isPersonal = join.rule.isPersonal
        do {
            let events = try state.apply(.join(participant, join.rule), by: authority, at: now())
            logins[join.session] = join.login
            follow(events)
            publish(events)
        } catch {
            media.leave(session: join.session)
            throw Problem(error)
        }
        return answer
    }

    /// In a full meeting: the seat of somebody who did not connect in time, or at once for who leads it.
    private func makeRoom(for authority: Authority, _ rule: SeatRule, leads: Bool) throws(Problem) {
        let refusal: MeetingRefusal?
        do {
            try state.mayJoin(by: authority, rule)
            refusal = nil
        } catch { refusal = error }
        if case nil = refusal, !leads { return }
        if let refusal { guard case .full = refusal else { throw Problem(refusal) } }
        if let late = state.seatToFree(at: now(), patience: leads ? 0 : Self.connectingPatience) {
            media.leave(session: late)
            report(.left(late, reason: "neverConnected"))
        } else if let refusal {
            throw Problem(refusal)
        }
    }

    /// A later offer of a session. What its owner may send is asked again, of what the offer makes of it.
    /// - Returns: the answer, and the participant's kind before and after.
    func renegotiate(
        _ id: UUID, offer: String, ifMatch: [String]?
    ) async throws(Problem) -> (answer: JoinAnswer, before: ParticipantKind, after: ParticipantKind) {
        guard let participant = state.participant(id) else { throw Problem(.participantNotFound) }
        let role = await ownerRole(of: participant)
        // Whose role was lowered meanwhile may not go on with what it could not begin.
        guard let role, Permissions.allows(.joinAsViewer, for: role) else { throw Problem(.notAllowed) }
        let maySend = Permissions.allows(.joinWithMedia, for: role)
        let answer: JoinAnswer
        do {
            answer = try await media.renegotiate(session: id, offer: offer, maySend: maySend, ifMatch: ifMatch)
        } catch { throw Problem(error) }
        let kind = ParticipantKind(answer.kind)
        report(.became(id, kind, Permissions.meetingRole(for: role, kind: kind)))
        return (answer, participant.kind, kind)
    }

    /// Of the account that the session belongs to, as it is now: whoever renegotiates for it gives it no rights of their own.
    private func ownerRole(of participant: Participant) async -> UserRole? {
        (try? await store.user(participant.user))??.role
    }

    /// Leaves, as its owner or by somebody who may.
    func leave(_ id: UUID, by authority: Authority) async throws(Problem) { try await perform(.remove(id), by: authority) }

    /// Once a second: what media measured.
    func observe(_ snapshots: [SessionSnapshot]) {
        for snapshot in snapshots {
            let before = state.participant(snapshot.session)
            guard let before, let events = try? state.apply(.observe(before.id, ParticipantMedia(snapshot)), by: .system, at: now()),
                let after = state.participant(before.id), !events.isEmpty
            else { continue }
            if after.differsInActivityAlone(from: before) {
                if !after.differsInFiguresAlone(from: before) { activity.note(before) }
                for event in events { tell(event, leading: true, others: false) }
            } else {
                publish(events)
            }
        }
        for participant in activity.take({ state.participant($0) }) { tell(.participantChanged(participant), leading: false, others: true) }
    }

    // MARK: Followers

    /// Sends what `connection` missed, or a snapshot, and from then on every change.
    func attach(_ id: UUID, _ connection: any WebSocketConnection, base: String, caller: Caller, after: Int?) {
        let leads = Permissions.leads(caller.user.role)
        if let missed = after.flatMap({ (leads ? changes.leading : changes.everybody).changes(after: $0) }) {
            for change in missed { _ = connection.send(text(of: change, base: base, leads: leads)) }
        } else {
            _ = connection.send(snapshot(base: base, caller: caller).text)
        }
        followers[id] = Follower(connection: connection, base: base, user: caller.user.id, leads: leads, session: caller.session)
    }

    func detach(_ id: UUID) { followers[id] = nil }

    /// Ends what hangs on logins that ended: channels and media sessions.
    func end(_ hasEnded: @Sendable (SessionRecord) -> Bool) {
        for (id, follower) in followers where hasEnded(follower.session) {
            follower.connection.close(code: 4401, reason: "signed out")
            followers[id] = nil
        }
        for (id, login) in logins where hasEnded(login) {
            media.leave(session: id)
            report(.left(id, reason: "signedOut"))
        }
    }

    /// Logins on which something hangs.
    var hangingLogins: [SessionRecord] { followers.values.map(\.session) + logins.values }

    func closeAll(code: UInt16, reason: String) {
        for follower in followers.values { follower.connection.close(code: code, reason: reason) }
        followers.removeAll()
    }

    private func snapshot(base: String, caller: Caller) -> JSONValue {
        let leads = Permissions.leads(caller.user.role)
        let more: [(String, JSONValue)] = leads ? [("removed", removed)] : []
        return .object(
            [
                ("type", .string("snapshot")), ("sequence", .int((leads ? changes.leading : changes.everybody).sequence)),
                ("meeting", state.meeting.json(base: base, participants: state.participantCount)),
                ("participants", .array(state.participants.map { $0.json(leads: leads) })), ("speaker", .optional(state.speaker?.text)),
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
            ] + more)
    }

    private func text(of change: NumberedChange, base: String, leads: Bool) -> String {
        change.event.json(sequence: change.sequence, base: base, participants: state.participantCount, leads: leads, removed: removed).text
    }

    private var removed: JSONValue { .array(removedRows) }

    private var removedRows: [JSONValue] {
        meeting.restrictions.removed.sorted { ($0.value, $0.key.text) < ($1.value, $1.key.text) }.map { user, name in
            .object([("user", .string(user.text)), ("name", .string(name))])
        }
    }

    private func publish(_ events: [MeetingEvent]) {
        for event in events {
            switch event {
            case .participantJoined(let participant), .participantChanged(let participant): activity.forget(participant.id)
            case .participantLeft(let id, _):
                activity.forget(id)
                logins[id] = nil
            default: break
            }
            tell(event, leading: true, others: !event.isForLeadersAlone)
        }
    }

    private func tell(_ event: MeetingEvent, leading isForLeading: Bool, others isForOthers: Bool) {
        let leading = isForLeading ? changes.leading.append(event) : nil
        let everybody = isForOthers ? changes.everybody.append(event) : nil
        // Most followers come by the same address: the text is made once for each.
        var texts: [Audience: String] = [:]
        for (id, follower) in followers {
            guard let change = follower.leads ? leading : everybody else { continue }
            let audience = Audience(base: follower.base, leads: follower.leads)
            let text = texts[audience] ?? text(of: change, base: follower.base, leads: follower.leads)
            texts[audience] = text
            guard follower.connection.send(text) else {
                // It does not read; it will come back and ask for what it missed.
                follower.connection.close(code: 1013, reason: "too slow")
                followers[id] = nil
                continue
            }
        }
    }

    private struct Audience: Hashable {
        var base: String
        var leads: Bool
    }
}

extension ParticipantKind {
    init(_ kind: SessionKind) {
        switch kind {
        case .participant: self = .participant
        case .publisher: self = .publisher
        case .viewer: self = .viewer
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
