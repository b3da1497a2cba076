import Base
internal import CSockets
internal import Glibc

/// A UDP socket: non-blocking, IPv6 with IPv4 mapped into it where the machine has IPv6, otherwise IPv4.
///
/// Many datagrams at once go through `DatagramSender` and `DatagramReceiver`; for one at a time there are `send` and `receive`.
package final class UDPSocket {
    package let descriptor: Int32
    /// 0 for one that is bound to no port yet.
    package let port: UInt16
    package let isIPv6: Bool
    /// Datagrams that `send` could not hand to the kernel.
    package private(set) var dropped: UInt64 = 0

    /// One of the sockets that share the media port.
    /// - Parameter port: 0 lets the system choose.
    /// - Throws: `.portTaken` or `.refused`.
    package init(port: UInt16) throws(SocketFailure) {
        do {
            (descriptor, self.port) = try Self.shared(AF_INET6, port)
            isIPv6 = true
        } catch {
            if case .portTaken = error { throw error }
            (descriptor, self.port) = try Self.shared(AF_INET, port)
            isIPv6 = false
        }
    }

    /// One of its own, which gets a port with its first datagram.
    /// - Parameter buffer: bytes that the kernel keeps until they are received.
    /// - Throws: `.refused`.
    package init(buffer: Int32) throws(SocketFailure) {
        do {
            descriptor = try Self.opened(AF_INET6)
            isIPv6 = true
        } catch {
            descriptor = try Self.opened(AF_INET)
            isIPv6 = false
        }
        port = 0
        Self.set(descriptor, SOL_SOCKET, SO_RCVBUF, buffer)
    }

    deinit { close(descriptor) }

    private static func opened(_ family: Int32) throws(SocketFailure) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .refused(reason: String(cString: strerror(errno))) }
        if family == AF_INET6 { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        return descriptor
    }

    private static func shared(_ family: Int32, _ port: UInt16) throws(SocketFailure) -> (Int32, port: UInt16) {
        let descriptor = try opened(family)
        set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1)
        // A key frame for hundreds of receivers leaves in one burst; what the kernel caps (net.core.*mem_max) it caps silently.
        set(descriptor, SOL_SOCKET, SO_RCVBUF, 4 << 20)
        set(descriptor, SOL_SOCKET, SO_SNDBUF, 4 << 20)
        // Datagrams of a crowd are looked at some milliseconds later, together; estimates of a line need to know when each of them came.
        nc_set_timestamps(descriptor)
        nc_set_packet_information(descriptor, family)
        do {
            return (descriptor, try bound(descriptor, family, port))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// - Returns: the port.
    private static func bound(_ descriptor: Int32, _ family: Int32, _ port: UInt16) throws(SocketFailure) -> UInt16 {
        var address = sockaddr_in6()
        var length = socklen_t(family == AF_INET6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        address.sin6_family = sa_family_t(family)
        // A sockaddr_in has it in the same place.
        address.sin6_port = port.bigEndian
        let isBound = withSocketAddress(&address) { bind(descriptor, $0, length) } == 0
        guard isBound, withSocketAddress(&address, { getsockname(descriptor, $0, &length) }) == 0 else {
            let code = errno
            throw code == EADDRINUSE ? .portTaken(port) : .refused(reason: String(cString: strerror(code)))
        }
        return UInt16(bigEndian: address.sin6_port)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Whether another process holds the port: `SO_REUSEPORT` would quietly share it with one of the same user.
    package static func isTaken(port: UInt16) -> Bool {
        guard port != 0 else { return false }
        let probe = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        do {
            _ = try bound(probe, AF_INET, port)
            return false
        } catch { return error == .portTaken(port) }
    }

    /// One datagram, now; what the kernel does not take is lost and counted.
    package func send(_ datagram: Span<UInt8>, to address: TransportAddress) {
        var name = sockaddr_in6()
        let length = address.write(to: &name, mapped: isIPv6)
        let sent = datagram.withUnsafeBufferPointer { bytes in
            withSocketAddress(&name) { sendto(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT), $0, length) }
        }
        if sent < 0 { dropped &+= 1 }
    }

    /// - Returns: the bytes written to `buffer` and where they came from; nil where none wait.
    package func receive(into buffer: inout [UInt8]) -> (Int, TransportAddress)? {
        var name = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let received = buffer.withUnsafeMutableBytes { bytes in
            withSocketAddress(&name) { recvfrom(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT), $0, &length) }
        }
        return received > 0 ? (received, TransportAddress(socketAddress: name)) : nil
    }
}

/// Why there is no socket.
package enum SocketFailure: Error, Equatable, Sendable {
    case portTaken(UInt16)
    /// What the system said.
    case refused(reason: String)
}

/// Hands `body` the address as the calls of the kernel want it.
func withSocketAddress<Outcome>(_ address: inout sockaddr_in6, _ body: (UnsafeMutablePointer<sockaddr>) -> Outcome) -> Outcome {
    withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body) }
}
