import Base
import ICE

/// Which TCP connections are there, who may have another, and which must go. Sans-IO: the thread that owns the sockets asks and tells.
///
/// A connection costs nothing before it has proved the password of a session: it has five seconds for that and 32 frames, of which the first must be STUN. One that
/// proved it may be silent for thirty seconds, as long as consent lasts (RFC 7675), and may leave what is sent to it lying for ten.
struct StreamBook {
    enum Ending: Int, CaseIterable, Sendable {
        case closedByPeer, badFrame, notSTUN, tooManyFrames, unproven, idle, slowReader

        var label: String {
            switch self {
            case .closedByPeer: "closed"
            case .badFrame: "bad_frame"
            case .notSTUN: "not_stun"
            case .tooManyFrames: "too_many_frames"
            case .unproven: "unproven"
            case .idle: "idle"
            case .slowReader: "slow_reader"
            }
        }
    }

    static let mostConnections = 1_024
    /// Of one address; a whole office may be behind one.
    static let mostOfAddress = 64
    /// Of these, such that have proved nothing.
    static let mostUnproven = 16
    static let mostUnprovenFrames = 32
    static let provesWithin = Duration.seconds(5)
    static let idleFor = Duration.seconds(30)
    static let readsWithin = Duration.seconds(10)

    private struct Connection {
        var address: TransportAddress
        var opened: Instant
        var heard: Instant
        var frames = 0
        var isProven = false
        /// Since when something waits that the other side does not take.
        var stuckSince: Instant?
    }

    private struct Host: Hashable {
        var high: UInt64
        var low: UInt64
        init(_ address: TransportAddress) { (high, low) = (address.high, address.low) }
    }

    private var connections: [Connection?]
    private var free: [Int]
    private var hosts: [Host: (all: Int, unproven: Int)] = [:]
    private(set) var refused: UInt64 = 0
    private(set) var accepted: UInt64 = 0
    private(set) var endings = [UInt64](repeating: 0, count: Ending.allCases.count)

    init(most: Int = mostConnections) {
        connections = Array(repeating: nil, count: most)
        free = Array((0..<most).reversed())
    }

    var count: Int { connections.count - free.count }

    /// - Returns: the connection's address, with its number; nil where it is one too many.
    mutating func open(from source: TransportAddress, now: Instant) -> TransportAddress? {
        let host = hosts[Host(source)] ?? (0, 0)
        guard host.all < Self.mostOfAddress, host.unproven < Self.mostUnproven, let number = free.popLast() else {
            refused &+= 1
            return nil
        }
        accepted &+= 1
        hosts[Host(source)] = (host.all + 1, host.unproven + 1)
        let address = source.ofStream(number)
        connections[number] = Connection(address: address, opened: now, heard: now)
        return address
    }

    mutating func close(_ number: Int, _ ending: Ending) {
        guard connections.indices.contains(number), let gone = connections[number] else { return }
        endings[ending.rawValue] &+= 1
        connections[number] = nil
        free.append(number)
        let host = Host(gone.address)
        guard let left = hosts[host].map({ ($0.all - 1, $0.unproven - (gone.isProven ? 0 : 1)) }) else { return }
        hosts[host] = left.0 > 0 ? left : nil
    }

    /// A frame came.
    /// - Parameter isProven: whether the server has answered this connection, which it does only for who knows a session's password.
    /// - Returns: why the connection ends; nil where the frame may be handed on.
    mutating func take(_ frame: RawSpan, of number: Int, isProven: Bool, now: Instant) -> Ending? {
        guard connections.indices.contains(number), var one = connections[number] else { return .closedByPeer }
        if isProven, !one.isProven {
            one.isProven = true
            hosts[Host(one.address)]?.unproven -= 1
        }
        one.frames += 1
        one.heard = now
        connections[number] = one
        guard !one.isProven else { return nil }
        if one.frames == 1, DatagramKind(frame) != .stun { return .notSTUN }
        return one.frames > Self.mostUnprovenFrames ? .tooManyFrames : nil
    }

    /// - Parameter isStuck: something waits that the connection does not take.
    mutating func wrote(_ number: Int, isStuck: Bool, moved: Bool, now: Instant) {
        guard connections.indices.contains(number) else { return }
        if !isStuck {
            connections[number]?.stuckSince = nil
        } else if moved || connections[number]?.stuckSince == nil {
            connections[number]?.stuckSince = now
        }
    }

    /// Which must go now, and why, into `ended`.
    func overdue(now: Instant, isProven: (Int) -> Bool, into ended: inout [(number: Int, ending: Ending)]) {
        for number in connections.indices {
            guard let one = connections[number] else { continue }
            if let since = one.stuckSince, now - since > Self.readsWithin {
                ended.append((number, .slowReader))
            } else if now - one.heard > Self.idleFor {
                ended.append((number, .idle))
            } else if !one.isProven, now - one.opened > Self.provesWithin, !isProven(number) {
                ended.append((number, .unproven))
            }
        }
    }
}
