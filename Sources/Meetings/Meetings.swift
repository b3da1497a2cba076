/// The domain of meetings, sans-IO: commands in, events out; the clock is an argument.
///
/// `Meeting` is what lasts, `MeetingState` what runs. `Permissions` is the one table of who may do what.
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
