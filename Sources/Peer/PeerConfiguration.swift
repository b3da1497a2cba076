import ICE
import RTP
import SDP

/// What a peer is made from.
package struct PeerConfiguration: Sendable {
    package enum Role: Sendable {
        /// ICE-lite: answers checks.
        case server
        /// Full ICE, controlling: sends checks. `seed` makes its transaction identifiers.
        case endpoint(seed: UInt64)
    }
    package var role: Role
    package var identity: DTLSIdentity
    package var localCredentials: ICECredentials
    package var negotiated: NegotiatedSession
    /// Names our sources in SDES; the same for sound and picture, which is what makes receivers keep them together.
    package var cname: String
    /// Where sequence numbers and timestamp offsets start. Different for each peer; random outside of tests.
    package var seed: UInt64
    /// NTP time (RFC 5905, seconds since 1900 in the upper half) at `Instant.start`, for sender reports.
    package var ntpAtStart: UInt64
    /// What REMB asks of the sender at most, bit/s.
    package var receiveCap = Self.receiveCap
    package static let receiveCap = 1_200_000
    /// What the line to the peer is measured against where it gives feedback: the server's tiers, or an endpoint's own pictures (`TierTable.ready`). nil: what
    /// is given to be sent is sent, whatever the line does.
    package var sendingTable: TierTable?
    package var profiles: [SRTPProfile] = [.aeadAES128GCM, .aes128CMSHA1_80]

    package init(
        role: Role, identity: DTLSIdentity, localCredentials: ICECredentials, negotiated: NegotiatedSession, cname: String, seed: UInt64,
        ntpAtStart: UInt64
    ) {
        self.role = role
        self.identity = identity
        self.localCredentials = localCredentials
        self.negotiated = negotiated
        (self.cname, self.seed, self.ntpAtStart) = (cname, seed, ntpAtStart)
        if case .server = role { sendingTable = .usual }
    }
}

extension HeaderExtensionMap {
    /// What we read, of all m-lines together.
    init(_ session: NegotiatedSession) {
        self.init()
        for stream in [session.audio?.stream, session.video?.stream] + session.furtherVideos.map({ $0.stream }) {
            guard let ids = stream?.receiveExtensions else { continue }
            mid = mid ?? ids.mid
            rid = rid ?? ids.streamID
            repairedRID = repairedRID ?? ids.repairedStreamID
            audioLevel = audioLevel ?? ids.audioLevel
            absoluteSendTime = absoluteSendTime ?? ids.absoluteSendTime
            transportSequenceNumber = transportSequenceNumber ?? ids.transportSequence
        }
    }
}
