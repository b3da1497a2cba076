import Formats
import Foundation
import Meetings

/// A command as it comes over the channel or by POST: `{"id", "type", …}`.
struct SentCommand: Sendable {
    /// Given back with the answer, whatever it is.
    var id: JSONValue?
    var type: String
    var action: Action

    enum Action: Equatable, Sendable {
        case orders([Order])
        case watch(Watched)
    }

    /// - Parameter own: the media sessions of the sender, for commands that mean oneself.
    init(_ value: JSONValue, own: [UUID]) throws(Problem) {
        guard case .string(let type)? = value["type"] else { throw .field(.missingField, "type") }
        guard let kind = CommandKind.byType[type] else {
            throw Problem(.unknownCommand, [String(type.prefix(40)), CommandKind.all.map(\.type).joined(separator: ", ")])
        }
        id = value["id"]
        self.type = type
        do { action = try kind.read(value, own) } catch { throw Problem(error) }
    }
}

/// One type of command: what it must hold, and what is done by it.
struct CommandKind: Sendable {
    let type: String
    /// Of the whole message.
    let shape: Shape
    let read: @Sendable (JSONValue, _ own: [UUID]) throws(RequestFault) -> SentCommand.Action

    init<Body: Declared>(_ type: String, _: Body.Type, _ action: @escaping @Sendable (Body, _ own: [UUID]) -> SentCommand.Action) {
        self.type = type
        let envelope = [MemberShape("id", .anything, isRequired: false), MemberShape("type", .choice([type]), isRequired: true)]
        shape = Body.members.shape(besides: envelope)
        read = { value, own throws(RequestFault) in action(try Body(value, besides: envelope.map(\.name)), own) }
    }

    static let all: [CommandKind] = [
        CommandKind("mute", MuteCommand.self) { command, _ in .orders([.mute(command.participant, command.isMuted)]) },
        CommandKind("camera", CameraCommand.self) { command, _ in .orders([.camera(command.participant, shown: command.isShown)]) },
        CommandKind("layout", LayoutCommand.self) { command, _ in .orders([.change(command.changes)]) },
        CommandKind("remove", RemoveCommand.self) { command, _ in .orders([.remove(command.participant)]) },
        CommandKind("readmit", ReadmitCommand.self) { command, _ in .orders([.readmit(command.user)]) },
        CommandKind("lock", LockCommand.self) { command, _ in .orders([.change(command.changes)]) },
        CommandKind("leave", LeaveCommand.self) { command, own in
            .orders((command.participant.map { [$0] } ?? own).map { .remove($0) })
        },
        CommandKind("watch", WatchCommand.self) { command, _ in .watch(Watched(command.what)) },
    ]
    static let byType = Dictionary(uniqueKeysWithValues: all.map { ($0.type, $0) })
}

struct MuteCommand: Declared {
    var participant = UUID()
    var isMuted = false
    static let members = Members<Self>(
        .required("participantId", \.participant, .participant), .required("muted", \.isMuted, .bool))
}

struct CameraCommand: Declared {
    var participant = UUID()
    var isShown = false
    static let members = Members<Self>(
        .required("participantId", \.participant, .participant), .required("shown", \.isShown, .bool))
}

struct RemoveCommand: Declared {
    var participant = UUID()
    static let members = Members<Self>(.required("participantId", \.participant, .participant))
}

/// Without a participant: all media sessions of the sender.
struct LeaveCommand: Declared {
    var participant: UUID?
    static let members = Members<Self>(.optional("participantId", \.participant, .participant))
}

struct LayoutCommand: Declared {
    var layout = MeetingLayout.speaker
    static let members = Members<Self>(.required("layout", \.layout, .choice))
    var changes: MeetingChanges {
        var changes = MeetingChanges()
        changes.layout = layout
        return changes
    }
}

struct LockCommand: Declared {
    var isLocked = false
    static let members = Members<Self>(.required("locked", \.isLocked, .bool))
    var changes: MeetingChanges {
        var changes = MeetingChanges()
        changes.isLocked = isLocked
        return changes
    }
}

struct ReadmitCommand: Declared {
    var user = UUID()
    static let members = Members<Self>(.required("user", \.user, .identifier))
}
