import COpenSSL
import Foundation

/// Why a password could not be hashed: OpenSSL has no memory for it.
struct HashingFailed: Error {}

/// What scrypt (RFC 7914) costs. Kept beside each hash, so that a later, dearer choice leaves the old hashes usable.
package struct ScryptCost: Sendable, Equatable {
    var logN: Int
    var r: Int
    var p: Int
    /// 32 MiB and about a quarter of a second of one core (OWASP's choice for this size).
    package static let standard = ScryptCost(logN: 15, r: 8, p: 3)
}

/// A stored password: `scrypt$logN$r$p$salt$hash`, the last two in hexadecimal.
struct PasswordHash: Sendable, Equatable {
    var cost: ScryptCost
    var salt: [UInt8]
    var hash: [UInt8]

    var text: String { "scrypt$\(cost.logN)$\(cost.r)$\(cost.p)$\(Hex.text(salt))$\(Hex.text(hash))" }

    init(_ password: String, cost: ScryptCost, salt: [UInt8] = Secrets.random(16)) throws(HashingFailed) {
        (self.cost, self.salt) = (cost, salt)
        hash = try Self.scrypt(password, salt, cost)
    }

    init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "scrypt", let logN = Int(parts[1]), let r = Int(parts[2]), let p = Int(parts[3]),
            (1...20).contains(logN), (1...32).contains(r), (1...16).contains(p), let salt = Hex.bytes(parts[4]),
            let hash = Hex.bytes(parts[5]),
            hash.count == 32
        else { return nil }
        (cost, self.salt, self.hash) = (ScryptCost(logN: logN, r: r, p: p), salt, hash)
    }

    /// In time that depends on the parameters alone.
    func matches(_ password: String) throws(HashingFailed) -> Bool {
        Secrets.areEqual(try Self.scrypt(password, salt, cost), hash)
    }

    private static func scrypt(_ password: String, _ salt: [UInt8], _ cost: ScryptCost) throws(HashingFailed) -> [UInt8] {
        // NFC: the same password typed on two keyboards may come in two forms.
        let secret = Array(password.precomposedStringWithCanonicalMapping.utf8CString)
        var output = [UInt8](repeating: 0, count: 32)
        let most = UInt64(128 * cost.r) * (UInt64(1) << UInt64(cost.logN)) + 1 << 20
        let done = EVP_PBE_scrypt(
            secret, secret.count - 1, salt, salt.count, UInt64(1) << UInt64(cost.logN), UInt64(cost.r), UInt64(cost.p), most * 2, &output,
            output.count)
        guard done == 1 else { throw HashingFailed() }
        return output
    }
}

enum Hex {
    static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

enum Secrets {
    /// From the system's generator, which is fit for secrets.
    static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// 256 random bits in the characters that a header, a cookie and a URL take as they are.
    static func token() -> String { Hex.text(random(32)) }

    /// What people can read out and type: no 0/O, 1/l.
    static func readablePassword() -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        var generator = SystemRandomNumberGenerator()
        let words = (0..<4).map { _ in String((0..<5).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] }) }
        return words.joined(separator: "-")
    }

    static func sha256(_ text: String) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let bytes = Array(text.utf8)
        SHA256(bytes, bytes.count, &digest)
        return digest
    }

    static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}
