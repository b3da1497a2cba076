import CWebSockets
import Foundation

/// Where to listen, as libwebsockets wants it, after a trial bind that names what is wrong: libwebsockets itself only logs the reason.
struct ListenAddress: Equatable {
    /// An address literal; nil for every address.
    var interface: String?
    var isIPv4Only: Bool

    init(host: String, port: UInt16) throws(WebServerError) {
        let literal = Self.literal(of: host)
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(literal, String(port), &hints, &found) == 0, let found else { throw .noSuchAddress(host: host) }
        defer { freeaddrinfo(found) }
        interface = literal == "::" ? nil : literal
        isIPv4Only = found.pointee.ai_family == AF_INET
        switch Self.tryBinding(found.pointee) {
        case 0: return
        case EADDRINUSE: throw .portTaken(host: host, port: port)
        case EACCES, EPERM: throw .notAllowed(host: host, port: port)
        case EAFNOSUPPORT where literal == "::":
            // A machine without IPv6: every address is every IPv4 address.
            self = try ListenAddress(host: "0.0.0.0", port: port)
        default: throw .noSuchAddress(host: host)
        }
    }

    static func literal(of host: String) -> String {
        switch host {
        case "localhost": return "127.0.0.1"
        case "*", "", "[::]": return "::"
        default: return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        }
    }

    /// - Returns: 0, or the `errno` of what refused.
    private static func tryBinding(_ info: addrinfo) -> Int32 {
        let descriptor = socket(info.ai_family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0, listen(descriptor, 1) == 0 else { return errno }
        return 0
    }
}
