import Base
import TestSupport
import Testing

@testable import Peer

/// Two peers with a line of its own in each direction between them, in virtual time.
protocol OverLine {
    var pair: PeerPair { get set }
    var down: SimulatedLink<[UInt8]> { get set }
    var up: SimulatedLink<[UInt8]> { get set }
    /// Puts on the lines what the peers have said, and counts.
    mutating func flush()
}

extension OverLine {
    /// Everything that is due up to `end`.
    mutating func pass(until end: Instant) {
        flush()
        var steps = 0
        while let next = [down.nextArrival, up.nextArrival, pair.server.deadline, pair.endpoint.deadline].compactMap({ $0 }).min(),
            next <= end
        {
            steps += 1
            guard steps < 10_000 else {
                Issue.record("a deadline that stays in the past")
                break
            }
            pair.now = max(pair.now, next)
            for bytes in down.arrivals(now: pair.now) { pair.deliver(bytes, toServer: false) }
            for bytes in up.arrivals(now: pair.now) { pair.deliver(bytes, toServer: true) }
            if let due = pair.server.deadline, due <= pair.now { pair.server.handleTimer(now: pair.now, sink: &pair.atServer) }
            if let due = pair.endpoint.deadline, due <= pair.now { pair.endpoint.handleTimer(now: pair.now, sink: &pair.atEndpoint) }
            flush()
        }
        pair.now = end
    }
}
