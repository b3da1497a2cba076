import Foundation

/// One meeting while it is looked at: what lasts, who is in, who speaks. A value: commands and time in, events out.
package struct MeetingState: Sendable {
    package private(set) var meeting: Meeting
    package private(set) var speaker: UUID?
    private var present: [UUID: Participant] = [:]

    package init(_ meeting: Meeting) { self.meeting = meeting }

    /// In the order of joining.
    package var participants: [Participant] { present.values.sorted { ($0.joinedAt, $0.id.text) < ($1.joinedAt, $1.id.text) } }
    package var participantCount: Int { present.count }
    package func participant(_ id: UUID) -> Participant? { present[id] }

    /// - Returns: what happened, in order; empty where the command changed nothing.
    /// - Throws: `MeetingRefusal`; the state is then as it was.
    package mutating func apply(_ command: MeetingCommand, by authority: Authority, at now: Date) throws(MeetingRefusal) -> [MeetingEvent] {
        switch command {
        case .start: return try start(by: authority)
        case .end: return try end(by: authority, at: now)
        case .change(let changes): return try change(changes, by: authority)
        case .join(let participant): return try join(participant, by: authority)
        case .connected(let id): return update(id) { $0.media.isConnected = true }
        case .left(let id, let reason): return drop(id, reason: reason)
        case .observe(let id, let media): return observe(id, media)
        case .speaker(let id): return setSpeaker(id)
        case .videoWanted(let id, let wanted): return update(id) { $0.media.isVideoWanted = wanted }
        case .mute(let id, let muted):
            try allow(present[id]?.user, own: .muteSelf, others: .muteOthers, for: id, by: authority)
            return update(id) { $0.isMuted = muted }
        case .camera(let id, let shown):
            try allow(present[id]?.user, own: .cameraSelf, others: .cameraOthers, for: id, by: authority)
            return update(id) { $0.isCameraOff = !shown }
        case .remove(let id):
            try allow(present[id]?.user, own: .leave, others: .remove, for: id, by: authority)
            return drop(id, reason: isOwn(present[id]?.user, authority) ? "left" : "removed")
        case .notice(let text): return [.notice(text)]
        }
    }

    /// Whether somebody may come in, before media is asked for anything.
    package func mayJoin(by authority: Authority) throws(MeetingRefusal) {
        try require(.joinAsViewer, authority)
        guard meeting.phase == .running else { throw .notRunning(meeting.phase) }
        guard !meeting.isLocked else { throw .locked }
        guard present.count < meeting.capacity else { throw .full(capacity: meeting.capacity) }
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

    private mutating func join(_ participant: Participant, by authority: Authority) throws(MeetingRefusal) -> [MeetingEvent] {
        try mayJoin(by: authority)
        try require(participant.kind == .viewer ? .joinAsViewer : .joinWithMedia, authority)
        present[participant.id] = participant
        return [.participantJoined(participant)]
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
        return [.participantChanged(new)]
    }

    private mutating func drop(_ id: UUID, reason: String) -> [MeetingEvent] {
        guard present.removeValue(forKey: id) != nil else { return [] }
        let silence = speaker == id ? setSpeaker(nil) : []
        return silence + [.participantLeft(id, reason: reason)]
    }

    private mutating func touched() -> [MeetingEvent] {
        meeting.version += 1
        return [.meetingChanged(meeting)]
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
