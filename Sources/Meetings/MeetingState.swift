import Foundation

/// One meeting while it is looked at: what lasts, and who is in. A value; the clock is an argument.
///
/// An order is decided (`decide`, which alone refuses), what lasts of it is stored, and then it is carried out (`evolve`, `take`), which cannot fail: between
/// the two, media may report what it likes.
package struct MeetingState: Sendable {
    /// What lasts; its version counts events.
    package private(set) var meeting: Meeting
    /// What does not.
    package private(set) var presence = Presence()

    package init(_ meeting: Meeting) { self.meeting = meeting }

    /// - Throws: why not. Nothing has changed, whatever it comes to.
    package func decide(_ order: Order, by authority: Authority, at now: Date) throws(MeetingRefusal) -> Decision {
        switch order {
        case .start: return try start(by: authority)
        case .end: return try end(by: authority, at: now)
        case .change(let changes): return try change(changes, by: authority)
        case .join(let participant, let rule): return try join(participant, rule, by: authority)
        case .mute(let id, let muted): return try mute(id, muted, by: authority)
        case .camera(let id, let shown): return try camera(id, shown: shown, by: authority)
        case .remove(let id): return try remove(id, by: authority)
        case .readmit(let user):
            try require(.remove, authority)
            return Decision(events: meeting.restrictions.removed[user] == nil ? [] : [.personReadmitted(user)])
        }
    }

    /// Takes what was decided and stored.
    /// - Returns: what screens are told, in order.
    package mutating func evolve(_ event: Event) -> [Notice] {
        meeting.evolve(event)
        let notices = presence.follow(event) + [.meetingChanged(meeting)]
        switch event {
        case .ended: return notices + [.meetingEnded]
        case .personRemoved, .personReadmitted: return notices + [.removedChanged]
        case .created, .started, .changed, .personMuted, .personHidden: return notices
        }
    }

    package mutating func take(_ fact: Fact) -> [Notice] { presence.take(fact) }

    /// Takes a newer version that somebody else has stored.
    /// - Returns: what happened between, and what screens are told of it.
    package mutating func catchUp(with stored: Meeting) -> (events: [Event], notices: [Notice]) {
        let events = meeting.events(to: stored)
        var notices: [Notice] = []
        for event in events {
            notices += evolve(event).filter { if case .meetingChanged = $0 { false } else { true } }
        }
        meeting = stored
        return (events, [.meetingChanged(stored)] + notices)
    }

    /// Whether somebody asks for what concerns their own media session alone. That need not wait for what others ordered: it comes to the same as if it had been
    /// said just before.
    package func isOwnAffair(_ order: Order, of authority: Authority) -> Bool {
        switch order {
        case .join: true
        case .mute(let id, _), .camera(let id, _), .remove(let id): isOwn(presence.participant(id)?.user, authority)
        case .start, .end, .change, .readmit: false
        }
    }

    /// Takes `name`, with a number where it looks like somebody else's, for one who is about to join; `giveUpName` when that is done or has failed.
    package mutating func takeName(_ name: String, for user: UUID) -> String { presence.takeName(name, for: user) }

    package mutating func giveUpName(_ name: String, of user: UUID) { presence.giveUpName(name, of: user) }
}

// Coming in.
extension MeetingState {
    /// Whether somebody may come in, before media is asked for anything. Who leads the meeting finds a seat in a full one too.
    /// - Parameter rule: how many seats the login may have.
    package func mayJoin(by authority: Authority, _ rule: SeatRule = .usual) throws(MeetingRefusal) {
        try require(.joinAsViewer, authority)
        guard meeting.phase == .running else { throw .notRunning(meeting.phase) }
        if case .user(let id, _) = authority {
            guard leads(authority) || meeting.restrictions.removed[id] == nil else { throw .keptOut }
            let own = presence.sessions(of: id)
            guard own.count < rule.most else { throw .tooManySessions(most: rule.most) }
            let connecting = own.count { presence.participant($0)?.state == .connecting }
            guard connecting < rule.mostConnecting else { throw .tooManyConnecting(retryAfterSeconds: 10) }
        }
        guard !meeting.isLocked else { throw .locked }
        guard presence.count < meeting.capacity || goesBeyondCapacity(authority) else { throw .full(capacity: meeting.capacity) }
    }

    /// Whether somebody may come back to a seat that it has. Neither a lock nor a full meeting nor the number of its sessions is in the way.
    package func mayReturn(as kind: ParticipantKind, by authority: Authority) throws(MeetingRefusal) {
        try require(kind == .viewer ? .joinAsViewer : .joinWithMedia, authority)
        guard meeting.phase == .running else { throw .notRunning(meeting.phase) }
        guard case .user(let id, _) = authority, !leads(authority) else { return }
        guard meeting.restrictions.removed[id] == nil else { throw .keptOut }
    }

    /// Who leads finds a seat in a full meeting, but does not fill a second one with seats of one login.
    package func goesBeyondCapacity(_ authority: Authority) -> Bool {
        guard case .user(let id, _) = authority else { return true }
        return leads(authority) && presence.sessions(of: id).count < SeatRule.mostBeyondCapacity
    }

    /// Whose seat a newcomer takes in a full meeting: the oldest that was not connected within `patience`.
    package func seatToFree(at now: Date, patience: TimeInterval) -> UUID? {
        presence.count >= meeting.capacity ? presence.neverConnected(at: now, patience: patience) : nil
    }

    private func join(_ participant: Participant, _ rule: SeatRule, by authority: Authority) throws(MeetingRefusal) -> Decision {
        // Asked again: others may have come in while media made its answer.
        try mayJoin(by: authority, rule)
        try require(participant.kind == .viewer ? .joinAsViewer : .joinWithMedia, authority)
        var participant = participant
        if participant.isPersonal {
            participant.isMuted = meeting.restrictions.muted.contains(participant.user)
            participant.isMutedByChair = participant.isMuted
            participant.isCameraOff = meeting.restrictions.hidden.contains(participant.user)
            participant.isCameraOffByChair = participant.isCameraOff
        }
        return Decision(facts: [.joined(participant)])
    }
}

// What each order comes to.
extension MeetingState {
    private func start(by authority: Authority) throws(MeetingRefusal) -> Decision {
        try require(.startMeeting, authority)
        switch meeting.phase {
        case .running: return Decision()
        case .ended: throw .alreadyEnded
        case .scheduled: return Decision(events: [.started])
        }
    }

    private func end(by authority: Authority, at now: Date) throws(MeetingRefusal) -> Decision {
        try require(.endMeeting, authority)
        switch meeting.phase {
        case .ended: return Decision()
        case .scheduled: throw .notRunning(.scheduled)
        case .running: return Decision(events: [.ended(at: now.toTheMillisecond)])
        }
    }

    private func change(_ changes: MeetingChanges, by authority: Authority) throws(MeetingRefusal) -> Decision {
        try require(changes.requiredAct, authority)
        guard meeting.phase != .ended else { throw .alreadyEnded }
        if let capacity = changes.capacity, capacity < presence.count { throw .capacityBelowPresent(present: presence.count) }
        var asked = changes
        asked.startsAt = changes.startsAt?.toTheMillisecond
        var wanted = meeting
        wanted.evolve(.changed(asked))
        let differences = MeetingChanges(from: meeting, to: wanted)
        return Decision(events: differences.isEmpty ? [] : [.changed(differences)])
    }

    /// By oneself for this session; by a chair for the person, who cannot lift it.
    private func mute(_ id: UUID, _ muted: Bool, by authority: Authority) throws(MeetingRefusal) -> Decision {
        let participant = try participant(id, own: .muteSelf, others: .muteOthers, authority)
        let isChairs = isChairs(participant, authority)
        guard isChairs || muted || !participant.isMutedByChair else { throw .mutedByChair }
        guard isChairs else { return Decision(facts: [.muted(id, muted, byChair: false)]) }
        let isNew = participant.isPerson && meeting.restrictions.muted.contains(participant.user) != muted
        return Decision(
            events: isNew ? [.personMuted(participant.user, muted)] : [],
            facts: reach(of: participant).map { .muted($0, muted, byChair: true) })
    }

    private func camera(_ id: UUID, shown: Bool, by authority: Authority) throws(MeetingRefusal) -> Decision {
        let participant = try participant(id, own: .cameraSelf, others: .cameraOthers, authority)
        let isChairs = isChairs(participant, authority)
        guard isChairs || !shown || !participant.isCameraOffByChair else { throw .cameraOffByChair }
        guard isChairs else { return Decision(facts: [.cameraOff(id, !shown, byChair: false)]) }
        let isNew = participant.isPerson && meeting.restrictions.hidden.contains(participant.user) == shown
        return Decision(
            events: isNew ? [.personHidden(participant.user, !shown)] : [],
            facts: reach(of: participant).map { .cameraOff($0, !shown, byChair: true) })
    }

    private func remove(_ id: UUID, by authority: Authority) throws(MeetingRefusal) -> Decision {
        let participant = try participant(id, own: .leave, others: .remove, authority)
        guard isChairs(participant, authority) else { return Decision(facts: [.left(id, reason: "left")]) }
        let isNew = participant.isPerson && meeting.restrictions.removed[participant.user] == nil
        return Decision(
            events: isNew ? [.personRemoved(participant.user, name: participant.name)] : [],
            facts: reach(of: participant).map { .left($0, reason: "removed") })
    }

    /// Whether it is somebody else's decision, or one of somebody who leads about a session that another chair restricted.
    private func isChairs(_ participant: Participant, _ authority: Authority) -> Bool {
        leads(authority) && (!isOwn(participant.user, authority) || participant.isMutedByChair || participant.isCameraOffByChair)
    }

    /// What a decision about one session reaches: all sessions of a person.
    private func reach(of participant: Participant) -> [UUID] {
        participant.isPerson ? presence.personalSessions(of: participant.user) : [participant.id]
    }
}

// Who may.
extension MeetingState {
    private func leads(_ authority: Authority) -> Bool {
        guard case .user(_, let role) = authority else { return true }
        return Permissions.leads(role)
    }

    private func isOwn(_ user: UUID?, _ authority: Authority) -> Bool {
        guard case .user(let id, _) = authority else { return false }
        return id == user
    }

    /// The participant, where `authority` may do this to it.
    private func participant(_ id: UUID, own: Act, others: Act, _ authority: Authority) throws(MeetingRefusal) -> Participant {
        // Whether somebody is in is told only to those who may act on others anyway: all who see the meeting see its participants.
        guard let participant = presence.participant(id) else { throw .unknownParticipant(id) }
        try require(isOwn(participant.user, authority) ? own : others, authority)
        return participant
    }

    private func require(_ act: Act, _ authority: Authority) throws(MeetingRefusal) {
        guard case .user(_, let role) = authority else { return }
        guard Permissions.allows(act, for: role) else { throw .notAllowed(act) }
    }
}

extension MeetingChanges {
    /// The narrowest act that covers the changes.
    package var requiredAct: Act {
        var (withoutLayout, withoutLock) = (self, self)
        withoutLayout.layout = nil
        withoutLock.isLocked = nil
        if withoutLayout.isEmpty { return .setLayout }
        return withoutLock.isEmpty ? .lock : .changeMeeting
    }
}
