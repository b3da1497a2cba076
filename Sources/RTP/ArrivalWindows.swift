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
    /// What is later than this, in ns, nobody waits for: the most stays what it is.
    static let longest = 400_000_000.0

    private var leasts = InlineArray<3, Double>(repeating: .infinity)
    private var mosts = InlineArray<3, Double>(repeating: -.infinity)
    private var current = 0
    private var end = 0.0
    private var lastArrival = -Double.infinity
    /// The spread, in ns, before the clocks were forgotten; taken for that of the way until as many windows have passed.
    private var remembered = 0.0
    private var rotations = 0
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
            remembered = 0
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
        if least.isFinite { (remembered, rotations) = (most - least, 0) }
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
        rotations += 1
        if rotations > Self.count { remembered = 0 }
    }

    private mutating func sum() {
        (least, most) = (.infinity, -.infinity)
        for index in leasts.indices { (least, most) = (min(least, leasts[index]), max(most, mosts[index])) }
        most = max(most, least + remembered)
    }
}
