import Foundation

/// Who asks.
package enum Authority: Sendable, Equatable {
    /// The server itself, as when a demonstration starts its meeting.
    case system
    case user(id: UUID, role: UserRole)
}

/// What a person asks of a meeting. It may be refused; what comes of it is a `Decision`.
package enum Order: Sendable, Equatable {
    case start
    case end
    case change(MeetingChanges)
    case join(Participant, SeatRule = .usual)
    case mute(UUID, Bool)
    case camera(UUID, shown: Bool)
    /// Leaves by oneself; out by somebody who leads.
    case remove(UUID)
    /// Lets a removed login in again.
    case readmit(UUID)
}

/// What an order comes to. Nothing in it can be refused any more, whatever media reports before it is carried out.
package struct Decision: Sendable, Equatable {
    /// What lasts; stored before anything else is done.
    package var events: [Event]
    /// What it settles for media sessions that are here now, and ends with them.
    package var facts: [Fact]

    package init(events: [Event] = [], facts: [Fact] = []) {
        self.events = events
        self.facts = facts
    }
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
