import Formats
import Foundation
import MCU
import Meetings
import Records
import Store
import WebServer

/// One meeting while somebody looks at it: its state, its changes, and those who follow them.
actor Room {
    private let store: Records
    private let media: any MediaPlane
    private let now: @Sendable () -> Date
    private var state: MeetingState
    private var followers: Followers
    /// Of whom will be told that they speak or send.
    private var activity = ActivityQueue()
    /// An order is on its way to the store; those that came after it wait, each for one caller.
    private var isWriting = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// What the store has may be another meeting than this one: a write was not answered.
    private var isInDoubt = false
    /// By which login each media session was made: it ends with it.
    private var logins: [UUID: SessionRecord] = [:]
    /// Media sessions of seats to which somebody came back; every other seat's is its participant's own identifier.
    private var mediaSessions: [UUID: UUID] = [:]
    private var absences = AbsenceBook()

    init(
        _ meeting: Meeting, store: Records, media: any MediaPlane, now: @escaping @Sendable () -> Date,
        counts: ChannelCounts = ChannelCounts()
    ) {
        (self.store, self.media, self.now) = (store, media, now)
        state = MeetingState(meeting)
        // Milliseconds of the clock: above every number that an earlier run of the server gave out.
        followers = Followers(startingAfter: Int(now().timeIntervalSince1970 * 1_000), counts: counts)
        if meeting.phase == .running { media.setView(.programme, of: meeting.id, to: ViewSettings(meeting)) }
    }

    var meeting: Meeting { state.meeting }
    var participants: [Participant] { state.presence.participants }
    var participantCount: Int { state.presence.count }
    var isIdle: Bool { followers.count == 0 && state.presence.count == 0 }
    func participant(_ id: UUID) -> Participant? { state.presence.participant(id) }
    func sessions(of user: UUID) -> [UUID] { state.presence.sessions(of: user) }
    func followers(of user: UUID) -> Int { followers.count(of: user) }
    var followerCount: Int { followers.count }

    // MARK: Orders and facts

    /// Does what was ordered: decided, stored where it lasts, then done here and in media; then those are told whom it is for.
    ///
    /// One order is decided at a time, since two that store at once would store the same version. Meanwhile facts are taken, and what somebody orders for their own
    /// media session alone.
    /// - Parameters:
    ///   - tags: entity tags, of which the meeting's must be one when the order is decided; nil takes it as it is.
    ///   - note: written in one batch with what the order changes.
    /// - Returns: whether it was; an order that changes nothing that lasts leaves it to the caller.
    /// - Throws: 412 where the meeting has another version.
    @discardableResult
    func perform(
        _ order: Order, by authority: Authority, ifMatch tags: [String]? = nil, noting note: AuditEntry? = nil
    ) async throws(Problem) -> Bool {
        if state.isOwnAffair(order, of: authority) {
            let decision = try decide(order, by: authority)
            if decision.events.isEmpty {
                carryOut(decision)
                return false
            }
        }
        await takeTurn()
        defer { giveTurn() }
        try mustMatch(tags)
        let decision = try decide(order, by: authority)
        let refusal: StoreError
        do { return try await storeAndCarryOut(decision, noting: note) } catch { refusal = error }
        if case .uncertain = refusal { isInDoubt = true }
        // Somebody else has stored since: the order is decided on what is stored.
        guard case .stale = refusal, try await catchUp() else { throw Problem(refusal) }
        try mustMatch(tags)
        let again = try decide(order, by: authority)
        do { return try await storeAndCarryOut(again, noting: note) } catch { throw Problem(error) }
    }

    /// Takes the meeting out of the store, in its turn among the orders. Its channels are closed.
    /// - Throws: 409 where it is running, 412 where its version is none of `tags`.
    func delete(ifMatch tags: [String]?, noting note: AuditEntry) async throws(Problem) {
        await takeTurn()
        defer { giveTurn() }
        while true {
            try mustMatch(tags)
            guard meeting.phase != .running else { throw Problem(.running) }
            do {
                try await store.deleteMeeting(meeting.id, version: meeting.version, noting: note)
                return closeAll(code: 1000, reason: "deleted")
            } catch {
                guard case .stale = error, try await catchUp() else { throw Problem(error) }
            }
        }
    }

    private func mustMatch(_ tags: [String]?) throws(Problem) {
        guard let tags, !tags.contains("*"), !tags.contains(meeting.etag) else { return }
        throw Problem(.stale, [meeting.etag], headers: [("ETag", meeting.etag)])
    }

    private func decide(_ order: Order, by authority: Authority) throws(Problem) -> Decision {
        do { return try state.decide(order, by: authority, at: now()) } catch { throw Problem(error) }
    }

    /// - Returns: whether something was stored, and the note with it.
    private func storeAndCarryOut(_ decision: Decision, noting note: AuditEntry?) async throws(StoreError) -> Bool {
        if !decision.events.isEmpty {
            var next = state.meeting
            for event in decision.events { next.evolve(event) }
            try await store.update(next, from: state.meeting.version, noting: note)
        }
        carryOut(decision)
        return !decision.events.isEmpty
    }

    /// Cannot fail: what has come in meanwhile is reached by it too.
    private func carryOut(_ decision: Decision) {
        var notices: [Notice] = []
        for event in decision.events { notices += state.evolve(event) }
        for fact in decision.facts { notices += state.take(fact) }
        instruct(decision.events)
        instruct(notices)
        publish(notices)
    }

    /// Takes what another process stored, or what became of an order that was answered as uncertain.
    /// - Parameter isTold: by the store, of a change; otherwise only a doubt is a reason to look.
    func lookAgain(isTold: Bool) async {
        guard isTold || isInDoubt else { return }
        await takeTurn()
        defer { giveTurn() }
        do {
            _ = try await catchUp()
            isInDoubt = false
        } catch {
            // A store that does not answer now is asked again a second later.
            isInDoubt = error.type != .meetingNotFound
            if !isInDoubt { closeAll(code: 1000, reason: "deleted") }
        }
    }

    /// Takes what the store has that this room has not seen.
    /// - Returns: whether there was anything.
    private func catchUp() async throws(Problem) -> Bool {
        let stored: Meeting?
        do { stored = try await store.meeting(meeting.id) } catch { throw Problem(error) }
        guard let stored else { throw Problem(.meetingNotFound) }
        guard stored.version != meeting.version else { return false }
        let (events, notices) = state.catchUp(with: stored)
        instruct(events)
        instruct(notices)
        publish(notices)
        return true
    }

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

    /// What media must do for what lasts.
    private func instruct(_ events: [Meetings.Event]) {
        for event in events {
            switch event {
            case .ended: media.end(meeting: meeting.id)
            case .started, .changed:
                media.setView(.programme, of: meeting.id, to: ViewSettings(meeting))
            case .created, .personMuted, .personHidden, .personRemoved, .personReadmitted: break
            }
        }
    }

    /// What media must do for what became of participants: a decision about one session may reach others.
    private func instruct(_ notices: [Notice]) {
        for notice in notices {
            switch notice {
            case .participantJoined(let participant), .participantChanged(let participant):
                media.setMuted(session: participant.session, participant.isMuted)
                media.setCamera(session: participant.session, !participant.isCameraOff)
            case .participantLeft(let id, _): media.leave(session: mediaSession(of: id))
            case .meetingChanged, .participantMeasured, .participantWanted, .removedChanged, .speakerChanged, .meetingEnded, .announced:
                break
            }
        }
    }

    /// What media or the server itself reports; it is never refused.
    func report(_ fact: Fact) { publish(state.take(fact)) }

    /// The media session that holds a participant's seat, or held it last.
    func mediaSession(of id: UUID) -> UUID { mediaSessions[id] ?? id }

    /// Whose seat a media session holds; nil where it holds none any more.
    func seat(of session: UUID) -> UUID? { state.presence.seat(of: session) }

    func mediaConnected(_ session: UUID) {
        guard let id = seat(of: session) else { return }
        report(.connected(id))
        if participant(id)?.awaySince != nil { report(.back(id, at: now())) }
    }

    /// Who only fell silent keeps the seat for a while.
    func mediaLeft(_ session: UUID, _ reason: LeaveReason) {
        guard let id = seat(of: session), let participant = participant(id) else { return }
        let isKept = reason == .consentLost || reason == .neverConnected && participant.awaySince != nil
        guard isKept else { return report(.left(id, reason: reason.rawValue)) }
        report(.away(id, since: now().addingTimeInterval(-Self.consentLifetime), isUnseated: true))
    }

    func mediaWants(_ session: UUID, _ wish: CameraWish) {
        if let id = seat(of: session) { report(.videoWanted(id, wish)) }
    }

    func mediaHears(_ session: UUID?) { report(.speaker(session.flatMap { seat(of: $0) })) }

    /// Media's patience before it says that somebody fell silent, and before it gives the session up; seconds.
    private static let (silentFor, consentLifetime): (TimeInterval, TimeInterval) = (2, 30)

    /// Seats that were kept long enough are left.
    func giveUpSeats() {
        let time = now()
        for id in state.presence.overdue(at: time) { report(.left(id, reason: LeaveReason.consentLost.rawValue)) }
    }

    /// Absences that ended since the last call.
    func takeAbsences() -> [SeatAbsence] { absences.takeEnded() }

    /// Media shows a name card in place of a picture that is too much, or the picture again.
    func noteExcess(of session: UUID, _ isTooMuch: Bool) {
        guard isTooMuch, let name = seat(of: session).flatMap({ participant($0) })?.name else { return }
        report(
            .announced(
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
        /// The media session with which the client held its seat before; nil where it had none, or does not know.
        var held: UUID?
    }

    /// What became of a join: the answer, and whose seat it is.
    struct Joined: Sendable {
        var answer: JoinAnswer
        var participant: UUID
    }

    /// How long a session may take to connect while others wait for a seat.
    private static let connectingPatience: TimeInterval = 10

    /// Asks media for an answer and gives the seat. Nothing is left behind where either refuses.
    func join(_ join: Join) async throws(Problem) -> Joined {
        let authority = Authority.user(id: join.user.id, role: join.user.role)
        if let seat = state.presence.seatToTake(by: join.user.id, held: join.held, name: join.name, site: join.site) {
            return try await comeBack(to: seat, join, by: authority)
        }
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
        let time = now()
        var participant = Participant(
            id: join.session, name: name, site: join.site, role: Permissions.meetingRole(for: join.user.role, kind: kind), kind: kind,
            joinedAt: time, user: join.user.id, account: Account(name: join.user.name, organisation: join.user.organisation))
        participant.isPersonal = join.rule.isPersonal
        participant.askedName = join.name
        do {
            let decision = try state.decide(.join(participant, join.rule), by: authority, at: time)
            logins[join.session] = join.login
            carryOut(decision)
        } catch {
            media.leave(session: join.session)
            throw Problem(error)
        }
        return Joined(answer: answer, participant: join.session)
    }

    /// Gives a seat that is still there another media session: who sits in it, its name, its rights and what was turned off stay. Where media refuses the
    /// offer, the seat is as it was.
    private func comeBack(to seat: Participant, _ join: Join, by authority: Authority) async throws(Problem) -> Joined {
        do { try state.mayReturn(as: .viewer, by: authority) } catch { throw Problem(error) }
        let request = JoinRequest(
            session: join.session, meeting: meeting.id, name: seat.name, offer: join.offer, capacity: .max,
            person: join.rule.isPersonal ? join.user.id : nil)
        let answer: JoinAnswer
        do { answer = try await media.join(request) } catch { throw Problem(error) }
        let kind = ParticipantKind(answer.kind)
        do {
            try state.mayReturn(as: kind, by: authority)
        } catch {
            media.leave(session: join.session)
            throw Problem(error)
        }
        // It may have been given up, or taken by another request, while media made its answer: then the client joins as one who never was here.
        guard participant(seat.id)?.session == seat.session else {
            media.leave(session: join.session)
            throw Problem(JoinRefusal.busy(retryAfterSeconds: 1))
        }
        media.leave(session: seat.session)
        mediaSessions[seat.id] = join.session
        logins[seat.id] = join.login
        let role = Permissions.meetingRole(for: join.user.role, kind: kind)
        carryOut(
            Decision(facts: [
                .away(seat.id, since: now(), isUnseated: true), .reseated(seat.id, session: join.session, kind, role),
            ]))
        return Joined(answer: answer, participant: seat.id)
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
            media.leave(session: mediaSession(of: late))
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
        guard let participant = participant(id) else { throw Problem(.participantNotFound) }
        let role = await ownerRole(of: participant)
        // Whose role was lowered meanwhile may not go on with what it could not begin.
        guard let role, Permissions.allows(.joinAsViewer, for: role) else { throw Problem(.notAllowed) }
        let maySend = Permissions.allows(.joinWithMedia, for: role)
        let answer: JoinAnswer
        do {
            answer = try await media.renegotiate(session: mediaSession(of: id), offer: offer, maySend: maySend, ifMatch: ifMatch)
        } catch { throw Problem(error) }
        let kind = ParticipantKind(answer.kind)
        report(.became(id, kind, Permissions.meetingRole(for: role, kind: kind)))
        return (answer, participant.kind, kind)
    }

    /// Of the account that the session belongs to, as it is now: whoever renegotiates for it gives it no rights of their own.
    private func ownerRole(of participant: Participant) async -> UserRole? {
        // An account that cannot be looked up has no rights.
        (try? await store.user(participant.user))??.role
    }

    /// Leaves, as its owner or by somebody who may.
    func leave(_ id: UUID, by authority: Authority) async throws(Problem) { try await perform(.remove(id), by: authority) }

    /// Once a second: what media measured. Figures go to those who watch them as one table; of who speaks and sends, some are told to everybody.
    func observe(_ snapshots: [SessionSnapshot]) {
        var changed: [Participant] = []
        for snapshot in snapshots {
            guard let id = seat(of: snapshot.session), followSilence(of: id, snapshot), var before = participant(id) else { continue }
            let notices = state.take(.measured(before.id, ParticipantMedia(snapshot)))
            guard !notices.isEmpty, let after = participant(before.id) else { continue }
            changed.append(after)
            if after.media.wish != before.media.wish {
                followers.tell(.participantWanted(after), state)
                before.media.wish = after.media.wish
            }
            if !after.differsInActivityAlone(from: before) {
                publish([.participantChanged(after)])
            } else if !after.differsInFiguresAlone(from: before) {
                activity.note(before)
            }
        }
        for participant in activity.take({ state.presence.participant($0) }) { followers.tell(.participantChanged(participant), state) }
        followers.tellFigures(of: changed)
    }

    /// - Returns: false where the participant is not there.
    private func followSilence(of id: UUID, _ snapshot: SessionSnapshot) -> Bool {
        guard let participant = participant(id) else { return false }
        switch (snapshot.isInterrupted, participant.awaySince) {
        case (true, nil): report(.away(id, since: now().addingTimeInterval(-Self.silentFor), isUnseated: false))
        // One who comes back by another session is back when that is connected.
        case (false, .some) where snapshot.isConnected: report(.back(id, at: now()))
        default: break
        }
        return true
    }

    // MARK: Followers

    /// Sends what `connection` missed, or a snapshot, and from then on every change that is for it.
    func attach(_ id: UUID, _ connection: any WebSocketConnection, base: String, caller: Caller, after: Int?) {
        let audience = Followers.Audience(base: base, leads: Permissions.leads(caller.user.role))
        let follower = Followers.Follower(connection: connection, audience: audience, user: caller.user.id, session: caller.session)
        followers.attach(id, follower, caller: caller, after: after, state)
    }

    func detach(_ id: UUID) { followers.detach(id) }

    /// What a caller's channel, or where it is nil all channels of its login, is told of what changes often.
    func watch(_ watched: Watched, channel: UUID?, by caller: Caller) throws(Problem) {
        for act in watched.acts where !Permissions.allows(act, for: caller.user.role) { throw Problem(.notAllowed) }
        followers.watch(watched, state) { id, follower in
            channel.map { $0 == id } ?? (follower.session.tokenHash == caller.session.tokenHash)
        }
    }

    /// Ends what hangs on logins that ended: channels and media sessions.
    func end(_ hasEnded: @Sendable (SessionRecord) -> Bool) {
        followers.close(code: 4401, reason: "signed out") { hasEnded($0.session) }
        for (id, login) in logins where hasEnded(login) {
            media.leave(session: mediaSession(of: id))
            report(.left(id, reason: "signedOut"))
        }
    }

    /// Logins on which something hangs.
    var hangingLogins: [SessionRecord] { followers.sessions + logins.values }

    func closeAll(code: UInt16, reason: String) { followers.close(code: code, reason: reason) }

    private func publish(_ notices: [Notice]) {
        for notice in notices {
            switch notice {
            case .participantJoined(let participant), .participantChanged(let participant):
                activity.forget(participant.id)
                absences.follow(participant, meeting: meeting.id)
            case .participantLeft(let id, _):
                activity.forget(id)
                absences.left(id, at: now)
                logins[id] = nil
                mediaSessions[id] = nil
            case .meetingChanged, .participantMeasured, .participantWanted, .removedChanged, .speakerChanged, .meetingEnded, .announced:
                break
            }
            followers.tell(notice, state)
        }
    }
}
