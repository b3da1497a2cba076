import Base
import ICE

/// What our side brings to a negotiation. The caller makes it; nothing is drawn at random here.
package struct LocalParameters: Sendable {
    /// One stream that we may send: its SSRCs and the names of a=msid.
    package struct Source: Equatable, Sendable {
        package var ssrc: UInt32
        package var rtxSSRC: UInt32?
        package var trackID: String
        package init(ssrc: UInt32, rtxSSRC: UInt32? = nil, trackID: String) {
            (self.ssrc, self.rtxSSRC, self.trackID) = (ssrc, rtxSSRC, trackID)
        }
    }

    package var credentials: ICECredentials
    package var fingerprint: Fingerprint
    package var candidates: [TransportAddress]
    /// The first number of the o-line, below 2^63.
    package var sessionID: UInt64
    package var cname: String
    package var streamID: String
    package var audio: Source
    package var video: Source
    /// What our side is able to do at all; the offer's direction limits it further.
    package var canSend = true
    package var canReceive = true
    /// Second and later videos that the peer sends (a shared screen); else port 0.
    package var acceptsFurtherVideo = false
    /// Each candidate takes TCP connections too (RFC 6544, passive).
    package var takesTCP = false
    /// b=TIAS of each video that we receive, bit/s.
    package var maxReceiveBitsPerSecond: Int?
    /// The same where it comes in several layers.
    package var maxSimulcastBitsPerSecond: Int?

    package init(
        credentials: ICECredentials, fingerprint: Fingerprint, candidates: [TransportAddress], sessionID: UInt64, cname: String,
        streamID: String, audio: Source, video: Source
    ) {
        (self.credentials, self.fingerprint, self.candidates) = (credentials, fingerprint, candidates)
        self.sessionID = sessionID & .max >> 1
        self.cname = cname
        self.streamID = streamID
        self.audio = audio
        self.video = video
    }
}
