import Base

/// Finds what of one stream is missing and when to ask for it (again). RFC 4585 §6.2.1.
package struct NackGenerator: Sendable {
    /// Holes beyond this are not mended but answered with a key frame.
    package static let mostMissing = 200
    static let mostTries = 8
    static let longestWait = Duration.milliseconds(600)
    /// Where the way is long, so many round trips: less than three tries mend little of what is lost in both directions.
    static let (roundTrips, mostWait) = (6, Duration.milliseconds(1_500))
    /// Out of order by less than this is not loss.
    static let patience = Duration.milliseconds(8)

    private struct Missing: Sendable {
        var sequence: Int64
        var since: Instant
        var askAt: Instant
        var tries = 0
    }

    private var missing: [Missing] = []
    private var highest: Int64?
    /// Something was given up since the last look: the decoder needs a key frame.
    package private(set) var hasGivenUp = false

    package init() { missing.reserveCapacity(Self.mostMissing) }

    /// When to call `collect`; nil while nothing is missing.
    package var deadline: Instant? {
        var earliest: Instant?
        for one in missing where one.askAt < earliest ?? .distantFuture { earliest = one.askAt }
        return earliest
    }

    /// - Parameter sequence: unwrapped.
    package mutating func received(_ sequence: Int64, now: Instant) {
        guard let last = highest else { return highest = sequence }
        guard sequence > last else {
            if let place = missing.firstIndex(where: { $0.sequence == sequence }) { missing.remove(at: place) }
            return
        }
        highest = sequence
        let hole = sequence - last - 1
        guard hole > 0 else { return }
        guard hole <= Int64(Self.mostMissing - missing.count) else {
            missing.removeAll(keepingCapacity: true)
            return hasGivenUp = true
        }
        for lost in (last + 1)..<sequence { missing.append(Missing(sequence: lost, since: now, askAt: now + Self.patience)) }
    }

    /// Appends the numbers to ask for now, ascending.
    package mutating func collect(now: Instant, roundTrip: Duration, into numbers: inout [UInt16]) {
        let longest = max(Self.longestWait, min(Self.mostWait, roundTrip * Self.roundTrips))
        let interval = max(.milliseconds(25), roundTrip + roundTrip / 4)
        var isLost = false
        missing.removeAll { one in
            let isOver = one.tries >= Self.mostTries || now - one.since > longest
            isLost = isLost || isOver && one.askAt <= now
            return isOver && one.askAt <= now
        }
        if isLost { hasGivenUp = true }
        for place in missing.indices where missing[place].askAt <= now {
            numbers.append(UInt16(truncatingIfNeeded: missing[place].sequence))
            missing[place].tries += 1
            missing[place].askAt = now + interval
        }
    }

    /// - Returns: whether something was given up since the last call.
    package mutating func takeGivenUp() -> Bool {
        defer { hasGivenUp = false }
        return hasGivenUp
    }
}
