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

extension MeetingEvent {
    /// What those who lead are told, and nobody else.
    var isForLeadersAlone: Bool {
        switch self {
        case .participantMeasured, .removedChanged: true
        default: false
        }
    }
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
                ("state", .string(media.isConnected ? "connected" : "connecting")),
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
                        ("wanted", .bool(media.isVideoWanted)),
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
    var json: JSONValue {
        .object([
            ("lossUp", .double(Self.rounded(lossUp, 1_000))), ("lossDown", .double(Self.rounded(lossDown, 1_000))),
            ("jitterMs", .double(Self.rounded(jitterMilliseconds, 10))),
            ("roundTripMs", roundTripMilliseconds.map { .double(Self.rounded($0, 10)) } ?? .null), ("quality", .string(quality)),
        ])
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

extension MeetingEvent {
    /// A message of the channel.
    /// - Parameters:
    ///   - leads: the reader leads the meeting.
    ///   - removed: logins that are kept out.
    func json(sequence: Int, base: String, participants: Int, leads: Bool, removed: JSONValue) -> JSONValue {
        let (type, more): (String, [(String, JSONValue)]) =
            switch self {
            case .meetingChanged(let meeting): ("meeting.changed", [("meeting", meeting.json(base: base, participants: participants))])
            case .participantJoined(let participant): ("participant.joined", [("participant", participant.json(leads: leads))])
            case .participantChanged(let participant), .participantMeasured(let participant):
                ("participant.changed", [("participant", participant.json(leads: leads))])
            case .removedChanged: ("removed.changed", [("removed", removed)])
            case .participantLeft(let id, let reason):
                ("participant.left", [("participantId", .string(id.text)), ("reason", .string(reason))])
            case .speakerChanged(let id): ("speaker.changed", [("participantId", .optional(id?.text))])
            case .meetingEnded: ("meeting.ended", [])
            case .notice(let text): ("notice", [("text", .string(text))])
            }
        return .object([("type", .string(type)), ("sequence", .int(sequence))] + more)
    }
}
