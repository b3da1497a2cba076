import Formats
import Foundation
import Meetings
import Records
import Store

// How the domain's values look outside. Only what is written here leaves the server.
extension Meeting {
    func json(base: String, participants: Int) -> JSONValue {
        .object([
            ("id", .string(id.text)), ("title", .string(title)), ("state", .string(phase.rawValue)), ("startsAt", .time(startsAt)),
            ("durationMinutes", .int(durationMinutes)), ("endedAt", endedAt.map { .time($0) } ?? .null),
            ("layout", .string(layout.rawValue)),
            ("locked", .bool(isLocked)), ("capacity", .int(capacity)), ("joinURL", .string("\(base)/meetings/\(id.text)")),
            ("createdBy", .string(createdBy.text)), ("createdAt", .time(createdAt)), ("participantCount", .int(participants)),
            ("version", .int(version)),
        ])
    }

    var etag: String { "\"\(version)\"" }
}

extension Participant {
    /// - Parameter leads: the reader leads the meeting, and sees levels and figures of lines.
    func json(leads: Bool) -> JSONValue {
        let figures: [(String, JSONValue)] = leads ? [("tier", .optional(media.tier)), ("line", media.line.json)] : []
        let level: [(String, JSONValue)] = leads ? [("level", .int(media.level))] : []
        return .object(
            [
                ("id", .string(id.text)), ("name", .string(name)), ("site", site?.json ?? .null), ("role", .string(role.rawValue)),
                (
                    "user",
                    .object([("id", .string(user.text)), ("name", .string(account.name)), ("organisation", .string(account.organisation))])
                ),
                ("kind", .string(kind.rawValue)), ("joinedAt", .time(joinedAt)),
                ("state", .string(state.rawValue)), ("interruptedAt", awaySince.map { .time($0) } ?? .null),
                ("absences", .array(absences.map { .array([.time($0.from), .time($0.to)]) })),
                (
                    "audio",
                    .object(
                        [
                            ("sending", .bool(media.isSendingAudio)), ("muted", .bool(isMuted)),
                            ("mutedBy", isMuted ? .string(isMutedByChair ? "chair" : "self") : .null),
                        ] + level)
                ),
                (
                    "video",
                    .object([
                        ("sending", .bool(media.isSendingVideo)), ("muted", .bool(isCameraOff)),
                        ("mutedBy", isCameraOff ? .string(isCameraOffByChair ? "chair" : "self") : .null),
                        ("wanted", .bool(media.wish.isWanted)),
                        ("lines", media.wish.lines.map { .int($0) } ?? .null),
                        ("width", .int(media.width)),
                        ("height", .int(media.height)),
                    ])
                ),
                ("screen", .object([("sending", .bool(media.sharesScreen))])),
                ("speaking", .bool(media.isSpeaking)),
            ] + figures)
    }
}

extension LineState {
    /// In the order of `cells`.
    static let names = ["lossUp", "lossDown", "jitterMs", "roundTripMs", "quality", "jitterDownMs", "bitsPerSecond"]

    var json: JSONValue { .object(Array(zip(Self.names, cells))) }

    var cells: [JSONValue] {
        guard !isSilent else { return [.null, .null, .null, .null, .string("unknown"), .null, .null] }
        return [
            .double(Self.rounded(lossUp, 1_000)), .double(Self.rounded(lossDown, 1_000)), .double(Self.rounded(jitterMilliseconds, 10)),
            roundTripMilliseconds.map { .double(Self.rounded($0, 10)) } ?? .null, .string(quality),
            .double(Self.rounded(jitterDownMilliseconds, 10)), bitsPerSecond.map { .int($0) } ?? .null,
        ]
    }

    private static func rounded(_ value: Double, _ parts: Double) -> Double { (value * parts).rounded() / parts }
}

extension Site {
    var json: JSONValue { .object([("code", .string(code)), ("name", .string(name))]) }
}

extension UserRecord {
    var json: JSONValue {
        .object([
            ("id", .string(id.text)), ("username", .string(username)), ("name", .string(name)), ("role", .string(role.rawValue)),
            ("organisation", .string(organisation)), ("sites", .array(sites.map { .string($0) })), ("disabled", .bool(isDisabled)),
        ])
    }
}

extension AuditEntry {
    var json: JSONValue {
        .object([
            ("id", .string(id.text)), ("at", .time(at)), ("actor", .optional(actor?.text)), ("actorName", .string(actorName)),
            ("action", .string(action)), ("subject", .string(subject)), ("detail", .string(detail)), ("address", .string(address)),
        ])
    }
}

extension Notice {
    /// A message of the channel.
    /// - Parameters:
    ///   - sequence: nil for what is told to a login alone.
    ///   - leads: the reader leads the meeting.
    ///   - state: of the meeting, for what the notice does not carry.
    func json(sequence: Int?, base: String, leads: Bool, of state: MeetingState) -> JSONValue {
        let (type, more): (String, [(String, JSONValue)]) =
            switch self {
            case .meetingChanged(let meeting):
                ("meeting.changed", [("meeting", meeting.json(base: base, participants: state.presence.count))])
            case .participantJoined(let participant): ("participant.joined", [("participant", participant.json(leads: leads))])
            case .participantChanged(let participant), .participantMeasured(let participant), .participantWanted(let participant):
                ("participant.changed", [("participant", participant.json(leads: leads))])
            case .removedChanged: ("removed.changed", [("removed", state.removedJSON)])
            case .participantLeft(let id, let reason):
                ("participant.left", [("participantId", .string(id.text)), ("reason", .string(reason))])
            case .speakerChanged(let id): ("speaker.changed", [("participantId", .optional(id?.text))])
            case .meetingEnded: ("meeting.ended", [])
            case .announced(let text): ("notice", [("text", .string(text))])
            }
        return .object([("type", .string(type))] + (sequence.map { [("sequence", .int($0))] } ?? []) + more)
    }
}
