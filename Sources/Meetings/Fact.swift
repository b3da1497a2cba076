import Foundation

/// What is so about those who are in: media reports it, or an order settled it for media sessions. It is never refused; one about somebody who has left says
/// nothing. Facts are not stored.
package enum Fact: Sendable, Equatable {
    // What media reports.
    case connected(UUID)
    case left(UUID, reason: String)
    /// Nothing comes from it since then; `isUnseated` where its media session ended by that.
    case away(UUID, since: Date, isUnseated: Bool)
    /// Something comes again.
    case back(UUID, at: Date)
    /// Once a second: levels, tiers, lines.
    case measured(UUID, ParticipantMedia)
    /// Who is heard loudest; nil after silence.
    case speaker(UUID?)
    /// What its camera is wanted for.
    case videoWanted(UUID, CameraWish)
    /// A later offer made another kind of participant of it.
    case became(UUID, ParticipantKind, MeetingRole)
    /// The server says something to everybody.
    case announced(String)

    // What an order settled.
    case joined(Participant)
    /// Another media session took the seat: everything about it but its session stays.
    case reseated(UUID, session: UUID, ParticipantKind, MeetingRole)
    /// By a chair: it cannot lift that by itself, once it is muted.
    case muted(UUID, Bool, byChair: Bool)
    case cameraOff(UUID, Bool, byChair: Bool)
}
