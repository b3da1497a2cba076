import Foundation

/// How an event is written: one object with its `event` name beside its members; times are milliseconds since 1970. A name or a member never changes its
/// meaning, new ones may come; a name that is not known is refused, since a meeting without one of its events is another meeting.
extension Event: Codable {
    private enum Name: String, Codable {
        case created = "meeting.created"
        case started = "meeting.started"
        case ended = "meeting.ended"
        case changed = "meeting.changed"
        case muted = "person.muted"
        case unmuted = "person.unmuted"
        case hidden = "person.hidden"
        case shown = "person.shown"
        case removed = "person.removed"
        case readmitted = "person.readmitted"
    }

    private enum Key: String, CodingKey { case event, at, user, name }

    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        func user() throws -> UUID { try members.decode(UUID.self, forKey: .user) }
        switch try members.decode(Name.self, forKey: .event) {
        case .created: self = .created(try MeetingCreation(from: decoder))
        case .started: self = .started
        case .ended: self = .ended(at: try Milliseconds.decode(from: members, .at))
        case .changed: self = .changed(try MeetingChanges(from: decoder))
        case .muted: self = .personMuted(try user(), true)
        case .unmuted: self = .personMuted(try user(), false)
        case .hidden: self = .personHidden(try user(), true)
        case .shown: self = .personHidden(try user(), false)
        case .removed: self = .personRemoved(try user(), name: try members.decode(String.self, forKey: .name))
        case .readmitted: self = .personReadmitted(try user())
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Key.self)
        try members.encode(name, forKey: .event)
        switch self {
        case .created(let creation): try creation.encode(to: encoder)
        case .started: break
        case .ended(let moment): try members.encode(Milliseconds.of(moment), forKey: .at)
        case .changed(let changes): try changes.encode(to: encoder)
        case .personMuted(let user, _), .personHidden(let user, _), .personReadmitted(let user): try members.encode(user, forKey: .user)
        case .personRemoved(let user, let name):
            try members.encode(user, forKey: .user)
            try members.encode(name, forKey: .name)
        }
    }

    private var name: Name {
        switch self {
        case .created: .created
        case .started: .started
        case .ended: .ended
        case .changed: .changed
        case .personMuted(_, let muted): muted ? .muted : .unmuted
        case .personHidden(_, let hidden): hidden ? .hidden : .shown
        case .personRemoved: .removed
        case .personReadmitted: .readmitted
        }
    }
}

/// Times as they are written and kept: whole milliseconds since 1970.
enum Milliseconds {
    static func of(_ date: Date) -> Int64 { Int64((date.timeIntervalSince1970 * 1_000).rounded()) }
    static func date(_ milliseconds: Int64) -> Date { Date(timeIntervalSince1970: Double(milliseconds) / 1_000) }

    static func decode<Key: CodingKey>(from members: KeyedDecodingContainer<Key>, _ key: Key) throws -> Date {
        date(try members.decode(Int64.self, forKey: key))
    }
}

extension Date {
    /// As it is kept: what is held in memory is then what a restart reads.
    var toTheMillisecond: Date { Milliseconds.date(Milliseconds.of(self)) }
}

extension MeetingCreation: Codable {
    private enum Key: String, CodingKey { case title, startsAt, durationMinutes, layout, locked, capacity, createdBy, createdAt }

    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        self.init(
            title: try members.decode(String.self, forKey: .title), startsAt: try Milliseconds.decode(from: members, .startsAt),
            durationMinutes: try members.decode(Int.self, forKey: .durationMinutes),
            layout: try members.decode(MeetingLayout.self, forKey: .layout), isLocked: try members.decode(Bool.self, forKey: .locked),
            capacity: try members.decode(Int.self, forKey: .capacity), createdBy: try members.decode(UUID.self, forKey: .createdBy),
            createdAt: try Milliseconds.decode(from: members, .createdAt))
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Key.self)
        try members.encode(title, forKey: .title)
        try members.encode(Milliseconds.of(startsAt), forKey: .startsAt)
        try members.encode(durationMinutes, forKey: .durationMinutes)
        try members.encode(layout, forKey: .layout)
        try members.encode(isLocked, forKey: .locked)
        try members.encode(capacity, forKey: .capacity)
        try members.encode(createdBy, forKey: .createdBy)
        try members.encode(Milliseconds.of(createdAt), forKey: .createdAt)
    }
}

/// Fields that are as before are left out.
extension MeetingChanges: Codable {
    private enum Key: String, CodingKey { case title, startsAt, durationMinutes, layout, locked, capacity }

    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        self.init()
        title = try members.decodeIfPresent(String.self, forKey: .title)
        startsAt = try members.decodeIfPresent(Int64.self, forKey: .startsAt).map { Milliseconds.date($0) }
        durationMinutes = try members.decodeIfPresent(Int.self, forKey: .durationMinutes)
        layout = try members.decodeIfPresent(MeetingLayout.self, forKey: .layout)
        isLocked = try members.decodeIfPresent(Bool.self, forKey: .locked)
        capacity = try members.decodeIfPresent(Int.self, forKey: .capacity)
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Key.self)
        try members.encodeIfPresent(title, forKey: .title)
        try members.encodeIfPresent(startsAt.map { Milliseconds.of($0) }, forKey: .startsAt)
        try members.encodeIfPresent(durationMinutes, forKey: .durationMinutes)
        try members.encodeIfPresent(layout, forKey: .layout)
        try members.encodeIfPresent(isLocked, forKey: .locked)
        try members.encodeIfPresent(capacity, forKey: .capacity)
    }
}
