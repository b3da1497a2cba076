import Formats
import Foundation
import Meetings

/// What a follower is told first: all of it but who it is itself, so that one text serves all who ask.
struct Snapshot: Sendable {
    /// Of the last change that it has.
    let sequence: Int
    /// Without the brace at its end.
    private let start: String

    /// Participants that are told in full. Of more than so many, `participants` has those who chair and who speaks, and `roster` has all in short.
    static let mostInFull = 100
    private static let mostInFullOfMany = 8
    /// What a roster may take, so that the snapshot stays below 100 KiB; who does not fit in is read at `/participants?after=`.
    private static let mostRosterBytes = 88 * 1_024

    init(_ state: MeetingState, base: String, leads: Bool, sequence: Int) {
        self.sequence = sequence
        let participants = state.presence.participants
        let isLarge = participants.count > Self.mostInFull
        let inFull = isLarge ? Self.mattering(state) : participants
        var members: [(String, JSONValue)] = [
            ("type", .string("snapshot")), ("sequence", .int(sequence)),
            ("meeting", state.meeting.json(base: base, participants: participants.count)),
            ("participants", .array(inFull.map { $0.json(leads: leads) })), ("speaker", .optional(state.presence.speaker?.text)),
        ]
        if leads { members.append(("removed", state.removedJSON)) }
        var text = String(JSONValue.object(members).text.dropLast())
        if isLarge { text += ",\"roster\":" + Self.roster(participants) }
        start = text
    }

    /// With who the reader is.
    func text(for caller: Caller) -> String {
        let user = JSONValue.object([
            ("id", .string(caller.user.id.text)), ("name", .string(caller.user.name)), ("role", .string(caller.user.role.rawValue)),
        ])
        return start + ",\"you\":" + JSONValue.object([("user", user)]).text + "}"
    }

    /// Who chairs, and who speaks.
    private static func mattering(_ state: MeetingState) -> [Participant] {
        let speaker = state.presence.speaker.flatMap { state.presence.participant($0) }
        let chairs = state.presence.participants.lazy.filter { $0.role == .chair && $0.id != speaker?.id }
        return (speaker.map { [$0] } ?? []) + chairs.prefix(mostInFullOfMany)
    }

    private static func roster(_ participants: [Participant]) -> String {
        var text = "["
        for participant in participants {
            let row = participant.shortJSON.text
            // The end says where to read on.
            guard text.utf8.count + row.utf8.count < mostRosterBytes else { break }
            if text.utf8.count > 1 { text += "," }
            text += row
        }
        return text + "]"
    }
}

extension Participant {
    /// What a list shows, and only what is not as usual: a participant who is connected, with nothing turned off.
    var shortJSON: JSONValue {
        var members: [(String, JSONValue)] = [("id", .string(id.text)), ("name", .string(name))]
        if let site { members.append(("site", .string(site.code))) }
        if role != .participant { members.append(("role", .string(role.rawValue))) }
        if state != .connected { members.append(("state", .string(state.rawValue))) }
        if isMuted { members.append(("muted", .string(isMutedByChair ? "chair" : "self"))) }
        if isCameraOff { members.append(("cameraOff", .string(isCameraOffByChair ? "chair" : "self"))) }
        if media.sharesScreen { members.append(("screen", .bool(true))) }
        return .object(members)
    }
}

extension MeetingState {
    /// Whom chairs keep out.
    var removedJSON: JSONValue {
        .array(
            meeting.restrictions.removed.sorted { ($0.value, $0.key.text) < ($1.value, $1.key.text) }.map { user, name in
                .object([("user", .string(user.text)), ("name", .string(name))])
            })
    }
}

/// Texts of this second, by audience: snapshots, and changes that came after one of them.
struct SnapshotCache {
    /// More that came since, and a new snapshot is less to read.
    static let mostChanges = 64
    /// Addresses come from readers: a stranger's whim of names does not grow this.
    private static let mostAudiences = 8
    private struct Kept {
        var snapshot: Snapshot?
        var changes: [Int: String] = [:]
    }
    private var kept: [Followers.Audience: Kept] = [:]

    mutating func clear() { kept.removeAll(keepingCapacity: true) }

    subscript(audience: Followers.Audience) -> Snapshot? {
        get { kept[audience]?.snapshot }
        set {
            if kept[audience] == nil, kept.count >= Self.mostAudiences { clear() }
            kept[audience] = Kept(snapshot: newValue)
        }
    }

    func text(of sequence: Int, _ audience: Followers.Audience) -> String? { kept[audience]?.changes[sequence] }

    /// Kept only where somebody may still ask for it: behind a snapshot.
    mutating func keep(_ text: String, of sequence: Int, _ audience: Followers.Audience) {
        guard let count = kept[audience]?.changes.count, count <= Self.mostChanges else { return }
        kept[audience]?.changes[sequence] = text
    }
}
