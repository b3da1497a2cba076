/// How late packets were lately against the promptest of them: the least and the most of arrival minus media time in a few short windows. Both are kept as
/// moments and not as differences, so what is compared with them needs no common zero, and a storm is forgotten when the last window that saw it has passed.
struct ArrivalWindows: Sendable {
    /// Windows kept, the one that fills included; together they remember the last four to six seconds.
    static let count = 3
    static let length = 2_000_000_000.0
    /// After a pause this long, in ns, two clocks may be milliseconds apart: moments before it are not compared with those after it.
    private static let longestPause = 10_000_000_000.0
    /// A moment further from the others than this, in ns, is no lateness: where some in a row say so, a clock jumped.
    private static let largestStep = 1_000_000_000.0
    private static let strays = 3
    /// What is later than this, in ns, nobody waits for: the most stays what it is. `LevelCheck` relies on it, too.
    static let longest = 250_000_000.0

    private var leasts = InlineArray<3, Double>(repeating: .infinity)
    private var mosts = InlineArray<3, Double>(repeating: -.infinity)
    private var current = 0
    private var end = 0.0
    private var lastArrival = -Double.infinity
    /// What each window saw before the clocks were forgotten, in ns after the promptest packet of then: taken for lateness of the way until it is its turn to go.
    private var remembered = InlineArray<3, Double>(repeating: 0)
    private var straysInRow = 0

    /// Arrival minus media time of the promptest packet lately, in ns; infinite before the first.
    private(set) var least = Double.infinity
    /// Of the latest one.
    private(set) var most = -Double.infinity

    /// - Parameters:
    ///   - moment: arrival minus media time, in ns.
    ///   - arrival: in ns of the receiver's clock.
    mutating func note(_ moment: Double, arrival: Double) {
        if arrival - lastArrival > Self.longestPause { forgetClock() }
        if abs(moment - least) > Self.largestStep, least.isFinite {
            straysInRow += 1
            guard straysInRow >= Self.strays else { return }
            clear()
            for index in remembered.indices { remembered[index] = 0 }
        }
        straysInRow = 0
        if arrival >= end { rotate(arrival) }
        lastArrival = arrival
        leasts[current] = min(leasts[current], moment)
        if moment - min(least, moment) <= Self.longest { mosts[current] = max(mosts[current], moment) }
        sum()
    }

    /// Keeps the spread, and forgets which moments it was between.
    mutating func forgetClock() {
        for index in mosts.indices where mosts[index].isFinite { remembered[index] = max(remembered[index], mosts[index] - least) }
        clear()
    }

    /// Forgets everything: another sender.
    mutating func reset() { self = ArrivalWindows() }

    private mutating func clear() {
        for index in leasts.indices { (leasts[index], mosts[index]) = (.infinity, -.infinity) }
        (least, most, lastArrival) = (.infinity, -.infinity, -.infinity)
    }

    private mutating func rotate(_ arrival: Double) {
        end = arrival + Self.length
        current = (current + 1) % Self.count
        (leasts[current], mosts[current]) = (.infinity, -.infinity)
        remembered[current] = 0
    }

    private mutating func sum() {
        (least, most) = (.infinity, -.infinity)
        var before = 0.0
        for index in leasts.indices {
            least = min(least, leasts[index])
            most = max(most, mosts[index])
            before = max(before, remembered[index])
        }
        most = max(most, least + before)
    }
}
