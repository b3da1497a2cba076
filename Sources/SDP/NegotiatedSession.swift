import Base
import ICE

/// What an offer and its answer agreed on, seen from our side: "send" is from us to the peer. A value, ready to be handed to another thread.
package struct NegotiatedSession: Equatable, Sendable {
    /// What the offer's directions made of the peer.
    package enum Kind: String, Sendable { case participant, publisher, viewer }

    /// One m-line, in order: what a later offer is held against (RFC 9429 §5.2.2).
    package struct MediaLine: Equatable, Sendable {
        package var kind: String
        package var mid: String
        /// Why it has port 0 in the answer; nil where it is accepted.
        package var refusal: UnsupportedReason?
    }

    package var kind: Kind
    package var remoteCredentials: ICECredentials
    /// UDP candidates of component 1 with literal addresses; mDNS names are left out. Ours to check only where the peer is lite.
    package var remoteCandidates: [TransportAddress]
    package var remoteIsLite: Bool
    package var remoteFingerprints: [Fingerprint]
    /// As the peer said it; `actpass` is only found in offers.
    package var remoteSetup: SetupRole
    /// What we do in DTLS: as answerer always the server.
    package var isDTLSClient: Bool
    package var audio: NegotiatedAudio?
    package var video: NegotiatedVideo?
    /// Second and later accepted videos, such as a shared screen: received only.
    package var furtherVideos: [NegotiatedVideo] = []
    package var mediaLines: [MediaLine]
    /// This offer came with other credentials than the previous one: a new pair of ours must be in the answer (RFC 8839 §4.4.1).
    package var isICERestart = false
    /// The version in the o-line of our description; grows with each.
    package var localVersion: UInt64
}

/// The peer's part in the DTLS handshake, RFC 8842 §5.2.
package enum SetupRole: String, Sendable { case active, passive, actpass }

/// Feedback messages that both sides named for a codec, RFC 4585 §4.2.
package struct FeedbackFlags: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let nack = FeedbackFlags(rawValue: 1)
    package static let pictureLoss = FeedbackFlags(rawValue: 2)
    package static let fullIntraRequest = FeedbackFlags(rawValue: 4)
    package static let remb = FeedbackFlags(rawValue: 8)
    package static let transportWide = FeedbackFlags(rawValue: 16)
}

/// The ids of the header extensions in use on an m-line, nil where one is not negotiated. 1–14 fit the one-byte form, higher ones need
/// the two-byte form (RFC 8285 §4).
package struct ExtensionIDs: Equatable, Sendable {
    package var mid: UInt8?
    package var streamID: UInt8?
    package var repairedStreamID: UInt8?
    package var audioLevel: UInt8?
    package var absoluteSendTime: UInt8?
    package var transportSequence: UInt8?
    package init() {}
}

/// One SSRC of the peer, with the SSRC of its retransmissions where an FID group names one (RFC 5576 §4.2).
package struct RemoteSource: Equatable, Sendable {
    package var ssrc: UInt32
    package var rtxSSRC: UInt32?
}

/// What audio and video have in common.
package struct NegotiatedStream: Equatable, Sendable {
    package var mediaLine: Int
    /// Empty where the offer had none.
    package var mid: String
    /// The same number is used in both directions: the answerer keeps the offerer's.
    package var payloadType: UInt8
    package var rtxPayloadType: UInt8?
    package var feedback: FeedbackFlags
    package var sendExtensions: ExtensionIDs
    package var receiveExtensions: ExtensionIDs
    package var receives: Bool
    package var sends: Bool
    /// At most 16, in the order of the description. May be empty: then streams are known by MID and RID.
    package var remoteSources: [RemoteSource]
    package var localSSRC: UInt32
    package var localRTXSSRC: UInt32?
    /// What the peer is willing to receive on this m-line, b=TIAS or b=AS, in bit/s.
    package var maxBitsPerSecond: Int?
    /// a=rtcp-rsize: feedback need not begin with a report (RFC 5506).
    package var reducedSizeRTCP: Bool
}

package struct NegotiatedAudio: Equatable, Sendable {
    package var stream: NegotiatedStream
    /// What the peer would like to receive, RFC 7587 §6.1.
    package var useInbandFEC: Bool
    package var useDTX: Bool
    package var isStereo: Bool
    package var maxAverageBitsPerSecond: Int?
    /// Hz: of what is above half of it nothing is played.
    package var maxPlaybackRate: Int?
    /// The longest packet that the peer takes, a=maxptime (RFC 8866 §6.4).
    package var maxPacketMilliseconds: Int?
    /// Of sound with redundancy, RFC 2198; nil where that was not offered for this Opus.
    package var redundantPayloadType: UInt8?
}

package struct NegotiatedVideo: Equatable, Sendable {
    /// A layer of a simulcast that we receive, best known by its RID (RFC 8853).
    package struct Layer: Equatable, Sendable {
        package var rid: String
        package var isPaused: Bool
    }
    package var stream: NegotiatedStream
    /// In the order of the offer; empty without simulcast.
    package var layers: [Layer]
}
