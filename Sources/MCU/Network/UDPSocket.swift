import CSockets
import Foundation
import ICE

/// One UDP socket of the shared media port: non-blocking, IPv6 with IPv4 mapped into it where the machine has IPv6, otherwise IPv4.
final class UDPSocket {
    let descriptor: Int32
    let port: UInt16
    let isIPv6: Bool

    /// - Parameter port: 0 lets the system choose.
    /// - Throws: `MediaServerError.portTaken` or `.cannotBind`.
    init(port: UInt16) throws(MediaServerError) {
        do {
            (descriptor, self.port) = try Self.bound(AF_INET6, port)
            isIPv6 = true
        } catch {
            if case .portTaken = error { throw error }
            (descriptor, self.port) = try Self.bound(AF_INET, port)
            isIPv6 = false
        }
    }

    deinit { close(descriptor) }

    private static func bound(_ family: Int32, _ port: UInt16) throws(MediaServerError) -> (Int32, UInt16) {
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .cannotBind(port: port, reason: String(cString: strerror(errno))) }
        func fail() -> MediaServerError {
            let code = errno
            close(descriptor)
            return code == EADDRINUSE ? .portTaken(port) : .cannotBind(port: port, reason: String(cString: strerror(code)))
        }
        set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1)
        // A key frame for hundreds of receivers leaves in one burst; what the kernel caps (net.core.*mem_max) it caps silently.
        set(descriptor, SOL_SOCKET, SO_RCVBUF, 4 << 20)
        set(descriptor, SOL_SOCKET, SO_SNDBUF, 4 << 20)
        // Datagrams of a crowd are looked at some milliseconds later, together; estimates of a line need to know when each of them came.
        nc_set_timestamps(descriptor)
        nc_set_packet_information(descriptor, family)
        if family == AF_INET6 { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }

        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        address.ss_family = sa_family_t(family)
        withUnsafeMutableBytes(of: &address) { $0.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self) }
        if family == AF_INET { length = socklen_t(MemoryLayout<sockaddr_in>.size) }
        let outcome = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard outcome == 0 else { throw fail() }
        let named = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard named == 0 else { throw fail() }
        let real = withUnsafeBytes(of: &address) { UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) }
        return (descriptor, real)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Whether another process holds the port: `SO_REUSEPORT` would quietly share it with one of the same user.
    static func isTaken(port: UInt16) -> Bool {
        guard port != 0 else { return false }
        let probe = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        let outcome = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        return outcome != 0 && errno == EADDRINUSE
    }
}
