import Base
import Testing

@testable import Net

/// Which own address the kernel takes by itself. No datagram leaves: the routing table is asked.
struct SourceProbeTests {
    private let loopback = TransportAddress(ipv4: 0x7f00_0001, port: 5_000)

    @Test(arguments: [true, false])
    func `one question does not colour the next`(isIPv6: Bool) {
        let probe = SourceProbe(isIPv6: isIPv6)
        // A machine without IPv6 has no such socket; the media sockets are IPv4 there too.
        guard let first = probe.source(for: loopback) else { return #expect(isIPv6) }
        #expect(first == TransportAddress(ipv4: 0x7f00_0001, port: 0))
        // Away from loopback another source is named, or none; back on it the first again.
        let elsewhere = probe.source(for: TransportAddress(ipv4: 0xc000_0201, port: 5_000))
        #expect(elsewhere != first)
        #expect(probe.source(for: loopback) == first)
    }

    @Test func `only the address that the kernel takes anyway is left out`() throws {
        let locals = LocalAddresses()
        let sender = DatagramSender(socket: try UDPSocket(port: 0), locals: locals)
        let usual = locals.number(of: TransportAddress(ipv4: 0x7f00_0001, port: 0))
        let other = locals.number(of: TransportAddress(ipv4: 0x7f00_0002, port: 0))
        var address = loopback
        address.local = usual
        #expect(sender.leaving(to: address) == loopback)
        address.local = other
        #expect(sender.leaving(to: address) == address)
        // A number that nobody gave out, and none.
        address.local = 77
        #expect(sender.leaving(to: address) == address)
        #expect(sender.leaving(to: loopback) == loopback)
    }
}
