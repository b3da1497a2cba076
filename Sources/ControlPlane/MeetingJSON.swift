import Formats
import Foundation
import Meetings
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
    var json: JSONValue {
        .object([
            ("id", .string(id.text)), ("name", .string(name)), ("site", site?.json ?? .null), ("role", .string(role.rawValue)),
            ("kind", .string(kind.rawValue)), ("joinedAt", .time(joinedAt)),
            ("state", .string(media.isConnected ? "connected" : "connecting")),
            (
                "audio",
                .object([("sending", .bool(media.isSendingAudio)), ("muted", .bool(isMuted)), ("level", .int(media.level))])
            ),
            (
                "video",
                .object([
                    ("sending", .bool(media.isSendingVideo)), ("muted", .bool(isCameraOff)), ("wanted", .bool(media.isVideoWanted)),
                    ("width", .int(media.width)),
                    ("height", .int(media.height)),
                ])
            ),
            ("screen", .object([("sending", .bool(media.sharesScreen))])),
            ("speaking", .bool(media.isSpeaking)), ("tier", .optional(media.tier)), ("line", media.line.json),
        ])
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
            ("organisation", .string(organisation)),
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
    func json(sequence: Int, base: String, participants: Int) -> JSONValue {
        let (type, more): (String, [(String, JSONValue)]) =
            switch self {
            case .meetingChanged(let meeting): ("meeting.changed", [("meeting", meeting.json(base: base, participants: participants))])
            case .participantJoined(let participant): ("participant.joined", [("participant", participant.json)])
            case .participantChanged(let participant): ("participant.changed", [("participant", participant.json)])
            case .participantLeft(let id, let reason):
                ("participant.left", [("participantId", .string(id.text)), ("reason", .string(reason))])
            case .speakerChanged(let id): ("speaker.changed", [("participantId", .optional(id?.text))])
            case .meetingEnded: ("meeting.ended", [])
            case .notice(let text): ("notice", [("text", .string(text))])
            }
        return .object([("type", .string(type)), ("sequence", .int(sequence))] + more)
    }
}
