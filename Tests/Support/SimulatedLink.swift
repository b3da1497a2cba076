import Base
import RTP

/// One direction of a line in virtual time: it loses, doubles, delays and reorders by a seed. Sans-IO: it says when something arrives, and hands it
/// out when it is asked.
package struct SimulatedLink<Item> {
    /// Percent of what is sent.
    package var loss: Int
    /// Percent of what arrives that arrives once more.
    package var duplication: Int
    package var delay: Duration
    /// Each item is late by up to this, so that they overtake each other.
    package var jitter: Duration
    /// Late items hold up those behind them instead of being overtaken.
    package var isOrdered = false
    /// Lateness comes and goes in straight lines between values drawn 30 to 120 ms apart, as the lines of the rig have it, instead of being drawn for each item.
    package var isWavy = false
    private var wave: (from: Instant, until: Instant, before: Duration, after: Duration) = (.start, .start, .zero, .zero)
    /// nil: as wide as needed. Otherwise items wait for those before them.
    package var bitsPerSecond: Int?
    /// Who would wait longer than this is dropped; nil: no bound.
    package var queue: Duration?
    /// Mean length of a run of losses; 1: each by itself.
    package var burst = 1
    /// Nothing gets through.
    package var isCut = false
    /// Of bounded queues.
    package private(set) var dropped = 0
    package private(set) var lost = 0
    package private(set) var doubled = 0

    private struct Waiting {
        var arrival: Instant
        /// The order of sending decides between those that arrive in one moment.
        var number: Int
        var item: Item
    }

    private var generator: SeededGenerator
    private var waiting: [Waiting] = []
    private var numbers = 0
    private var freeAt = Instant.start
    private var lastArrival = Instant.start
    private var isLosing = false

    package init(seed: UInt64, loss: Int = 0, duplication: Int = 0, delay: Duration = .milliseconds(20), jitter: Duration = .zero) {
        generator = SeededGenerator(seed: seed)
        self.loss = loss
        self.duplication = duplication
        self.delay = delay
        self.jitter = jitter
    }

    /// - Parameter bytes: counts only where the line has a width.
    package mutating func send(_ item: Item, bytes: Int = 0, now: Instant) {
        guard !isCut else { return lost += 1 }
        if let bitsPerSecond {
            if let queue, freeAt - now > queue { return dropped += 1 }
            freeAt = max(now, freeAt) + .nanoseconds(bytes * 8 * 1_000_000_000 / bitsPerSecond)
        } else {
            freeAt = now
        }
        guard !isLost() else { return lost += 1 }
        put(item)
        guard Int.random(in: 0..<100, using: &generator) < duplication else { return }
        doubled += 1
        put(item)
    }

    /// How long an item that is sent now waits for those before it.
    package func waits(now: Instant) -> Duration { bitsPerSecond == nil ? .zero : max(.zero, freeAt - now) }

    private mutating func isLost() -> Bool {
        guard burst > 1 else { return Int.random(in: 0..<100, using: &generator) < loss }
        // Two states: a run ends with the chance that makes it `burst` long, and begins with the one that makes runs `loss` percent of all.
        let odds = isLosing ? 10_000 / burst : loss * 10_000 / max(1, burst * (100 - loss))
        if Int.random(in: 0..<10_000, using: &generator) < odds { isLosing.toggle() }
        return isLosing
    }

    private mutating func put(_ item: Item) {
        let late = isWavy ? wavyLateness() : Duration.nanoseconds(Int64.random(in: 0...jitter.nanoseconds, using: &generator))
        var arrival = freeAt + delay + late
        if isOrdered {
            arrival = max(arrival, lastArrival)
            lastArrival = arrival
        }
        waiting.append(Waiting(arrival: arrival, number: numbers, item: item))
        nextArrival = min(nextArrival ?? arrival, arrival)
        numbers += 1
    }

    private mutating func wavyLateness() -> Duration {
        while wave.until <= freeAt {
            let next = Duration.nanoseconds(Int64.random(in: 0...jitter.nanoseconds, using: &generator))
            // After a silence it begins anew.
            let from = freeAt - wave.until > .seconds(1) ? freeAt - .milliseconds(1) : wave.until
            wave = (from, from + .milliseconds(Int.random(in: 30...120, using: &generator)), wave.after, next)
        }
        let share = (freeAt - wave.from).seconds / (wave.until - wave.from).seconds
        return .nanoseconds(wave.before.nanoseconds + Int64(Double((wave.after - wave.before).nanoseconds) * min(1, max(0, share))))
    }

    /// When to ask for arrivals; nil while nothing is under way.
    package private(set) var nextArrival: Instant?

    /// What has arrived, in the order of arrival.
    package mutating func arrivals(now: Instant) -> [Item] {
        guard let nextArrival, nextArrival <= now else { return [] }
        let here = waiting.filter { $0.arrival <= now }.sorted { ($0.arrival, $0.number) < ($1.arrival, $1.number) }
        waiting.removeAll { $0.arrival <= now }
        self.nextArrival = waiting.map(\.arrival).min()
        return here.map(\.item)
    }
}
