/// What a person is in the organisation.
package enum UserRole: String, Sendable, CaseIterable, Codable { case admin, secretary, `operator`, network, auditor }

/// What a participant is in one meeting.
package enum MeetingRole: String, Sendable, CaseIterable, Codable { case chair, participant, viewer }

/// Acts that need permission.
package enum Act: String, Sendable, CaseIterable, Codable {
    case seeMeetings, createMeeting, changeMeeting, deleteMeeting, startMeeting, endMeeting
    case joinWithMedia, joinAsViewer, muteSelf, muteOthers, cameraSelf, cameraOthers, setLayout, remove, lock, leave, manageMedia
    case watchLines, watchLevels
    case readAudit, manageUsers
}

/// The one table of who may do what. What is not in it is refused.
package enum Permissions {
    private static let joining: Set<Act> = [.seeMeetings, .joinAsViewer, .joinWithMedia, .muteSelf, .cameraSelf, .leave]
    private static let directing: Set<Act> = joining.union([
        .createMeeting, .changeMeeting, .deleteMeeting, .startMeeting, .endMeeting, .muteOthers, .cameraOthers, .setLayout, .remove, .lock,
        .manageMedia, .watchLines, .watchLevels,
    ])
    private static let table: [UserRole: Set<Act>] = [
        .admin: directing.union([.readAudit, .manageUsers]), .secretary: directing, .operator: joining,
        // Neither belongs to a meeting, so neither hears or sees one; the network staff sees how its lines are.
        .network: [.seeMeetings, .watchLines], .auditor: [.seeMeetings, .readAudit],
    ]

    /// Who leads meetings: chairs them, lets in and removes.
    package static func leads(_ role: UserRole) -> Bool { allows(.manageMedia, for: role) }

    package static func allows(_ act: Act, for role: UserRole) -> Bool { table[role]?.contains(act) ?? false }

    /// - Returns: the role in a meeting of somebody who comes in: who may direct is its chair, who only receives a viewer.
    package static func meetingRole(for role: UserRole, kind: ParticipantKind) -> MeetingRole {
        guard kind != .viewer else { return .viewer }
        return allows(.muteOthers, for: role) ? .chair : .participant
    }
}
