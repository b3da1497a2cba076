/// Who may hold how many connections. Pure bookkeeping of the service thread: it decides, the loop closes.
///
/// A connection is *unproven* until a request has come whole, head and body; after that it is *idle* between requests. Both may be asked to go for
/// a newcomer, the oldest unproven first. One with an answer under way or a WebSocket never is.
struct ConnectionBounds {
    enum State: Sendable { case unproven, busy, idle }
    /// What becomes of a newcomer: `leave` is the connection that goes for it.
    enum Verdict: Equatable { case refuse, take(leave: UInt64?) }
    /// How an address is counted.
    enum Origin: Equatable {
        case stranger
        /// The machine itself (127.0.0.1, ::1): whoever watches its health must get through, and local tools have many connections.
        case machine
        /// A trusted proxy: behind it are many.
        case proxy
    }
    private struct Entry {
        var address: String
        var state: State
        /// Counts up with each change of state: the smallest is the oldest.
        var since: UInt64
    }

    let limit: Int
    let perAddress: Int
    let unprovenPerAddress: Int
    let perMachine: Int
    /// Kept for the machine itself.
    let reserve: Int
    private var entries: [UInt64: Entry] = [:]
    private var byAddress: [String: (all: Int, unproven: Int)] = [:]
    private var clock: UInt64 = 0

    init(limit: Int, perAddress: Int, unprovenPerAddress: Int, perMachine: Int) {
        (self.limit, self.perAddress, self.unprovenPerAddress) = (limit, perAddress, unprovenPerAddress)
        (self.perMachine, reserve) = (perMachine, min(16, limit / 8))
    }

    var count: Int { entries.count }
    func count(of address: String) -> Int { byAddress[address]?.all ?? 0 }

    /// Asked before a connection is taken. `leave` is forgotten here at once; its own end is then no news.
    mutating func ask(_ address: String, _ origin: Origin) -> Verdict {
        let have = byAddress[address] ?? (0, 0)
        var leaving: UInt64?
        if origin == .stranger && have.all >= perAddress || origin == .machine && have.all >= perMachine {
            leaving = oldest(of: address)
            if leaving == nil { return .refuse }
        } else if origin != .proxy && have.unproven >= unprovenPerAddress {
            leaving = oldest(of: address, .unproven)
        } else if entries.count >= limit / 4 * 3 {
            leaving = oldest()
        }
        let left = entries.count - (leaving == nil ? 0 : 1)
        guard left < (origin == .machine ? limit : limit - reserve) else { return .refuse }
        if let leaving { remove(leaving) }
        return .take(leave: leaving)
    }

    mutating func add(_ id: UInt64, _ address: String) {
        clock += 1
        entries[id] = Entry(address: address, state: .unproven, since: clock)
        byAddress[address, default: (0, 0)].all += 1
        byAddress[address, default: (0, 0)].unproven += 1
    }

    mutating func set(_ id: UInt64, _ state: State) {
        guard var entry = entries[id], entry.state != state else { return }
        clock += 1
        byAddress[entry.address, default: (0, 0)].unproven += (state == .unproven ? 1 : 0) - (entry.state == .unproven ? 1 : 0)
        (entry.state, entry.since) = (state, clock)
        entries[id] = entry
    }

    mutating func remove(_ id: UInt64) {
        guard let entry = entries.removeValue(forKey: id), var have = byAddress[entry.address] else { return }
        have.all -= 1
        if entry.state == .unproven { have.unproven -= 1 }
        byAddress[entry.address] = have.all > 0 ? have : nil
    }

    /// The oldest that has not proven itself, and only where there is none the one that is idle the longest.
    private func oldest(of address: String? = nil, _ only: State? = nil) -> UInt64? {
        var found: (id: UInt64, rank: Int, since: UInt64)?
        for (id, entry) in entries where entry.state != .busy && (address == nil || entry.address == address) {
            guard only == nil || entry.state == only else { continue }
            let rank = entry.state == .unproven ? 0 : 1
            if let found, (found.rank, found.since) < (rank, entry.since) { continue }
            found = (id, rank, entry.since)
        }
        return found?.id
    }
}
