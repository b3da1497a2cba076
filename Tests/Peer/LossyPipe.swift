import Base
import RTP
import TestSupport

/// A line in both directions between two ends, in virtual time: loses, delays and reorders by a seed.
struct LossyPipe {
    struct Datagram {
        var arrival: Instant
        var toServer: Bool
        var bytes: [UInt8]
    }
    var generator: SeededGenerator
    /// Percent.
    var loss: Int
    var delay = Duration.milliseconds(20)
    /// Each datagram is late by up to this, so that they overtake each other.
    var jitter = Duration.milliseconds(15)
    var waiting: [Datagram] = []
    var largest = 0

    init(seed: UInt64, loss: Int) { (generator, self.loss) = (SeededGenerator(seed: seed), loss) }

    mutating func send(_ bytes: [UInt8], toServer: Bool, now: Instant) {
        largest = max(largest, bytes.count)
        guard Int.random(in: 0..<100, using: &generator) >= loss else { return }
        let late = Duration.nanoseconds(Int64.random(in: 0...jitter.nanoseconds, using: &generator))
        waiting.append(Datagram(arrival: now + delay + late, toServer: toServer, bytes: bytes))
    }

    var nextArrival: Instant? { waiting.map(\.arrival).min() }

    /// The datagrams that have arrived, in order of arrival.
    mutating func arrivals(now: Instant) -> [Datagram] {
        let here = waiting.filter { $0.arrival <= now }.sorted { $0.arrival < $1.arrival }
        waiting.removeAll { $0.arrival <= now }
        return here
    }
}
