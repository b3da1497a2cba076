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
    case join(Participant, SeatRule = .usual)
    case connected(UUID)
    case left(UUID, reason: String)
    case observe(UUID, ParticipantMedia)
    case speaker(UUID?)
    case videoWanted(UUID, Bool)
    case mute(UUID, Bool)
    case camera(UUID, shown: Bool)
    case remove(UUID)
    /// Lets a removed login in again.
    case readmit(UUID)
    /// A later offer made another kind of participant of it.
    case became(UUID, ParticipantKind, MeetingRole)
    case notice(String)
}

/// What happened, for everybody who watches the meeting.
package enum MeetingEvent: Sendable, Equatable {
    case meetingChanged(Meeting)
    case participantJoined(Participant)
    case participantChanged(Participant)
    /// Its level, its tier or the figures of its line: for those who lead.
    case participantMeasured(Participant)
    /// Who is kept out, for those who lead.
    case removedChanged
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
    /// One login has as many media sessions as it may.
    case tooManySessions(most: Int)
    /// Of these, as many that are not connected yet.
    case tooManyConnecting(retryAfterSeconds: Int)
    /// A chair muted it, or turned its camera off, and a chair alone lifts that.
    case mutedByChair
    case cameraOffByChair
    /// A chair removed it from the meeting.
    case keptOut
    case unknownParticipant(UUID)
    /// The capacity would be below those who are in.
    case capacityBelowPresent(present: Int)
}
