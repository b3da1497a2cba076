import Foundation

/// What happened to a meeting and lasts. Small, and enough to make the meeting again: `Meeting(id:events:)` folds them.
///
/// Each event counts the meeting's version up by one, so a version says how many events were seen. The names under which they are written
/// (`Event+Coding`) never change their meaning.
package enum Event: Sendable, Equatable {
    /// The first of every meeting.
    case created(MeetingCreation)
    case started
    case ended(at: Date)
    /// Fields that are other than before; at least one.
    case changed(MeetingChanges)
    /// A chair's decisions about a login: they hold for all media sessions of it, those that come later too.
    case personMuted(UUID, Bool)
    case personHidden(UUID, Bool)
    /// Kept out, and what it was called then.
    case personRemoved(UUID, name: String)
    case personReadmitted(UUID)
}

/// What a meeting is when it is made.
package struct MeetingCreation: Sendable, Equatable {
    package var title: String
    package var startsAt: Date
    package var durationMinutes: Int
    package var layout: MeetingLayout
    package var isLocked: Bool
    package var capacity: Int
    /// The user who made it.
    package var createdBy: UUID
    package var createdAt: Date

    package init(
        title: String, startsAt: Date, durationMinutes: Int = MeetingLimits.defaultDurationMinutes, layout: MeetingLayout = .speaker,
        isLocked: Bool = false, capacity: Int = MeetingLimits.defaultCapacity, createdBy: UUID, createdAt: Date
    ) {
        self.title = title
        self.startsAt = startsAt
        self.durationMinutes = durationMinutes
        self.layout = layout
        self.isLocked = isLocked
        self.capacity = capacity
        self.createdBy = createdBy
        self.createdAt = createdAt
    }
}

extension Meeting {
    /// The meeting after its events.
    /// - Returns: nil where the first one is not its creation.
    package init?(id: UUID, events: some Sequence<Event>) {
        var iterator = events.makeIterator()
        guard case .created(let creation) = iterator.next() else { return nil }
        self.init(id: id, creation)
        while let event = iterator.next() { evolve(event) }
    }

    package init(id: UUID, _ creation: MeetingCreation) {
        self.init(
            id: id, title: creation.title, startsAt: creation.startsAt, durationMinutes: creation.durationMinutes, layout: creation.layout,
            isLocked: creation.isLocked, capacity: creation.capacity, createdBy: creation.createdBy, createdAt: creation.createdAt)
    }

    /// Never refuses: whatever may be refused was asked in `MeetingState.decide`.
    package mutating func evolve(_ event: Event) {
        version += 1
        switch event {
        case .created: break  // of another meeting, or twice: nothing of this one changes
        case .started: phase = .running
        case .ended(let moment):
            phase = .ended
            endedAt = moment
        case .changed(let changes): take(changes)
        case .personMuted(let user, true): restrictions.muted.insert(user)
        case .personMuted(let user, false): restrictions.muted.remove(user)
        case .personHidden(let user, true): restrictions.hidden.insert(user)
        case .personHidden(let user, false): restrictions.hidden.remove(user)
        case .personRemoved(let user, let name): restrictions.removed[user] = name
        case .personReadmitted(let user): restrictions.removed[user] = nil
        }
    }

    private mutating func take(_ changes: MeetingChanges) {
        title = changes.title ?? title
        startsAt = changes.startsAt ?? startsAt
        durationMinutes = changes.durationMinutes ?? durationMinutes
        layout = changes.layout ?? layout
        isLocked = changes.isLocked ?? isLocked
        capacity = changes.capacity ?? capacity
    }

    /// Events that lead from here to `later`, a newer version of the same meeting, apart from the version itself.
    package func events(to later: Meeting) -> [Event] {
        var events: [Event] = []
        let changes = MeetingChanges(from: self, to: later)
        if !changes.isEmpty { events.append(.changed(changes)) }
        if phase == .scheduled, later.phase != .scheduled { events.append(.started) }
        let (old, new) = (restrictions, later.restrictions)
        events += new.muted.subtracting(old.muted).map { .personMuted($0, true) }
        events += old.muted.subtracting(new.muted).map { .personMuted($0, false) }
        events += new.hidden.subtracting(old.hidden).map { .personHidden($0, true) }
        events += old.hidden.subtracting(new.hidden).map { .personHidden($0, false) }
        events += new.removed.filter { old.removed[$0.key] != $0.value }.map { .personRemoved($0.key, name: $0.value) }
        events += old.removed.keys.filter { new.removed[$0] == nil }.map { .personReadmitted($0) }
        if phase != .ended, later.phase == .ended { events.append(.ended(at: later.endedAt ?? later.startsAt)) }
        return events
    }
}

extension MeetingChanges {
    /// The fields in which two meetings differ, as `later` has them.
    init(from earlier: Meeting, to later: Meeting) {
        self.init()
        if later.title != earlier.title { title = later.title }
        if later.startsAt != earlier.startsAt { startsAt = later.startsAt }
        if later.durationMinutes != earlier.durationMinutes { durationMinutes = later.durationMinutes }
        if later.layout != earlier.layout { layout = later.layout }
        if later.isLocked != earlier.isLocked { isLocked = later.isLocked }
        if later.capacity != earlier.capacity { capacity = later.capacity }
    }
}
