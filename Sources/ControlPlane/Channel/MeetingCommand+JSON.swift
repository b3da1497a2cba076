import Formats
import Foundation
import Meetings

/// A command as it comes over the channel or by POST: `{"id", "type", …}`.
struct SentCommand: Sendable {
    /// Given back with the answer, whatever it is.
    var id: JSONValue?
    var type: String
    var orders: [Order]

    static let types = ["mute", "camera", "layout", "remove", "readmit", "lock", "leave"]

    /// - Parameter own: the media sessions of the sender, for commands that mean oneself.
    init(_ value: JSONValue, own: [UUID]) throws(Problem) {
        guard case .string(let type)? = value["type"] else { throw .field(.missingField, "type") }
        guard Self.types.contains(type) else {
            throw Problem(.unknownCommand, [String(type.prefix(40)), Self.types.joined(separator: ", ")])
        }
        (id, self.type) = (value["id"], type)
        let fields = try Fields(value, known: ["id", "type", "participantId"] + Self.member(of: type))
        switch type {
        case "mute": orders = [.mute(try Self.target(fields), try Fields.need(try fields.bool("muted"), "muted"))]
        case "camera": orders = [.camera(try Self.target(fields), shown: try Fields.need(try fields.bool("shown"), "shown"))]
        case "layout":
            var changes = MeetingChanges()
            changes.layout = try Fields.need(try fields.choice("layout", MeetingLayout.self), "layout")
            orders = [.change(changes)]
        case "lock":
            var changes = MeetingChanges()
            changes.isLocked = try Fields.need(try fields.bool("locked"), "locked")
            orders = [.change(changes)]
        case "readmit":
            let text = try Fields.need(try fields.string("user"), "user")
            guard let user = UUID(uuidString: text) else { throw .field(.wrongType, "user", "id") }
            orders = [.readmit(user)]
        case "remove": orders = [.remove(try Self.target(fields))]
        default: orders = fields.has("participantId") ? [.remove(try Self.target(fields))] : own.map { .remove($0) }
        }
    }

    private static func member(of type: String) -> [String] {
        switch type {
        case "mute": ["muted"]
        case "camera": ["shown"]
        case "layout": ["layout"]
        case "lock": ["locked"]
        case "readmit": ["user"]
        default: []
        }
    }

    private static func target(_ fields: Fields) throws(Problem) -> UUID {
        let text = try Fields.need(try fields.string("participantId"), "participantId")
        guard let id = UUID(uuidString: text) else { throw Problem(.participantNotFound) }
        return id
    }
}
