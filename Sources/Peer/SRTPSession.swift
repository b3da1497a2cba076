import CSRTP

/// Why a packet could not be sealed or opened.
enum SRTPError: Error, Equatable {
    /// Seen before, or older than the window.
    case replayed
    /// The tag does not fit the packet.
    case forged
    /// Too short, or not what it says it is.
    case malformed
    /// The buffer has no room for the tag, or the packet is longer than the buffer.
    case noRoom
    /// The key has sealed all that it may.
    case exhausted
    /// The library refused, with its code.
    case library(UInt32)

    init(_ status: srtp_err_status_t) {
        switch status {
        case srtp_err_status_replay_fail, srtp_err_status_replay_old: self = .replayed
        case srtp_err_status_auth_fail: self = .forged
        case srtp_err_status_bad_param, srtp_err_status_parse_err: self = .malformed
        default: self = .library(status.rawValue)
        }
    }
}

/// Seals and opens the packets of one session in place (RFC 3711, RFC 7714). Both directions, any SSRC.
///
/// What is behind it is libsrtp2 with OpenSSL's ciphers (`SRTPEngine`), RTP packets that leave under GCM excepted (`GCMSealer`). Whoever calls bounds the number of SSRCs: each new one costs libsrtp2 a stream.
struct SRTPSession: ~Copyable {
    /// Packets; video at 2 Mbit/s fills it in about five seconds.
    static let replayWindow: UInt = 1_024
    /// The most that sealing adds: a tag of 16 and the RTCP index.
    static let overhead = 20

    let profile: SRTPProfile
    private let outbound: srtp_t
    private let inbound: srtp_t
    /// nil under AES-CM.
    private var sealer: GCMSealer?

    init(keys: borrowing SRTPKeys) throws(SRTPError) {
        let library = SRTPEngine.status.library
        guard library == srtp_err_status_ok else { throw SRTPError(library) }
        let sealer = keys.profile == .aeadAES128GCM ? try GCMSealer(key: keys.local) : nil
        let outbound = try Self.make(keys.profile, key: keys.local, ssrc_any_outbound)
        do {
            inbound = try Self.make(keys.profile, key: keys.remote, ssrc_any_inbound)
        } catch {
            srtp_dealloc(outbound)
            throw error
        }
        self.outbound = outbound
        self.sealer = consume sealer
        profile = keys.profile
    }

    deinit {
        srtp_dealloc(outbound)
        srtp_dealloc(inbound)
    }

    private static func make(_ profile: SRTPProfile, key: [UInt8], _ direction: srtp_ssrc_type_t) throws(SRTPError) -> srtp_t {
        guard key.count == profile.keyLength + profile.saltLength else { throw .malformed }
        var policy = srtp_policy_t()
        switch profile {
        case .aes128CMSHA1_80:
            srtp_crypto_policy_set_rtp_default(&policy.rtp)
            srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        case .aeadAES128GCM:
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        }
        policy.ssrc = srtp_ssrc_t(type: direction, value: 0)
        policy.window_size = replayWindow
        policy.allow_repeat_tx = 0  // a retransmission is a packet of the RTX stream, with its own sequence number
        var session: srtp_t?
        var key = key
        let status = key.withUnsafeMutableBufferPointer { key in
            policy.key = key.baseAddress
            return srtp_create(&session, &policy)
        }
        guard status == srtp_err_status_ok, let session else { throw SRTPError(status) }
        return session
    }

    /// - Parameter buffer: the packet in the first `length` bytes, and room for `overhead` behind them.
    /// - Returns: the bytes of the sealed packet.
    mutating func protectRTP(_ buffer: inout MutableSpan<UInt8>, length: Int) throws(SRTPError) -> Int {
        guard length >= 12, length + Self.overhead <= buffer.count else { throw .noRoom }
        if let sealed = try sealer?.seal(&buffer, length: length) { return sealed }
        return try Self.run(&buffer, length) { srtp_protect(outbound, $0, $1) }
    }

    mutating func protectRTCP(_ buffer: inout MutableSpan<UInt8>, length: Int) throws(SRTPError) -> Int {
        guard length >= 8, length + Self.overhead <= buffer.count else { throw .noRoom }
        return try Self.run(&buffer, length) { srtp_protect_rtcp(outbound, $0, $1) }
    }

    /// - Parameter packet: the datagram; opened in place.
    /// - Returns: the bytes of the plain packet.
    mutating func unprotectRTP(_ packet: inout MutableSpan<UInt8>) throws(SRTPError) -> Int {
        guard packet.count >= 12 + profile.tagLength else { throw .malformed }
        return try Self.run(&packet, packet.count) { srtp_unprotect(inbound, $0, $1) }
    }

    mutating func unprotectRTCP(_ packet: inout MutableSpan<UInt8>) throws(SRTPError) -> Int {
        guard packet.count >= 8 + 4 + profile.tagLength else { throw .malformed }
        return try Self.run(&packet, packet.count) { srtp_unprotect_rtcp(inbound, $0, $1) }
    }

    /// Lets go what is kept of a source that does not come any more; one that comes all the same begins anew.
    mutating func forget(_ ssrc: UInt32) { _ = srtp_remove_stream(inbound, ssrc.bigEndian) }

    @inline(__always)
    private static func run(
        _ buffer: inout MutableSpan<UInt8>, _ length: Int,
        _ call: (UnsafeMutableRawPointer, UnsafeMutablePointer<Int32>) -> srtp_err_status_t
    ) throws(SRTPError) -> Int {
        var count = Int32(clamping: length)
        let status = buffer.withUnsafeMutableBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return srtp_err_status_bad_param }
            return call(UnsafeMutableRawPointer(start), &count)
        }
        guard status == srtp_err_status_ok else { throw SRTPError(status) }
        return Int(count)
    }
}
