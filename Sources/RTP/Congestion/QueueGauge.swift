import Base

/// How long packets queue on the way, from when they left and when they arrived: the least transit of the last moments above the least of the last half
/// minute. Jitter makes some packets late, a queue makes all of them late; so it is the least that tells. Where even that wavers, it is taken over a longer time.
///
/// The clocks differ by an unknown constant and drift slowly, which a half minute forgets.
package struct QueueGauge: Sendable {
    /// The moments that the present least is taken over: six of 50 ms, eighteen on a line that wavers.
    private static let (short, long, slot) = (6, 18, Duration.milliseconds(50))
    /// A line wavers when the least of a few moments is another one at so many of the looks, by so many ms. Queues of our own come and go more seldom.
    private static let (wavering, step) = (0.25, 4.0)
    private static let half = Duration.seconds(15)
    /// A transit that differs by so much from the one before is another clock.
    private static let longest = Duration.seconds(10)

    private var least = InlineArray<18, Int64>(repeating: .max)
    private var present: Int64 = .min
    private var (older, newer) = (Int64.max, Int64.max)
    private var halfBegan: Instant?
    /// Of the newest packets alone.
    private var latest: Int64 = .max
    /// The steps that the least over a short and a long time and that of the newest packets take between two looks, ms.
    private var steps: (short: Double, long: Double, latest: Double)
    /// Looks at which the least over a short time had changed, 0 … 1.
    private var changes = 0.0
    private var looked: (short: Double, long: Double, latest: Double)?
    /// As if some had shown a calm line: one step at the beginning is no unrest.
    private var looks = 5.0

    /// - Parameter unrest: ms, what is taken for granted before anything is known.
    package init(unrest: Double = 0) { steps = (unrest, unrest, unrest) }

    /// - Parameters:
    ///   - sent: on our clock, in order but for reordered packets.
    ///   - arrival: on the receiver's.
    /// - Returns: milliseconds that this one took longer than on the empty line.
    @discardableResult
    package mutating func add(sent: Instant, arrival: Instant) -> Double {
        let transit = arrival.nanoseconds &- sent.nanoseconds
        if base != .max, (transit &- base).magnitude > UInt64(Self.longest.nanoseconds) { self = QueueGauge() }
        let index = sent.nanoseconds / Self.slot.nanoseconds
        if index > present {
            // Slots without a packet are empty.
            let steps = present == .min ? Int64(Self.long) : min(index &- present, Int64(Self.long))
            for step in 0..<steps { least[Self.place(index - step)] = .max }
            present = index
            latest = .max
        }
        guard present - index < Int64(Self.long) else { return Self.above(base, transit) }
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
        return Self.above(base, transit)
    }

    /// Of moments before the clock's zero too.
    private static func place(_ index: Int64) -> Int { Int((index % Int64(long) + Int64(long)) % Int64(long)) }

    private var base: Int64 { min(older, newer) }

    private func least(of slots: Int) -> Int64 {
        guard present != .min else { return .max }
        var smallest = Int64.max
        for step in 0..<Int64(slots) { smallest = min(smallest, least[Self.place(present - step)]) }
        return smallest
    }

    package var isWavering: Bool { changes > Self.wavering }
    private var standing: Int64 { least(of: isWavering ? Self.long : Self.short) }

    /// Milliseconds that a packet waits longer than on the empty line, over the last moments; 0 before anything is known.
    package var milliseconds: Double { Self.above(base, standing) }
    /// The same of the packets of the newest 50 ms, where that says anything: sooner, and less sure.
    package var latestMilliseconds: Double { isWavering ? milliseconds : Self.above(base, latest) }

    /// How much `milliseconds` wavers by itself, ms: what jitter makes of it while nothing queues. It is learned from steps between two looks; a queue that
    /// stands is no unrest.
    package var unrest: Double { isWavering ? max(steps.long, steps.short * 0.8) : steps.short }
    /// The same of `latestMilliseconds`, of which less is known.
    package var latestUnrest: Double { isWavering ? unrest : max(steps.short, steps.latest) }

    private static func above(_ base: Int64, _ transit: Int64) -> Double {
        guard base != .max, transit != .max else { return 0 }
        return Double(transit &- base) / 1e6
    }

    /// Learns how much the gauge wavers.
    /// - Parameter passed: since the last call; zero where what is seen now is to be no measure.
    package mutating func learnUnrest(_ passed: Duration) {
        let now = (
            short: Self.above(base, least(of: Self.short)), long: Self.above(base, least(of: Self.long)), latest: Self.above(base, latest)
        )
        defer { looked = now }
        guard passed > .zero, let looked else { return }
        // The first looks count more, since there are few of them.
        looks += 1
        let share = min(1, max(passed.seconds / 4, 1 / looks))
        changes += ((abs(now.short - looked.short) > Self.step ? 1 : 0) - changes) * share
        // Three times the mean step is about what a wavering gauge reaches; the least of a longer time goes in fewer and larger steps.
        steps.short += (min(100, abs(now.short - looked.short) * 3) - steps.short) * share
        steps.long += (min(100, abs(now.long - looked.long) * 5) - steps.long) * share
        steps.latest += (min(100, abs(now.latest - looked.latest) * 3) - steps.latest) * share
    }

    /// What queues now is the empty line from here on: the way has become longer.
    package mutating func rebase() {
        let now = standing
        guard now != .max else { return }
        (older, newer) = (now, now)
    }
}
