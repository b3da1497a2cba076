import Foundation

/// Who asks.
package enum Authority: Sendable, Equatable {
    /// The server itself, as when media reports something.
    case system
    case user(id: UUID, role: UserRole)
}

/// What can be asked of a running meeting.
package enum MeetingCommand: Sendable, Equatable {
    case start
    case end
    case change(MeetingChanges)
    case join(Participant)
    case connected(UUID)
    case left(UUID, reason: String)
    case observe(UUID, ParticipantMedia)
    case speaker(UUID?)
    case videoWanted(UUID, Bool)
    case mute(UUID, Bool)
    case camera(UUID, shown: Bool)
    case remove(UUID)
    case notice(String)
}

/// What happened, for everybody who watches the meeting.
package enum MeetingEvent: Sendable, Equatable {
    case meetingChanged(Meeting)
    case participantJoined(Participant)
    case participantChanged(Participant)
    case participantLeft(UUID, reason: String)
    case speakerChanged(UUID?)
    case meetingEnded
    case notice(String)
}

/// Why the meeting said no. A case carries what its reader needs in order to act.
package enum MeetingRefusal: Error, Equatable, Sendable {
    case notAllowed(Act)
    case notRunning(MeetingPhase)
    case alreadyEnded
    case locked
    case full(capacity: Int)
    case unknownParticipant(UUID)
    /// The capacity would be below those who are in.
    case capacityBelowPresent(present: Int)
}
