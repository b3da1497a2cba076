/// What of a session's packets was no first sending of sound or picture: summed over sessions for `/metrics`.
package struct Traffic: Equatable, Sendable {
    package var retransmissions: UInt64 = 0
    package var retransmittedBytes: UInt64 = 0
    package var paddingBytes: UInt64 = 0
    package var nacksReceived: UInt64 = 0
    package var nacksSent: UInt64 = 0
    package var keyFramesRequested: UInt64 = 0

    package init() {}

    package mutating func add(_ statistics: PeerStatistics) {
        retransmissions &+= statistics.retransmissionsSent
        retransmittedBytes &+= statistics.retransmittedBytesSent
        paddingBytes &+= statistics.paddingBytesSent
        nacksReceived &+= statistics.nacksReceived
        nacksSent &+= statistics.nacksSent
        keyFramesRequested &+= statistics.keyFramesRequested
    }

    package mutating func add(_ other: Traffic) {
        retransmissions &+= other.retransmissions
        retransmittedBytes &+= other.retransmittedBytes
        paddingBytes &+= other.paddingBytes
        nacksReceived &+= other.nacksReceived
        nacksSent &+= other.nacksSent
        keyFramesRequested &+= other.keyFramesRequested
    }
}
