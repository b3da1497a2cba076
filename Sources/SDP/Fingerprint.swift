/// The hash of a DTLS certificate, RFC 8122 §5.
package struct Fingerprint: Hashable, Sendable {
    package enum Algorithm: String, Sendable, CaseIterable {
        case sha256 = "sha-256"
        case sha384 = "sha-384"
        case sha512 = "sha-512"

        package var byteCount: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }
    }

    package var algorithm: Algorithm
    package var bytes: [UInt8]

    /// - Returns: nil where the number of bytes is not the algorithm's.
    package init?(algorithm: Algorithm = .sha256, bytes: [UInt8]) {
        guard bytes.count == algorithm.byteCount else { return nil }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// The value of the attribute. Weak algorithms (sha-1, md5) give nil, as an unknown one does: they prove too little.
    init?(attribute value: String) throws(FingerprintMalformed) {
        let parts = value.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2 else { throw FingerprintMalformed() }
        guard let algorithm = Algorithm(rawValue: parts[0].lowercased()) else { return nil }
        let pairs = parts[1].split(separator: ":", omittingEmptySubsequences: false)
        guard pairs.count == algorithm.byteCount else { throw FingerprintMalformed() }
        var bytes: [UInt8] = []
        for pair in pairs {
            guard pair.utf8.count == 2, pair.utf8.first != UInt8(ascii: "+"), let byte = UInt8(pair, radix: 16) else {
                throw FingerprintMalformed()
            }
            bytes.append(byte)
        }
        self.init(algorithm: algorithm, bytes: bytes)
    }

    /// As the attribute has it: `sha-256 AB:CD:…`.
    package var attributeValue: String {
        let digits = Array("0123456789ABCDEF")
        return algorithm.rawValue + " " + bytes.map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined(separator: ":")
    }
}

struct FingerprintMalformed: Error {}
