import Base

/// How long packets queue on the way, from when they left and when they arrived: the least transit of the last moments above the least of the last half
/// minute. Jitter makes some packets late, a queue makes all of them late; so it is the least that tells.
///
/// The clocks differ by an unknown constant and drift slowly, which a half minute forgets.
package struct QueueGauge: Sendable {
    /// The moments that the present least is taken over: six of 50 ms.
    private static let (slots, slot) = (6, Duration.milliseconds(50))
    private static let half = Duration.seconds(15)
    /// A transit that differs by so much from the one before is another clock.
    private static let longest = Duration.seconds(10)

    private var least = InlineArray<6, Int64>(repeating: .max)
    private var present: Int64 = .min
    private var (older, newer) = (Int64.max, Int64.max)
    private var halfBegan: Instant?
    /// Of the newest packets alone.
    private var latest: Int64 = .max
    /// How much the gauge wavers by itself, ms: what jitter makes of it while nothing queues. It is learned from steps between two looks; a queue that stands
    /// is no unrest.
    package private(set) var unrest = 0.0
    /// The same of the newest packets alone, of which there are fewer.
    package private(set) var latestUnrest = 0.0
    private var looked: (standing: Double, latest: Double)?

    package init() {}

    /// - Parameters:
    ///   - sent: on our clock, in order but for reordered packets.
    ///   - arrival: on the receiver's.
    package mutating func add(sent: Instant, arrival: Instant) {
        let transit = arrival.nanoseconds &- sent.nanoseconds
        if base != .max, (transit &- base).magnitude > UInt64(Self.longest.nanoseconds) { self = QueueGauge() }
        let index = sent.nanoseconds / Self.slot.nanoseconds
        if index > present {
            // Slots without a packet are empty.
            let steps = present == .min ? Int64(Self.slots) : min(index &- present, Int64(Self.slots))
            for step in 0..<steps { least[Self.place(index - step)] = .max }
            present = index
            latest = .max
        }
        guard present - index < Int64(Self.slots) else { return }
        let place = Self.place(index)
        least[place] = min(least[place], transit)
        latest = min(latest, transit)
        let began = halfBegan ?? sent
        halfBegan = began
        // Two halves of a window: a queue that stands must not become the empty line at once.
        if sent - began > Self.half {
            (older, newer, halfBegan) = (newer, transit, sent)
        }
        newer = min(newer, transit)
    }

    /// Of moments before the clock's zero too.
    private static func place(_ index: Int64) -> Int { Int((index % Int64(slots) + Int64(slots)) % Int64(slots)) }

    private var base: Int64 { min(older, newer) }

    private var standing: Int64 {
        var smallest = Int64.max
        for index in 0..<Self.slots { smallest = min(smallest, least[index]) }
        return smallest
    }

    /// Milliseconds that a packet waits longer than on the empty line, over the last 300 ms; 0 before anything is known.
    package var milliseconds: Double { Self.above(base, standing) }
    /// The same of the packets of the newest 50 ms: sooner, and less sure.
    package var latestMilliseconds: Double { Self.above(base, latest) }

    private static func above(_ base: Int64, _ transit: Int64) -> Double {
        guard base != .max, transit != .max else { return 0 }
        return Double(transit &- base) / 1e6
    }

    /// Learns how much the gauge wavers.
    /// - Parameter passed: since the last call; zero where what is seen now is to be no measure.
    package mutating func learnUnrest(_ passed: Duration) {
        let now = (standing: milliseconds, latest: latestMilliseconds)
        defer { looked = now }
        guard passed > .zero, let looked else { return }
        let share = min(1, passed.seconds / 4)
        // Three times the mean step is about what a wavering gauge reaches.
        unrest += (min(100, abs(now.standing - looked.standing) * 3) - unrest) * share
        latestUnrest += (min(100, abs(now.latest - looked.latest) * 3) - latestUnrest) * share
    }

    /// What queues now is the empty line from here on: the way has become longer.
    package mutating func rebase() {
        let now = standing
        guard now != .max else { return }
        (older, newer) = (now, now)
    }
}
