import COpenSSL
import SDP

extension Fingerprint {
    /// Whether it is the certificate's. In constant time.
    func matches(_ certificate: OpaquePointer) -> Bool {
        let function =
            switch algorithm {
            case .sha256: EVP_sha256()
            case .sha384: EVP_sha384()
            case .sha512: EVP_sha512()
            }
        guard let real = Self.digest(of: certificate, function), real.count == bytes.count else { return false }
        return CRYPTO_memcmp(real, bytes, real.count) == 0
    }

    static func digest(of certificate: OpaquePointer, _ function: OpaquePointer?) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(certificate, function, &bytes, &count) == 1 else { return nil }
        return Array(bytes.prefix(Int(count)))
    }
}
