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
    /// nil: as wide as needed. Otherwise items wait for those before them, without a bound.
    package var bitsPerSecond: Int?
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

    package init(seed: UInt64, loss: Int = 0, duplication: Int = 0, delay: Duration = .milliseconds(20), jitter: Duration = .zero) {
        generator = SeededGenerator(seed: seed)
        self.loss = loss
        self.duplication = duplication
        self.delay = delay
        self.jitter = jitter
    }

    /// - Parameter bytes: counts only where the line has a width.
    package mutating func send(_ item: Item, bytes: Int = 0, now: Instant) {
        if let bitsPerSecond {
            freeAt = max(now, freeAt) + .nanoseconds(bytes * 8 * 1_000_000_000 / bitsPerSecond)
        } else {
            freeAt = now
        }
        guard Int.random(in: 0..<100, using: &generator) >= loss else { return lost += 1 }
        put(item)
        guard Int.random(in: 0..<100, using: &generator) < duplication else { return }
        doubled += 1
        put(item)
    }

    private mutating func put(_ item: Item) {
        let late = Duration.nanoseconds(Int64.random(in: 0...jitter.nanoseconds, using: &generator))
        waiting.append(Waiting(arrival: freeAt + delay + late, number: numbers, item: item))
        numbers += 1
    }

    /// When to ask for arrivals; nil while nothing is under way.
    package var nextArrival: Instant? { waiting.map(\.arrival).min() }

    /// What has arrived, in the order of arrival.
    package mutating func arrivals(now: Instant) -> [Item] {
        let here = waiting.filter { $0.arrival <= now }.sorted { ($0.arrival, $0.number) < ($1.arrival, $1.number) }
        waiting.removeAll { $0.arrival <= now }
        return here.map(\.item)
    }
}
