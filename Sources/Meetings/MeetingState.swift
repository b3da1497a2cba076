import Foundation

/// One meeting while it is looked at: what lasts, who is in, who speaks. A value: commands and time in, events out.
package struct MeetingState: Sendable {
    package private(set) var meeting: Meeting
    package private(set) var speaker: UUID?
    private var present: [UUID: Participant] = [:]
    /// In the order of joining.
    private var order: [UUID] = []
    private var sessionsByUser: [UUID: [UUID]] = [:]
    private var names = NameIndex()

    package init(_ meeting: Meeting) { self.meeting = meeting }

    /// In the order of joining.
    package var participants: [Participant] { order.compactMap { present[$0] } }
    /// The media sessions of a login, in the order of joining.
    package func sessions(of user: UUID) -> [UUID] { sessionsByUser[user] ?? [] }
    package var participantCount: Int { present.count }
    package func participant(_ id: UUID) -> Participant? { present[id] }
    /// Takes `name`, with a number where it looks like somebody else's, for one who is about to join; `giveUpName` when that is done or has failed.
    package mutating func takeName(_ name: String, for user: UUID) -> String {
        let unique = names.unique(name, for: user)
        names.add(unique, of: user)
        return unique
    }

    package mutating func giveUpName(_ name: String, of user: UUID) { names.remove(name, of: user) }

    /// - Returns: what happened, in order; empty where the command changed nothing.
    /// - Throws: `MeetingRefusal`; the state is then as it was.
    package mutating func apply(_ command: MeetingCommand, by authority: Authority, at now: Date) throws(MeetingRefusal) -> [MeetingEvent] {
        switch command {
        case .start: return try start(by: authority)
        case .end: return try end(by: authority, at: now)
        case .change(let changes): return try change(changes, by: authority)
        case .join(let participant, let rule): return try join(participant, rule, by: authority)
        case .connected(let id): return update(id) { $0.media.isConnected = true }
        case .left(let id, let reason): return drop(id, reason: reason)
        case .observe(let id, let media): return observe(id, media)
        case .speaker(let id): return setSpeaker(id)
        case .videoWanted(let id, let wanted): return update(id) { $0.media.isVideoWanted = wanted }
        case .mute(let id, let muted):
            try allow(present[id]?.user, own: .muteSelf, others: .muteOthers, for: id, by: authority)
            return try mute(id, muted, by: authority)
        case .camera(let id, let shown):
            try allow(present[id]?.user, own: .cameraSelf, others: .cameraOthers, for: id, by: authority)
            return try camera(id, shown: shown, by: authority)
        case .remove(let id):
            try allow(present[id]?.user, own: .leave, others: .remove, for: id, by: authority)
            return remove(id, by: authority)
        case .readmit(let user):
            try require(.remove, authority)
            guard meeting.restrictions.removed.removeValue(forKey: user) != nil else { return [] }
            return touched() + [.removedChanged]
        case .became(let id, let kind, let role): return update(id) { ($0.kind, $0.role) = (kind, role) }
        case .notice(let text): return [.notice(text)]
        }
    }

    /// Whether somebody may come in, before media is asked for anything. Who leads the meeting finds a seat in a full one too.
    /// - Parameter rule: how many seats the login may have.
    package func mayJoin(by authority: Authority, _ rule: SeatRule = .usual) throws(MeetingRefusal) {
        try require(.joinAsViewer, authority)
        guard meeting.phase == .running else { throw .notRunning(meeting.phase) }
        if case .user(let id, _) = authority {
            guard leads(authority) || meeting.restrictions.removed[id] == nil else { throw .keptOut }
            let own = sessions(of: id)
            guard own.count < rule.most else { throw .tooManySessions(most: rule.most) }
            let connecting = own.count { present[$0]?.media.isConnected == false }
            guard connecting < rule.mostConnecting else { throw .tooManyConnecting(retryAfterSeconds: 10) }
        }
        guard !meeting.isLocked else { throw .locked }
        guard present.count < meeting.capacity || goesBeyondCapacity(authority) else { throw .full(capacity: meeting.capacity) }
    }

    /// Who leads finds a seat in a full meeting, but does not fill a second one with seats of one login.
    package func goesBeyondCapacity(_ authority: Authority) -> Bool {
        guard case .user(let id, _) = authority else { return true }
        return leads(authority) && sessions(of: id).count < SeatRule.mostBeyondCapacity
    }

    /// Whose seat a newcomer takes in a full meeting: the oldest that was not connected within `patience`.
    package func seatToFree(at now: Date, patience: TimeInterval) -> UUID? {
        guard present.count >= meeting.capacity else { return nil }
        return order.first { id in
            present[id].map { !$0.media.isConnected && now.timeIntervalSince($0.joinedAt) >= patience } ?? false
        }
    }

    /// Takes the version that the store gave.
    package mutating func stored(_ meeting: Meeting) { self.meeting = meeting }
}

extension MeetingState {
    private mutating func start(by authority: Authority) throws(MeetingRefusal) -> [MeetingEvent] {
        try require(.startMeeting, authority)
        switch meeting.phase {
        case .running: return []
        case .ended: throw .alreadyEnded
        case .scheduled:
            meeting.phase = .running
            return touched()
        }
    }

    private mutating func end(by authority: Authority, at now: Date) throws(MeetingRefusal) -> [MeetingEvent] {
        try require(.endMeeting, authority)
        switch meeting.phase {
        case .ended: return []
        case .scheduled: throw .notRunning(.scheduled)
        case .running:
            let gone = participants.flatMap { drop($0.id, reason: "meetingEnded") }
            meeting.phase = .ended
            meeting.endedAt = now
            return gone + touched() + [.meetingEnded]
        }
    }

    private mutating func change(_ changes: MeetingChanges, by authority: Authority) throws(MeetingRefusal) -> [MeetingEvent] {
        try require(changes.requiredAct, authority)
        guard meeting.phase != .ended else { throw .alreadyEnded }
        if let capacity = changes.capacity, capacity < present.count { throw .capacityBelowPresent(present: present.count) }
        let before = meeting
        meeting.title = changes.title ?? meeting.title
        meeting.startsAt = changes.startsAt ?? meeting.startsAt
        meeting.durationMinutes = changes.durationMinutes ?? meeting.durationMinutes
        meeting.layout = changes.layout ?? meeting.layout
        meeting.isLocked = changes.isLocked ?? meeting.isLocked
        meeting.capacity = changes.capacity ?? meeting.capacity
        return meeting == before ? [] : touched()
    }

    private mutating func join(
        _ participant: Participant, _ rule: SeatRule, by authority: Authority
    ) throws(MeetingRefusal) -> [MeetingEvent] {
        // Asked again: others may have come in while media made its answer.
        try mayJoin(by: authority, rule)
        try require(participant.kind == .viewer ? .joinAsViewer : .joinWithMedia, authority)
        var participant = participant
        if participant.isPersonal {
            let (isMuted, isHidden) = (
                meeting.restrictions.muted.contains(participant.user), meeting.restrictions.hidden.contains(participant.user)
            )
            (participant.isMuted, participant.isMutedByChair) = (isMuted, isMuted)
            (participant.isCameraOff, participant.isCameraOffByChair) = (isHidden, isHidden)
        }
        if present.updateValue(participant, forKey: participant.id) == nil {
            names.add(participant.name, of: participant.user)
            order.append(participant.id)
            sessionsByUser[participant.user, default: []].append(participant.id)
        }
        return [.participantJoined(participant)]
    }

    /// By oneself for this session; by a chair for the person, who cannot lift it.
    private mutating func mute(_ id: UUID, _ muted: Bool, by authority: Authority) throws(MeetingRefusal) -> [MeetingEvent] {
        guard let participant = present[id] else { return [] }
        let isChairs = isChairs(participant, authority)
        guard isChairs || muted || !participant.isMutedByChair else { throw .mutedByChair }
        guard isChairs else { return update(id) { $0.isMuted = muted } }
        var events: [MeetingEvent] = []
        for session in reach(of: participant) {
            events += update(session) { ($0.isMuted, $0.isMutedByChair) = (muted, muted) }
        }
        guard participant.isPersonal, participant.role != .chair else { return events }
        let before = meeting.restrictions
        if muted { meeting.restrictions.muted.insert(participant.user) } else { meeting.restrictions.muted.remove(participant.user) }
        return events + (meeting.restrictions == before ? [] : touched())
    }

    private mutating func camera(_ id: UUID, shown: Bool, by authority: Authority) throws(MeetingRefusal) -> [MeetingEvent] {
        guard let participant = present[id] else { return [] }
        let isChairs = isChairs(participant, authority)
        guard isChairs || !shown || !participant.isCameraOffByChair else { throw .cameraOffByChair }
        guard isChairs else { return update(id) { $0.isCameraOff = !shown } }
        var events: [MeetingEvent] = []
        for session in reach(of: participant) {
            events += update(session) { ($0.isCameraOff, $0.isCameraOffByChair) = (!shown, !shown) }
        }
        guard participant.isPersonal, participant.role != .chair else { return events }
        let before = meeting.restrictions
        if shown { meeting.restrictions.hidden.remove(participant.user) } else { meeting.restrictions.hidden.insert(participant.user) }
        return events + (meeting.restrictions == before ? [] : touched())
    }

    private mutating func remove(_ id: UUID, by authority: Authority) -> [MeetingEvent] {
        guard let participant = present[id] else { return [] }
        guard isChairs(participant, authority) else { return drop(id, reason: "left") }
        let events = reach(of: participant).flatMap { drop($0, reason: "removed") }
        guard participant.isPersonal, participant.role != .chair, meeting.restrictions.removed[participant.user] == nil else {
            return events
        }
        meeting.restrictions.removed[participant.user] = participant.name
        return events + touched() + [.removedChanged]
    }

    /// Whether it is somebody else's decision, or one of somebody who leads about a session that another chair restricted.
    private func isChairs(_ participant: Participant, _ authority: Authority) -> Bool {
        leads(authority) && (!isOwn(participant.user, authority) || participant.isMutedByChair || participant.isCameraOffByChair)
    }

    /// What a decision about one session reaches: all sessions of a person.
    private func reach(of participant: Participant) -> [UUID] {
        participant.isPersonal && participant.role != .chair ? sessions(of: participant.user) : [participant.id]
    }

    private mutating func observe(_ id: UUID, _ media: ParticipantMedia) -> [MeetingEvent] {
        guard let old = present[id]?.media, media.differs(from: old) else { return [] }
        return update(id) { $0.media = media }
    }

    private mutating func setSpeaker(_ id: UUID?) -> [MeetingEvent] {
        let known = id.flatMap { present[$0] == nil ? nil : $0 }
        guard known != speaker else { return [] }
        speaker = known
        return [.speakerChanged(known)]
    }

    private mutating func update(_ id: UUID, _ change: (inout Participant) -> Void) -> [MeetingEvent] {
        guard let old = present[id] else { return [] }
        var new = old
        change(&new)
        guard new != old else { return [] }
        present[id] = new
        return [new.differsInFiguresAlone(from: old) ? .participantMeasured(new) : .participantChanged(new)]
    }

    private mutating func drop(_ id: UUID, reason: String) -> [MeetingEvent] {
        guard let gone = present.removeValue(forKey: id) else { return [] }
        names.remove(gone.name, of: gone.user)
        order.removeAll { $0 == id }
        sessionsByUser[gone.user]?.removeAll { $0 == id }
        if sessionsByUser[gone.user]?.isEmpty == true { sessionsByUser[gone.user] = nil }
        let silence = speaker == id ? setSpeaker(nil) : []
        return silence + [.participantLeft(id, reason: reason)]
    }

    private mutating func touched() -> [MeetingEvent] {
        meeting.version += 1
        return [.meetingChanged(meeting)]
    }

    private func leads(_ authority: Authority) -> Bool {
        guard case .user(_, let role) = authority else { return true }
        return Permissions.leads(role)
    }

    private func isOwn(_ user: UUID?, _ authority: Authority) -> Bool {
        guard case .user(let id, _) = authority else { return false }
        return id == user
    }

    private func allow(_ owner: UUID?, own: Act, others: Act, for id: UUID, by authority: Authority) throws(MeetingRefusal) {
        // Whether somebody is in is told only to those who may act on others anyway: all who see the meeting see its participants.
        guard let owner else { throw .unknownParticipant(id) }
        try require(isOwn(owner, authority) ? own : others, authority)
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
