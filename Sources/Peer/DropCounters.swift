/// What was dropped and why: for `/metrics`, one counter a reason. Dropped means without an answer.
package struct DropCounters: Equatable, Sendable {
    package enum Reason: Int, CaseIterable, Sendable {
        case unknownKind
        case stunMalformed, stunForeign, stunIntegrity, stunWouldAmplify
        case dtlsUnknownAddress, dtlsMalformed
        case rtpUnknownAddress, rtpBeforeDTLS
        case srtpReplayed, srtpForged, srtpMalformed
        case rtpMalformed, rtcpMalformed
        case unknownSource, tooManySources, unknownPayloadType
        /// Nothing may be sent yet, or any more.
        case sendNotConnected
        /// Asked for again beyond what may be repaired: too much, or too often.
        case repairRefused
        /// Something else than a handshake before it was done: an alert that proves nothing.
        case dtlsUnproven
        /// A picture that waited for room on the line until a newer one was there.
        case pictureOvertaken

        /// As the label of the metric has it.
        package var label: String {
            switch self {
            case .unknownKind: "unknown_kind"
            case .stunMalformed: "stun_malformed"
            case .stunForeign: "stun_foreign"
            case .stunIntegrity: "stun_integrity"
            case .stunWouldAmplify: "stun_would_amplify"
            case .dtlsUnknownAddress: "dtls_unknown_address"
            case .dtlsMalformed: "dtls_malformed"
            case .rtpUnknownAddress: "rtp_unknown_address"
            case .rtpBeforeDTLS: "rtp_before_dtls"
            case .srtpReplayed: "srtp_replayed"
            case .srtpForged: "srtp_forged"
            case .srtpMalformed: "srtp_malformed"
            case .rtpMalformed: "rtp_malformed"
            case .rtcpMalformed: "rtcp_malformed"
            case .unknownSource: "unknown_source"
            case .tooManySources: "too_many_sources"
            case .unknownPayloadType: "unknown_payload_type"
            case .sendNotConnected: "send_not_connected"
            case .repairRefused: "repair_refused"
            case .dtlsUnproven: "dtls_unproven"
            case .pictureOvertaken: "picture_overtaken"
            }
        }
    }

    private var counts = InlineArray<21, UInt64>(repeating: 0)
    package init() {}

    package subscript(reason: Reason) -> UInt64 { counts[reason.rawValue] }
    package var total: UInt64 { Reason.allCases.reduce(0) { $0 + self[$1] } }

    mutating func count(_ reason: Reason) { counts[reason.rawValue] &+= 1 }

    /// Adds another peer's, for the sum of all that have gone.
    package mutating func add(_ other: DropCounters) { for reason in Reason.allCases { counts[reason.rawValue] &+= other[reason] } }

    package static func == (left: DropCounters, right: DropCounters) -> Bool { Reason.allCases.allSatisfy { left[$0] == right[$0] } }
}
