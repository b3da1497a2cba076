import Foundation

/// An IPv4 or IPv6 address as 16 bytes; IPv4 as `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2), so that both ways to write one address are equal.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// - Parameter text: a literal without brackets, zone or port.
    package init?(_ text: some StringProtocol) {
        guard (2...45).contains(text.utf8.count) else { return nil }
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, String(text), &four) == 1 {
            (high, low) = (0, 0xffff_0000_0000 | UInt64(UInt32(bigEndian: four.s_addr)))
        } else if inet_pton(AF_INET6, String(text), &six) == 1 {
            (high, low) = withUnsafeBytes(of: &six) {
                (
                    UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
        } else {
            return nil
        }
    }

    package var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

    package var description: String {
        if isIPv4 { return [24, 16, 8, 0].map { String(low >> $0 & 0xff) }.joined(separator: ".") }
        var bytes = (high.bigEndian, low.bigEndian)
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count)) != nil else { return "::" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The machine itself.
    package var isLoopback: Bool { isIPv4 ? low >> 24 & 0xff == 127 : high == 0 && low == 1 }

    fileprivate func masked(_ bits: Int) -> (UInt64, UInt64) {
        (bits == 0 ? 0 : high & ~0 << UInt64(64 - min(bits, 64)), bits <= 64 ? 0 : low & ~0 << UInt64(128 - bits))
    }
}

/// A block of addresses, as 10.0.0.0/8, 2001:db8::/32 or one address alone (RFC 4632 §3.1).
package struct IPNetwork: Sendable, Equatable, CustomStringConvertible {
    private let address: IPAddress
    private let bits: Int

    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = parts.first.flatMap({ IPAddress($0) }) else { return nil }
        let offset = address.isIPv4 && !parts[0].contains(":") ? 96 : 0
        var bits = 128
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...(128 - offset)).contains(given), parts[1].utf8.allSatisfy({ $0 >= 0x30 }) else {
                return nil
            }
            bits = given + offset
        }
        (self.address, self.bits) = (address, bits)
    }

    package func contains(_ other: IPAddress) -> Bool { address.masked(bits) == other.masked(bits) }

    package var description: String { "\(address)/\(address.isIPv4 && bits >= 96 ? bits - 96 : bits)" }
}
