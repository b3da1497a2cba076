import COpenSSL

/// The protection profiles that we speak, RFC 5764 §4.1.2 and RFC 7714 §14.2.
package enum SRTPProfile: UInt16, Sendable, CaseIterable {
    case aes128CMSHA1_80 = 0x0001
    case aeadAES128GCM = 0x0007

    var openSSLName: String {
        switch self {
        case .aes128CMSHA1_80: "SRTP_AES128_CM_SHA1_80"
        case .aeadAES128GCM: "SRTP_AEAD_AES_128_GCM"
        }
    }
    /// Bytes.
    var keyLength: Int { 16 }
    var saltLength: Int { self == .aeadAES128GCM ? 12 : 14 }
    /// What `protect` may add to an RTP packet. An RTCP packet grows by four more, its index.
    var tagLength: Int { self == .aeadAES128GCM ? 16 : 10 }
}

/// The master keys of a session, each with its salt behind it as libsrtp wants it.
struct SRTPKeys: Equatable {
    var profile: SRTPProfile
    var local: [UInt8]
    var remote: [UInt8]

    init(profile: SRTPProfile, local: [UInt8], remote: [UInt8]) { (self.profile, self.local, self.remote) = (profile, local, remote) }

    /// The exporter's block is client key, server key, client salt, server salt (RFC 5764 §4.2).
    /// - Returns: nil where the handshake agreed on no profile of ours.
    init?(exportedFrom association: OpaquePointer, role: DTLSTransport.Role) {
        guard let chosen = SSL_get_selected_srtp_profile(association),
            let profile = SRTPProfile(rawValue: UInt16(truncatingIfNeeded: chosen.pointee.id))
        else { return nil }
        let (key, salt) = (profile.keyLength, profile.saltLength)
        var block = [UInt8](repeating: 0, count: 2 * (key + salt))
        let label = "EXTRACTOR-dtls_srtp"
        guard SSL_export_keying_material(association, &block, block.count, label, label.utf8.count, nil, 0, 0) == 1 else { return nil }
        let client = Array(block[..<key] + block[(2 * key)..<(2 * key + salt)])
        let server = Array(block[key..<(2 * key)] + block[(2 * key + salt)...])
        self.init(profile: profile, local: role == .client ? client : server, remote: role == .client ? server : client)
    }
}
