import Foundation

/// What a screen is told. It carries whole values as they are now, so that a screen need know nothing of what was before.
package enum Notice: Sendable, Equatable {
    case meetingChanged(Meeting)
    case participantJoined(Participant)
    case participantChanged(Participant)
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
    }

    package var audience: Audience {
        switch self {
        case .participantMeasured, .removedChanged: .leading
        case .meetingChanged, .participantJoined, .participantChanged, .participantLeft, .speakerChanged, .meetingEnded, .announced:
            .everybody
        }
    }
}
