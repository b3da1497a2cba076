import Foundation

/// What a screen is told. It carries whole values as they are now, so that a screen need know nothing of what was before.
package enum Notice: Sendable, Equatable {
    case meetingChanged(Meeting)
    case participantJoined(Participant)
    case participantChanged(Participant)
    /// Whether any view shows its camera, and in how many lines: it sends its picture in that size or stops.
    case participantWanted(Participant)
    /// Its level, its tier or the figures of its line.
    case participantMeasured(Participant)
    /// Who is kept out.
    case removedChanged
    case participantLeft(UUID, reason: String)
    case speakerChanged(UUID?)
    case meetingEnded
    case announced(String)

    /// Whom a notice is for.
    package enum Audience: Sendable, Equatable {
        /// All who follow the meeting.
        case everybody
        /// Those of them who lead it.
        case leading
        /// One login, and those who lead.
        case login(UUID)
        /// Those who watch what changes often: a table once a second, and no message for each.
        case watching
    }

    package var audience: Audience {
        switch self {
        case .participantMeasured: .watching
        case .removedChanged: .leading
        case .participantWanted(let participant): .login(participant.user)
        case .meetingChanged, .participantJoined, .participantChanged, .participantLeft, .speakerChanged, .meetingEnded, .announced:
            .everybody
        }
    }
}
