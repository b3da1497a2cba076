/// An IPv4 or IPv6 address and a port: 16 bytes, a port, and the own address beside it. A plain value: copying, hashing and comparing touch no heap.
///
/// An IPv4 address is kept as its IPv4-mapped IPv6 form (::ffff:a.b.c.d, RFC 4291 §2.5.5.2), so a datagram that a dual-stack socket reports
/// as mapped and one from an IPv4 socket are the same address here.
package struct TransportAddress: Hashable, Sendable {
    package enum Family: UInt8, Sendable {
        // The numbers that STUN uses, RFC 8489 §14.1.
        case ipv4 = 1
        case ipv6 = 2
    }

    /// The first eight bytes of the address in network order, as a number.
    package let high: UInt64
    /// The last eight bytes. For IPv4: 0x0000_ffff, then the address.
    package let low: UInt64
    package var port: UInt16
    /// Which of this machine's own addresses the other side writes to, as a number that the sockets give out; 0 where that does not matter. Part of what
    /// is compared: a check proves a pair of addresses (RFC 8445 §7.3), and answers leave from the one that was written to.
    package var local: UInt16 = 0

    /// - Parameter ipv4: 192.0.2.1 is `0xc000_0201`.
    package init(ipv4: UInt32, port: UInt16) {
        high = 0
        low = 0xffff_0000_0000 | UInt64(ipv4)
        self.port = port
    }

    /// - Parameter high: the first eight bytes in network order, as a number; `low` the others. A mapped address becomes IPv4.
    package init(ipv6High high: UInt64, low: UInt64, port: UInt16) {
        self.high = high
        self.low = low
        self.port = port
    }

    package var family: Family { high == 0 && low >> 32 == 0xffff ? .ipv4 : .ipv6 }

    /// The address as a number where it is IPv4.
    package var ipv4: UInt32? { family == .ipv4 ? UInt32(truncatingIfNeeded: low) : nil }

    /// Nobody can be reached at it: 0.0.0.0 or ::, or port 0.
    package var isUnspecified: Bool { port == 0 || (high == 0 && (low == 0 || low == 0xffff_0000_0000)) }
}

extension TransportAddress: CustomStringConvertible {
    /// `192.0.2.1:5000` or `[2001:db8::1]:5000`.
    package var description: String { family == .ipv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }

    /// The address without the port, IPv6 in the canonical form of RFC 5952.
    package var host: String {
        if let ipv4 {
            return "\(ipv4 >> 24).\(ipv4 >> 16 & 255).\(ipv4 >> 8 & 255).\(ipv4 & 255)"
        }
        let groups = (0..<8).map { (index: Int) -> UInt16 in
            let half = index < 4 ? high : low
            return UInt16(truncatingIfNeeded: half >> UInt64(48 - 16 * (index & 3)))
        }
        let gap = Self.longestZeroRun(groups)
        let hexadecimal = groups.map { String($0, radix: 16) }
        guard gap.count > 1 else { return hexadecimal.joined(separator: ":") }
        return hexadecimal[..<gap.lowerBound].joined(separator: ":") + "::" + hexadecimal[gap.upperBound...].joined(separator: ":")
    }

    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for index in groups.indices {
            if groups[index] != 0 { start = index + 1 }
            if index + 1 - start > best.count { best = start..<(index + 1) }
        }
        return best
    }
}
