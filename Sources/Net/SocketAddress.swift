import Base
internal import CSockets

extension TransportAddress {
    /// From what the kernel wrote: a `sockaddr_in6`, or a `sockaddr_in` in the same room.
    init(socketAddress address: sockaddr_in6) {
        var address = address
        let isIPv6 = address.sin6_family == sa_family_t(AF_INET6)
        self = withUnsafeBytes(of: &address) { bytes in
            let port = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            guard isIPv6 else {
                return TransportAddress(ipv4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)), port: port)
            }
            return TransportAddress(
                ipv6High: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)), port: port)
        }
    }

    /// From 16 bytes in network order, IPv4 in its mapped form; without a port.
    init(
        mapped bytes: (
            UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
        )
    ) {
        self = withUnsafeBytes(of: bytes) { bytes in
            TransportAddress(
                ipv6High: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)), port: 0)
        }
    }

    /// Hands `body` the 16 bytes in network order, IPv4 in its mapped form.
    func withMappedBytes(_ body: (UnsafePointer<UInt8>) -> Void) {
        let words: InlineArray<2, UInt64> = [high.bigEndian, low.bigEndian]
        words.span.withUnsafeBufferPointer { words in
            guard let start = words.baseAddress else { return }
            start.withMemoryRebound(to: UInt8.self, capacity: 16) { body($0) }
        }
    }

    /// Writes the address for the kernel.
    /// - Parameter mapped: the socket is an IPv6 one, so that IPv4 goes as ::ffff:a.b.c.d.
    /// - Returns: the bytes used.
    func write(to address: inout sockaddr_in6, mapped: Bool) -> socklen_t {
        address = sockaddr_in6()
        if let ipv4, !mapped {
            address.sin6_family = sa_family_t(AF_INET)
            withUnsafeMutableBytes(of: &address) { bytes in
                bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
                bytes.storeBytes(of: ipv4.bigEndian, toByteOffset: 4, as: UInt32.self)
            }
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        }
        address.sin6_family = sa_family_t(AF_INET6)
        withUnsafeMutableBytes(of: &address) { bytes in
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            bytes.storeBytes(of: high.bigEndian, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 16, as: UInt64.self)
        }
        return socklen_t(MemoryLayout<sockaddr_in6>.size)
    }

    /// The addresses of the machine's interfaces that are up, loopback last; link-local ones are left out since a candidate cannot carry their zone.
    package static func ofInterfaces(port: UInt16) -> [TransportAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [TransportAddress] = []
        var loopback: [TransportAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let raw = entry.pointee.ifa_addr, entry.pointee.ifa_flags & UInt32(IFF_UP) != 0 else { continue }
            let family = Int32(raw.pointee.sa_family)
            guard family == AF_INET || family == AF_INET6 else { continue }
            var address = sockaddr_in6()
            let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
            memcpy(&address, raw, size)
            var converted = TransportAddress(socketAddress: address)
            converted.port = port
            let isLinkLocal = converted.family == .ipv6 && converted.high >> 54 == 0xfe80 >> 6
            if isLinkLocal { continue }
            if entry.pointee.ifa_flags & UInt32(IFF_LOOPBACK) != 0 { loopback.append(converted) } else { found.append(converted) }
        }
        return found + loopback
    }
}
