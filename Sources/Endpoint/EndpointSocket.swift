import Glibc
import ICE

/// One endpoint's UDP socket: non-blocking, IPv6 with IPv4 mapped into it where the machine has IPv6, otherwise IPv4. Sends at once.
struct EndpointSocket: ~Copyable {
    let descriptor: Int32
    private let isIPv6: Bool
    private(set) var dropped: UInt64 = 0

    deinit { close(descriptor) }

    init() throws(EndpointFailure) {
        let flags = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        var descriptor = socket(AF_INET6, flags, 0)
        let isIPv6 = descriptor >= 0
        if isIPv6 {
            var off: Int32 = 0
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, socklen_t(MemoryLayout<Int32>.size))
        } else {
            descriptor = socket(AF_INET, flags, 0)
        }
        guard descriptor >= 0 else {
            throw EndpointFailure(
                exitCode: 71, line: "No UDP socket: \(String(cString: strerror(errno))). For many endpoints raise `ulimit -n`.")
        }
        var size: Int32 = 1 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        (self.descriptor, self.isIPv6) = (descriptor, isIPv6)
    }

    mutating func send(_ datagram: Span<UInt8>, to address: TransportAddress) {
        var name = sockaddr_in6()
        let length = write(address, to: &name)
        let sent = datagram.withUnsafeBufferPointer { bytes in
            withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT), $0, length)
                }
            }
        }
        if sent < 0 { dropped &+= 1 }
    }

    /// - Returns: the bytes written to `buffer` and where they came from; nil where none wait.
    func receive(into buffer: inout [UInt8]) -> (Int, TransportAddress)? {
        var name = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let received = buffer.withUnsafeMutableBytes { bytes in
            withUnsafeMutablePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT), $0, &length)
                }
            }
        }
        guard received > 0 else { return nil }
        return (received, Self.address(name))
    }

    private static func address(_ name: sockaddr_in6) -> TransportAddress {
        withUnsafeBytes(of: name) { bytes in
            let port = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            guard name.sin6_family == sa_family_t(AF_INET6) else {
                return TransportAddress(ipv4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)), port: port)
            }
            return TransportAddress(
                ipv6High: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)), port: port)
        }
    }

    private func write(_ address: TransportAddress, to name: inout sockaddr_in6) -> socklen_t {
        let plain = isIPv6 ? nil : address.ipv4
        name.sin6_family = sa_family_t(plain == nil ? AF_INET6 : AF_INET)
        withUnsafeMutableBytes(of: &name) { bytes in
            bytes.storeBytes(of: address.port.bigEndian, toByteOffset: 2, as: UInt16.self)
            if let plain { return bytes.storeBytes(of: plain.bigEndian, toByteOffset: 4, as: UInt32.self) }
            bytes.storeBytes(of: address.high.bigEndian, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 16, as: UInt64.self)
        }
        return socklen_t(plain == nil ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
    }
}
