import Base
import RTP

/// One SSRC of the other side. A value without heap.
struct IncomingStream {
    enum Kind: Equatable { case audio, video(source: Int), retransmission(source: Int) }
    let ssrc: UInt32
    let kind: Kind
    /// Place in the negotiated layers: of the RID, or of the repaired RID for retransmissions (RFC 8852). Senders name it in their first packets only.
    var layer: Int?
    var reception: ReceptionStatistics
    /// What our own reports say of it.
    var told = ReportedLoss()
    /// Said goodbye. It is kept, since libsrtp keeps its stream too, and it may come back.
    private(set) var hasLeft = false
    private var lastHeard = Instant.start
    /// Silent for so long, a source gives its place to another one that comes.
    private static let patience = Duration.seconds(60)

    init(ssrc: UInt32, kind: Kind) {
        (self.ssrc, self.kind) = (ssrc, kind)
        reception = ReceptionStatistics(clockRate: kind == .audio ? 48_000 : 90_000)
    }

    mutating func received(_ header: RTPHeader, now: Instant) {
        hasLeft = false
        lastHeard = now
        reception.receive(sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, now: now)
    }

    mutating func leave() { hasLeft = true }

    /// Whether another source may have its place.
    func isGone(_ now: Instant) -> Bool { hasLeft || now - lastHeard > Self.patience }
}
