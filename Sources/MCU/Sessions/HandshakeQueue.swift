/// Datagrams of DTLS handshakes that wait for their turn. Each costs up to a millisecond of elliptic curves; when a whole country joins at once they would stand
/// before the sound of those who are already in. So few are handled in one turn of a worker, the others in the turns that follow, in the order in which they came.
struct HandshakeQueue<Datagram> {
    /// Handled in one turn; a handshake has three or four.
    static var perTurn: Int { 8 }
    /// More are dropped: DTLS sends them again.
    static var mostWaiting: Int { 1_024 }

    private var waiting: [Datagram] = []
    private var next = 0
    private var left = perTurn

    var count: Int { waiting.count - next }

    mutating func beginTurn() { left = Self.perTurn }

    /// Whether one that has just come is handled now; then it counts.
    mutating func admits() -> Bool {
        guard count == 0, left > 0 else { return false }
        left -= 1
        return true
    }

    /// Keeps one for later.
    /// - Returns: false where it was dropped.
    mutating func postpone(_ datagram: Datagram) -> Bool {
        guard count < Self.mostWaiting else { return false }
        waiting.append(datagram)
        return true
    }

    /// The next that waits; nil when this turn has had its share.
    mutating func take() -> Datagram? {
        guard left > 0, count > 0 else { return nil }
        left -= 1
        defer {
            next += 1
            if next == waiting.count { (waiting, next) = ([], 0) }
        }
        return waiting[next]
    }
}
