import Base
import RTP

/// How much of the time between two pictures nobody needs: it goes into a better picture, by a finer search for motion and for small changes, step by step and
/// only for as long as it lasts. A step up needs a while in which there was plenty; a step down is taken at once. Pictures are never left out for it: a
/// picture takes its whole interval once before all steps are given back, and two more may wait (`Composer.beat`).
struct SpareTime: Sendable {
    static let mostLevel = 2
    /// Of the time between two pictures: below the first there is plenty, above the second too little. What a step costs lies between.
    static let (plenty, scarce) = (0.25, 0.35)
    /// How long there must have been plenty for the next step; twice as long after a step that had to be taken back soon.
    static let (firstPatience, mostPatience) = (Duration.seconds(2), Duration.seconds(64))
    /// The weight of the newest picture.
    private static let weight = 0.125

    /// 0 is the picture as it always is.
    private(set) var level = 0
    /// What a picture takes of late, of the time between two. A meeting that begins has all to prove.
    private var usual = 1.0
    private var plentySince: Instant?
    private var raised: Instant?
    private var patience = SpareTime.firstPatience

    /// A picture was made.
    /// - Parameter taken: from its beat until it was done, or the work of all threads on it, whichever is more: another meeting's work counts by the former, a
    ///   second core that helps by the latter.
    /// - Parameter pace: where pictures are smaller or fewer than they should be, there is nothing to spare.
    mutating func note(_ taken: Duration, pace: FramePace, now: Instant) {
        let share = taken.seconds / pace.interval.seconds
        usual += (share - usual) * Self.weight
        guard !pace.isShort, share < 1 else { return lower(to: 0, now: now) }
        guard usual <= Self.scarce else { return lower(to: level - 1, now: now) }
        guard usual < Self.plenty else { return plentySince = nil }
        let since = plentySince ?? now
        plentySince = since
        guard level < Self.mostLevel, now - since >= patience else { return }
        // The step before this one has proved itself.
        if let raised, now - raised >= patience { patience = Self.firstPatience }
        level += 1
        raised = now
        plentySince = nil
    }

    private mutating func lower(to level: Int, now: Instant) {
        plentySince = nil
        guard self.level > 0 else { return }
        self.level = max(0, level)
        // What was measured belongs to the step that is given back: the next one is judged by its own pictures.
        usual = min(usual, (Self.plenty + Self.scarce) / 2)
        guard let raised else { return }
        if now - raised < Self.firstPatience + patience { patience = min(patience + patience, Self.mostPatience) }
        self.raised = nil
    }
}
