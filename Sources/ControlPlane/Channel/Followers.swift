import Formats
import Foundation
import Meetings
import Records
import WebServer

/// Those who follow one meeting, in groups that are told the same words: a text is made once for each group, however many are in it.
struct Followers {
    /// Who is told the same.
    struct Audience: Hashable {
        /// Scheme and authority of links.
        var base: String
        /// Told what is for those who lead the meeting too.
        var leads: Bool
    }
    struct Follower {
        let connection: any WebSocketConnection
        let audience: Audience
        let user: UUID
        let session: SessionRecord
    }

    private var all: [UUID: Follower] = [:]
    private var groups: [Audience: Set<UUID>] = [:]
    private var byUser: [UUID: Set<UUID>] = [:]
    private var watches: [UUID: Watched] = [:]
    /// What those who lead are told, and what everybody is: each numbered without holes.
    private var leading: ChangeLog
    private var everybody: ChangeLog
    private var snapshots = SnapshotCache()
    private let counts: ChannelCounts

    /// - Parameter first: see `ChangeLog`.
    init(startingAfter first: Int, counts: ChannelCounts) {
        self.counts = counts
        leading = ChangeLog(startingAfter: first)
        everybody = ChangeLog(startingAfter: first)
    }

    var count: Int { all.count }
    func count(of user: UUID) -> Int { byUser[user]?.count ?? 0 }
    var sessions: [SessionRecord] { all.values.map(\.session) }

    // MARK: Coming and going

    /// Sends what the follower missed, or a snapshot, and from then on every change.
    mutating func attach(_ id: UUID, _ follower: Follower, caller: Caller, after: Int?, _ state: MeetingState) {
        all[id] = follower
        groups[follower.audience, default: []].insert(id)
        byUser[follower.user, default: []].insert(id)
        let log = follower.audience.leads ? leading : everybody
        let watched = follower.audience.leads ? Watched.all : []
        if let missed = after.flatMap({ log.changes(after: $0) }) {
            for change in missed { send(text(of: change, follower.audience, state), to: id) }
            tellOwn(id, follower, state)
        } else {
            sendSnapshot(to: id, follower, caller, log, state)
        }
        guard !watched.isEmpty, all[id] != nil else { return }
        watches[id] = watched
        // The full snapshot of a small meeting has every figure; what was missed has not, nor has the short list of a large one.
        if after != nil || state.presence.count > Snapshot.mostInFull { send(figures(of: state.presence.participants, watched), to: id) }
    }

    mutating func detach(_ id: UUID) {
        guard let gone = all.removeValue(forKey: id) else { return }
        watches[id] = nil
        groups[gone.audience]?.remove(id)
        if groups[gone.audience]?.isEmpty == true { groups[gone.audience] = nil }
        byUser[gone.user]?.remove(id)
        if byUser[gone.user]?.isEmpty == true { byUser[gone.user] = nil }
    }

    mutating func close(code: UInt16, reason: String, where isMeant: (Follower) -> Bool = { _ in true }) {
        for (id, follower) in all where isMeant(follower) {
            follower.connection.close(code: code, reason: reason)
            detach(id)
        }
    }

    /// - Parameter isMeant: whose channels; each is told at once what it watches, and from then on what changes of it.
    mutating func watch(_ watched: Watched, _ state: MeetingState, where isMeant: (UUID, Follower) -> Bool) {
        let meant = all.filter { isMeant($0.key, $0.value) }.keys
        let text = watched.isEmpty || meant.isEmpty ? nil : figures(of: state.presence.participants, watched)
        for id in meant {
            watches[id] = watched.isEmpty ? nil : watched
            if let text { send(text, to: id) }
        }
    }

    // MARK: Telling

    /// Tells those whom it is for, and nobody else.
    mutating func tell(_ notice: Notice, _ state: MeetingState) {
        switch notice.audience {
        case .everybody:
            tell(leading.append(notice), leads: true, state)
            tell(everybody.append(notice), leads: false, state)
        case .leading: tell(leading.append(notice), leads: true, state)
        case .login(let user):
            tell(leading.append(notice), leads: true, state)
            // Not numbered: the others' numbers would have holes. Who comes back is told its own anew.
            var texts: [Audience: String] = [:]
            for id in byUser[user] ?? [] {
                guard let audience = all[id]?.audience, !audience.leads else { continue }
                let text = texts[audience] ?? text(of: notice, number: nil, audience, state)
                texts[audience] = text
                send(text, to: id)
            }
        case .watching: break
        }
    }

    private mutating func tell(_ change: NumberedChange, leads: Bool, _ state: MeetingState) {
        for (audience, ids) in groups where audience.leads == leads {
            let text = text(of: change, audience, state)
            for id in ids { send(text, to: id) }
        }
    }

    /// Once a second: what changed of levels and lines, one table for those who watch the same.
    mutating func tellFigures(of changed: [Participant]) {
        snapshots.clear()
        guard !changed.isEmpty else { return }
        var texts: [Watched: String] = [:]
        for (id, watched) in watches {
            let text = texts[watched] ?? figures(of: changed, watched)
            texts[watched] = text
            send(text, to: id)
        }
    }

    private mutating func send(_ text: String, to id: UUID) {
        guard let follower = all[id] else { return }
        counts.messages.add(1, ordering: .relaxed)
        guard follower.connection.send(text) else {
            // It does not read; it will come back and ask for what it missed.
            follower.connection.close(code: 1013, reason: "too slow")
            detach(id)
            return
        }
    }

    // MARK: Texts

    private mutating func text(of change: NumberedChange, _ audience: Audience, _ state: MeetingState) -> String {
        if let made = snapshots.text(of: change.sequence, audience) { return made }
        let text = text(of: change.notice, number: change.sequence, audience, state)
        snapshots.keep(text, of: change.sequence, audience)
        return text
    }

    private mutating func text(of notice: Notice, number: Int?, _ audience: Audience, _ state: MeetingState) -> String {
        counts.texts.add(1, ordering: .relaxed)
        return notice.json(sequence: number, base: audience.base, leads: audience.leads, of: state).text
    }

    private mutating func figures(of participants: [Participant], _ watched: Watched) -> String {
        counts.texts.add(1, ordering: .relaxed)
        return FiguresTable(participants, watched).json.text
    }

    /// The same one for all who ask in the same second, and after it what has happened since.
    private mutating func sendSnapshot(to id: UUID, _ follower: Follower, _ caller: Caller, _ log: ChangeLog, _ state: MeetingState) {
        var made = snapshots[follower.audience]
        var since = made.flatMap { log.changes(after: $0.sequence) }
        let isNew = since == nil || since?.count ?? 0 > SnapshotCache.mostChanges
        if isNew {
            counts.texts.add(1, ordering: .relaxed)
            made = Snapshot(state, base: follower.audience.base, leads: follower.audience.leads, sequence: log.sequence)
            since = []
            snapshots[follower.audience] = made
        }
        guard let made, let since else { return }
        send(made.text(for: caller), to: id)
        for change in since { send(text(of: change, follower.audience, state), to: id) }
        if !isNew { tellOwn(id, follower, state) }
    }

    /// What is told to a login alone has no number, so it is told again as it is now.
    private mutating func tellOwn(_ id: UUID, _ follower: Follower, _ state: MeetingState) {
        guard !follower.audience.leads else { return }
        for session in state.presence.sessions(of: follower.user) {
            guard let participant = state.presence.participant(session) else { continue }
            send(text(of: .participantWanted(participant), number: nil, follower.audience, state), to: id)
        }
    }
}
