import Formats
import Meetings

/// `POST /meetings`.
struct NewMeeting: Declared {
    var title = ""
    /// All but the title.
    var settings = MeetingChanges()
    static let members = Members<Self>(
        .required("title", \.title, .title),
        .optional("startsAt", \.settings.startsAt, .time),
        .optional("durationMinutes", \.settings.durationMinutes, .integer(MeetingLimits.durationMinutes)),
        .optional("layout", \.settings.layout, .choice),
        .optional("locked", \.settings.isLocked, .bool),
        .optional("capacity", \.settings.capacity, .integer(MeetingLimits.capacity)))
}

/// `PATCH /meetings/{id}`.
extension MeetingChanges: Declared {
    package static let members = Members<Self>(
        .optional("title", \.title, .title),
        .optional("startsAt", \.startsAt, .time),
        .optional("durationMinutes", \.durationMinutes, .integer(MeetingLimits.durationMinutes)),
        .optional("layout", \.layout, .choice),
        .optional("locked", \.isLocked, .bool),
        .optional("capacity", \.capacity, .integer(MeetingLimits.capacity)))
}
