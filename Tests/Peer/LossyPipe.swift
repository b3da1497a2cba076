import Base
import RTP
import TestSupport

/// A line in both directions between two ends, in virtual time: loses, doubles, delays and reorders by a seed.
struct LossyPipe {
    struct Datagram {
        var arrival: Instant
        var toServer: Bool
        var bytes: [UInt8]
    }
    var generator: SeededGenerator
    /// Percent.
    var loss: Int
    /// Percent of what arrives that arrives once more.
    var duplication = 0
    var delay = Duration.milliseconds(20)
    /// Each datagram is late by up to this, so that they overtake each other.
    var jitter = Duration.milliseconds(15)
    var waiting: [Datagram] = []
    var largest = 0
    /// What was lost; kept only where `keepsLost`.
    var lost: [Datagram] = []
    var keepsLost = false

    init(seed: UInt64, loss: Int) { (generator, self.loss) = (SeededGenerator(seed: seed), loss) }

    mutating func send(_ bytes: [UInt8], toServer: Bool, now: Instant) {
        largest = max(largest, bytes.count)
        guard Int.random(in: 0..<100, using: &generator) >= loss else {
            if keepsLost { lost.append(Datagram(arrival: now, toServer: toServer, bytes: bytes)) }
            return
        }
        put(bytes, toServer: toServer, now: now)
        if duplication > 0, Int.random(in: 0..<100, using: &generator) < duplication { put(bytes, toServer: toServer, now: now) }
    }

    private mutating func put(_ bytes: [UInt8], toServer: Bool, now: Instant) {
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
