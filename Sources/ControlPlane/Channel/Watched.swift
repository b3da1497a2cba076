import Formats
import Foundation
import Meetings

/// What a follower asked for that changes often.
struct Watched: OptionSet, Hashable, Sendable {
    var rawValue: Int
    static let lines = Watched(rawValue: 1)
    static let levels = Watched(rawValue: 2)
    static let all: Watched = [.lines, .levels]

    enum Thing: String, CaseIterable, Sendable { case lines, levels }

    init(rawValue: Int) { self.rawValue = rawValue }

    init(_ things: [Thing]) {
        self = []
        for thing in things {
            switch thing {
            case .lines: insert(.lines)
            case .levels: insert(.levels)
            }
        }
    }

    /// The acts that need permission.
    var acts: [Act] { (contains(.lines) ? [.watchLines] : []) + (contains(.levels) ? [.watchLevels] : []) }
}

/// `{"type": "watch", "what": ["lines", "levels"]}`; an empty list ends it.
struct WatchCommand: Declared {
    var what: [Watched.Thing] = []
    static let members = Members<Self>(.required("what", \.what, .list(of: .choice, most: 2, named: "[lines | levels]")))
}

/// One row for each participant whose figures changed. The names of the columns come once.
struct FiguresTable {
    private let participants: [Participant]
    private let watched: Watched

    init(_ participants: [Participant], _ watched: Watched) {
        self.participants = participants
        self.watched = watched
    }

    var json: JSONValue {
        let columns =
            ["id"] + (watched.contains(.levels) ? ["level", "speaking", "audio", "video"] : [])
            + (watched.contains(.lines) ? ["tier"] + LineState.names : [])
        return .object([
            ("type", .string("figures")), ("columns", .array(columns.map { .string($0) })), ("rows", .array(participants.map(row))),
        ])
    }

    private func row(_ participant: Participant) -> JSONValue {
        let media = participant.media
        var cells: [JSONValue] = [.string(participant.id.text)]
        if watched.contains(.levels) {
            cells += [.int(media.level), .bool(media.isSpeaking), .bool(media.isSendingAudio), .bool(media.isSendingVideo)]
        }
        if watched.contains(.lines) { cells += [.optional(media.tier)] + media.line.cells }
        return .array(cells)
    }
}
