import Base
internal import CSockets

/// Tells which own address the kernel takes by itself for what goes to an address: the one that its routing table names (ip(7), connect(2)).
///
/// Where that is the address that a client proved, its media need not name it in each message, which costs a twentieth of what a small datagram does.
/// No datagram leaves: a UDP socket that is connected only notes the way.
final class SourceProbe {
    private let descriptor: Int32
    private let isIPv6: Bool

    /// - Parameter isIPv6: as the media socket is.
    init(isIPv6: Bool) {
        self.isIPv6 = isIPv6
        let family = isIPv6 ? AF_INET6 : AF_INET
        descriptor = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard isIPv6, descriptor >= 0 else { return }
        var no: Int32 = 0
        setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// - Returns: without a port; nil where there is no way, or nothing to ask with.
    func source(for destination: TransportAddress) -> TransportAddress? {
        guard descriptor >= 0 else { return nil }
        // Connected anew, it would keep the source of the way before; of no family it forgets (connect(2)).
        var nobody = sockaddr_in6()
        nobody.sin6_family = sa_family_t(AF_UNSPEC)
        _ = withSocketAddress(&nobody) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
        var address = sockaddr_in6()
        let length = destination.write(to: &address, mapped: isIPv6)
        guard withSocketAddress(&address, { connect(descriptor, $0, length) }) == 0 else { return nil }
        var own = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        guard withSocketAddress(&own, { getsockname(descriptor, $0, &size) }) == 0 else { return nil }
        var source = TransportAddress(socketAddress: own)
        source.port = 0
        return source
    }
}
