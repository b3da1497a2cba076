import Foundation

/// A meeting is scheduled, then running, then ended; never back.
package enum MeetingPhase: String, Sendable, CaseIterable, Codable { case scheduled, running, ended }

package enum MeetingLayout: String, Sendable, CaseIterable, Codable { case one, grid, speaker }

/// What lasts of a meeting.
package struct Meeting: Sendable, Equatable, Identifiable {
    package var id: UUID
    package var title: String
    package var phase: MeetingPhase
    package var startsAt: Date
    package var durationMinutes: Int
    package var endedAt: Date?
    package var layout: MeetingLayout
    package var isLocked: Bool
    /// Most media sessions.
    package var capacity: Int
    /// What chairs decided about persons.
    package var restrictions = Restrictions()
    /// The user who made it.
    package var createdBy: UUID
    package var createdAt: Date
    /// Counts changes; its entity tag.
    package var version: Int

    package init(
        id: UUID, title: String, phase: MeetingPhase = .scheduled, startsAt: Date, durationMinutes: Int, endedAt: Date? = nil,
        layout: MeetingLayout = .speaker, isLocked: Bool = false, capacity: Int = MeetingLimits.defaultCapacity, createdBy: UUID,
        createdAt: Date, version: Int = 1
    ) {
        self.id = id
        self.title = title
        self.phase = phase
        self.startsAt = startsAt
        self.durationMinutes = durationMinutes
        self.endedAt = endedAt
        self.layout = layout
        self.isLocked = isLocked
        self.capacity = capacity
        (self.createdBy, self.createdAt, self.version) = (createdBy, createdAt, version)
    }
}

/// Fields to change; nil leaves a field as it is. Values must have passed `Validation`.
package struct MeetingChanges: Sendable, Equatable {
    package var title: String?
    package var startsAt: Date?
    package var durationMinutes: Int?
    package var layout: MeetingLayout?
    package var isLocked: Bool?
    package var capacity: Int?
    package init() {}
    package var isEmpty: Bool { self == MeetingChanges() }
}
