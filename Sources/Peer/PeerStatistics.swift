/// How the line of one peer is, as `SessionSnapshot` wants it.
package struct PeerStatistics: Equatable, Sendable {
    /// Fraction lost over the last five seconds of what the peer sends, by packets, 0 … 1.
    package var lossUp = 0.0
    /// The same of what we send, as the peer tells; of packets before they were sent again.
    package var lossDown = 0.0
    /// Interarrival jitter of the peer's sound, or of its picture where it sends none (RFC 3550 §6.4.1).
    package var jitterMilliseconds = 0.0
    /// The same of what we send, as the peer reports.
    package var jitterDownMilliseconds = 0.0
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
    /// What the peer asked to be sent at the most (REMB), bit/s; nil where it does not ask.
    package var estimatedBitsPerSecond: Int?
    /// What the line to the peer was found to carry, headers included, bit/s; nil where that is not known, or more than anyone needs.
    package var lineBitsPerSecond: Int?
    /// Bytes of padding that were sent to find out what the line carries.
    package var paddingBytesSent: UInt64 = 0
    package var retransmittedBytesSent: UInt64 = 0
    package var nacksReceived: UInt64 = 0
    /// Over the whole session, as reports say: packets that we sent, and those of them that were lost.
    package var packetsReported: UInt64 = 0
    package var packetsReportedLost: UInt64 = 0
    package init() {}
}
