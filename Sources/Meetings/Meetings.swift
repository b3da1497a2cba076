/// The domain of meetings, sans-IO; the clock is an argument.
///
/// An `Order` of a person is decided and may be refused; what lasts of it are `Event`s. A `Fact` about those who are in is never refused and does not last. A
/// `Notice` is what screens are told. `Meeting` is what lasts, `Presence` who is in, `MeetingState` both. `Permissions` is the one table of who may do what.
package enum MeetingLimits {
    /// Characters (grapheme clusters) of a title.
    package static let titleLength = 200
    /// Characters of a name on a tile.
    package static let nameLength = 80
    package static let durationMinutes = 1...1_440
    package static let capacity = 1...1_000
    package static let defaultCapacity = 200
    package static let defaultDurationMinutes = 60
    /// Changes kept for those who reconnect.
    package static let replayedChanges = 1_024
}
