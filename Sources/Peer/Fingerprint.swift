import COpenSSL

/// One `a=fingerprint` of the other side (RFC 8122 §5).
package struct Fingerprint: Equatable, Sendable {
    /// The hash function as SDP names it, in lower case: "sha-256", "sha-384" or "sha-512". Weaker ones never match.
    package var algorithm: String
    package var digest: [UInt8]

    package init(algorithm: String, digest: [UInt8]) { (self.algorithm, self.digest) = (algorithm.lowercased(), digest) }

    /// Compares in constant time.
    func matches(_ certificate: OpaquePointer) -> Bool {
        let function: OpaquePointer?
        switch algorithm {
        case "sha-256": function = EVP_sha256()
        case "sha-384": function = EVP_sha384()
        case "sha-512": function = EVP_sha512()
        default: return false
        }
        guard let real = Self.digest(of: certificate, function), real.count == digest.count else { return false }
        return CRYPTO_memcmp(real, digest, real.count) == 0
    }

    static func digest(of certificate: OpaquePointer, _ function: OpaquePointer?) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(certificate, function, &bytes, &count) == 1 else { return nil }
        return Array(bytes.prefix(Int(count)))
    }
}
