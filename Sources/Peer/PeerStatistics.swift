/// How the line of one peer is, as `SessionSnapshot` wants it.
package struct PeerStatistics: Equatable, Sendable {
    /// Fraction lost in the last report interval of what the peer sends, 0 … 1.
    package var lossUp = 0.0
    /// The same of what we send, as the peer reports.
    package var lossDown = 0.0
    /// Interarrival jitter of the peer's sound, or of its picture where it sends none (RFC 3550 §6.4.1).
    package var jitterMilliseconds = 0.0
    /// nil before the first report block that answers a sender report of ours.
    package var roundTripMilliseconds: Double?
    package var packetsReceived: UInt64 = 0
    package var packetsSent: UInt64 = 0
    /// UDP payload, everything included.
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var audioPacketsReceived: UInt64 = 0
    package var videoFramesReceived: UInt64 = 0
    package var audioPacketsSent: UInt64 = 0
    package var videoFramesSent: UInt64 = 0
    package var retransmissionsSent: UInt64 = 0
    package var nacksSent: UInt64 = 0
    package var keyFramesRequested: UInt64 = 0
    /// What the line can carry to the peer, bit/s; nil before anything was learnt.
    package var estimatedBitsPerSecond: Int?
    package init() {}
}
