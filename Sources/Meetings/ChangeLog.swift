/// A notice with its number; numbers of one meeting have no holes.
package struct NumberedChange: Sendable, Equatable {
    package var sequence: Int
    package var notice: Notice
}

/// The last changes of a meeting, bounded: whoever was away longer gets a snapshot.
package struct ChangeLog: Sendable {
    private var kept: [NumberedChange] = []
    private let capacity: Int
    /// Of the newest change.
    package private(set) var sequence: Int

    /// - Parameter first: the number before the first change. Take one that no earlier run of the same meeting reached, so that a client of that
    ///   run is not handed changes that it never missed.
    package init(startingAfter first: Int, capacity: Int = MeetingLimits.replayedChanges) {
        (sequence, self.capacity) = (first, max(1, capacity))
    }

    package mutating func append(_ notice: Notice) -> NumberedChange {
        sequence += 1
        let change = NumberedChange(sequence: sequence, notice: notice)
        // Twice the capacity, then half goes at once: appending stays cheap.
        if kept.count >= capacity * 2 { kept.removeFirst(kept.count - capacity + 1) }
        kept.append(change)
        return change
    }

    /// - Returns: all changes after `number`, nil where some of them are no longer kept or `number` was never given out.
    package func changes(after number: Int) -> [NumberedChange]? {
        guard number <= sequence, number >= 0 else { return nil }
        guard number < sequence else { return [] }
        guard let oldest = kept.first?.sequence, number + 1 >= max(oldest, sequence - capacity + 1) else { return nil }
        return Array(kept[(number + 1 - oldest)...])
    }
}
