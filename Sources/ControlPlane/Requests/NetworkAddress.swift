import Foundation

/// Who is behind an address, as far as limits are concerned: an IPv4 address alone, or the network of an IPv6 one, of which anybody has 2^64 (RFC 4291 §2.5.4).
enum NetworkAddress {
    /// - Parameter address: as text; something else is taken as it is.
    static func network(of address: String) -> String {
        let plain = address.split(separator: "%").first.map(String.init) ?? address
        guard plain.contains(":") else { return plain }
        var bytes = in6_addr()
        guard inet_pton(AF_INET6, plain, &bytes) == 1 else { return plain }
        let octets = withUnsafeBytes(of: bytes) { Array($0) }
        if octets[..<10].allSatisfy({ $0 == 0 }), octets[10] == 0xff, octets[11] == 0xff {
            return octets[12...].map(String.init).joined(separator: ".")
        }
        return Hex.text(Array(octets[..<8])) + "/64"
    }
}
