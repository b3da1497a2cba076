/// Why a description was not taken. `line` counts from 1 in the text, `mediaLine` from 0 among the m-lines.
package enum SDPError: Error, Equatable, Sendable {
    case tooLarge(limit: Int)
    case malformed(line: Int, reason: Malformation)
    case insecure(mediaLine: Int, reason: InsecureReason)
    case unsupported(mediaLine: Int, reason: UnsupportedReason)
    /// A later offer or an answer that does not follow what was agreed before.
    case mismatch(mediaLine: Int, reason: MismatchReason)
}

package enum Malformation: String, Sendable {
    case notText = "the text is not UTF-8"
    case empty = "there is no description; send a complete SDP offer"
    case missingVersion = "the first line must be v=0"
    case missingOrigin = "the second line must be o= with six fields"
    case notTypeAndValue = "a line is a letter, = and a value"
    case lineTooLong = "the line is longer than 8192 bytes"
    case tooManyLines = "there are more than 8192 lines"
    case tooManyMediaLines = "there are more than 32 m-lines"
    case mediaLine = "an m-line is m=kind port protocol formats"
    case noMediaLines = "there is no m-line; offer audio or video"
    case tooManyLayers = "a simulcast has at most 8 layers, and an m-line 32 a=rid"
    case duplicateMID = "two m-lines have the same a=mid"
    case mid = "a=mid wants 1 to 32 characters without space"
    case rtpmap = "a=rtpmap wants a payload type of 0 to 127 and name/rate"
    case fingerprint = "a=fingerprint wants an algorithm and as many hexadecimal pairs as it has"
    case credentials = "a=ice-ufrag wants 4 to 256 and a=ice-pwd 22 to 256 letters, digits, + and /"
    case setup = "a=setup wants actpass, active or passive"
    case candidate = "a=candidate wants foundation, component, protocol, priority, address, port, typ and type"
    case unpairedCredentials = "a=ice-ufrag and a=ice-pwd come together"
}

package enum InsecureReason: String, Sendable {
    case noFingerprint = "there is no a=fingerprint with sha-256, sha-384 or sha-512; media is only taken over DTLS-SRTP"
    case noICECredentials = "there are no a=ice-ufrag and a=ice-pwd"
    case plainRTP = "the m-line is plain RTP; offer UDP/TLS/RTP/SAVPF"
}

package enum UnsupportedReason: String, Sendable {
    case noCommonCodec = "no codec in common; offer Opus (48000/2) for audio and VP8 for video"
    case kind = "only audio and video are taken"
    case protocolName = "the protocol is unknown; offer UDP/TLS/RTP/SAVPF"
    case plainRTP = "the m-line is plain RTP; offer UDP/TLS/RTP/SAVPF"
    case noRTCPMux = "a=rtcp-mux is needed: one port carries all media"
    case notBundled = "the m-line is outside of the first BUNDLE group: one transport carries all media"
    case furtherAudio = "one audio m-line is taken"
    case furtherVideo = "no further video is taken in this direction"
    case peerIsPassive = "the offer says setup:passive, and the server is always passive; offer actpass or active"
    case offeredDisabled = "the m-line was offered with port 0"
    case refusedByPeer = "the peer refused the m-line"
}

package enum MismatchReason: String, Sendable {
    case mediaLinesRemoved = "a later offer must keep all m-lines in their order (port 0 drops one)"
    case mediaLineChanged = "an m-line keeps its kind and a=mid as long as it is in use"
    case fingerprintChanged = "the certificate changed without an ICE restart"
    case setup = "an answer says a=setup:active or passive"
    case payloadType = "the answer uses a payload type that was not offered"
    case peerIsLite = "an ICE-lite peer cannot talk to an ICE-lite server"
}

extension SDPError: CustomStringConvertible {
    /// One line that says where and what to do. It quotes nothing of the text.
    package var description: String {
        switch self {
        case .tooLarge(let limit): "the description is larger than \(limit) bytes"
        case .malformed(let line, let reason): "line \(line): \(reason.rawValue)"
        case .insecure(let line, let reason): "m-line \(line): \(reason.rawValue)"
        case .unsupported(let line, let reason): "m-line \(line): \(reason.rawValue)"
        case .mismatch(let line, let reason): "m-line \(line): \(reason.rawValue)"
        }
    }
}
