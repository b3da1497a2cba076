import COpenSSL
import SDP

/// Who we are to DTLS: a self-signed ECDSA P-256 certificate, known to the other side only by its fingerprint in the SDP (RFC 8827 §6.5).
///
/// One for the process: it is immutable once made, and OpenSSL's contexts may be used from several threads, hence `@unchecked Sendable`.
package final class DTLSIdentity: @unchecked Sendable {
    /// SHA-256 of the certificate, for the SDP.
    package let fingerprint: Fingerprint
    /// What every association is made from. Owned.
    let context: OpaquePointer

    package init() throws(DTLSError) {
        guard let key = nc_p256_generate() else { throw .lastLibraryError() }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw .lastLibraryError() }
        defer { X509_free(certificate) }
        guard Self.fill(certificate, key: key), let digest = Fingerprint.digest(of: certificate, EVP_sha256()),
            let fingerprint = Fingerprint(bytes: digest)
        else {
            throw .lastLibraryError()
        }
        guard let context = SSL_CTX_new(DTLS_method()) else { throw .lastLibraryError() }
        guard Self.set(context, certificate: certificate, key: key) else {
            SSL_CTX_free(context)
            throw .lastLibraryError()
        }
        self.context = context
        self.fingerprint = fingerprint
    }

    deinit { SSL_CTX_free(context) }

    /// Ten years: nobody on this path checks the dates, and a server may run for long.
    private static func fill(_ certificate: OpaquePointer, key: OpaquePointer) -> Bool {
        var serial: UInt64 = 0
        let drawn = withUnsafeMutableBytes(of: &serial) { RAND_bytes($0.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32($0.count)) }
        guard drawn == 1, X509_set_version(certificate, 2) == 1 else { return false }
        guard ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1 else { return false }
        X509_gmtime_adj(X509_getm_notBefore(certificate), -86_400)
        X509_gmtime_adj(X509_getm_notAfter(certificate), 10 * 365 * 86_400)
        guard let name = X509_get_subject_name(certificate) else { return false }
        let word = Array("nhipcau".utf8)  // below, 0x1000 is MBSTRING_UTF8, a macro that Swift does not see
        guard X509_NAME_add_entry_by_txt(name, "CN", 0x1000, word, Int32(word.count), -1, 0) == 1 else { return false }
        return X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1
            && X509_sign(certificate, key, EVP_sha256()) > 0
    }

    private static func set(_ context: OpaquePointer, certificate: OpaquePointer, key: OpaquePointer) -> Bool {
        nc_dtls_set_options(context)
        SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, 0, nil)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        // One call for the whole chain: there is no authority to ask, the fingerprint decides.
        SSL_CTX_set_cert_verify_callback(context, { store, _ in DTLSTransport.verify(store) }, nil)
        let ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE+AESGCM:ECDHE+CHACHA20"
        guard SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(DTLS1_2_VERSION), nil) == 1,
            SSL_CTX_set_cipher_list(context, ciphers) == 1
        else { return false }
        return SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1
    }
}
