import Base
import ICE

/// One a=candidate, RFC 8839 §5.1.
package struct Candidate: Equatable, Sendable {
    package var foundation: String
    package var component: Int
    package var transport: String
    package var priority: UInt32
    /// A literal address or a name (mDNS).
    package var host: String
    package var port: UInt16
    package var type: String
    /// What follows the type, as it stands: raddr, rport, tcptype, generation…
    package var extensions: [String]

    /// A host candidate of ours on UDP. The earlier in the list, the more it is preferred.
    package init(host address: TransportAddress, index: Int) {
        foundation = "\(index + 1)"
        component = 1
        transport = "udp"
        priority = 126 << 24 | UInt32(max(0, 65_535 - index)) << 8 | 255
        host = address.host
        port = address.port
        type = "host"
        extensions = []
    }

    /// One that waits for TCP connections (RFC 6544 §4.1): after all of UDP, which is tried first (§4.2: direction preference 4 of a passive one).
    package init(passive address: TransportAddress, index: Int) {
        self.init(host: address, index: index)
        foundation = "t\(index + 1)"
        transport = "tcp"
        priority = 126 << 24 | (4 << 13 | UInt32(max(0, 8_191 - index))) << 8 | 255
        extensions = ["tcptype", "passive"]
    }

    /// Our candidates at these addresses: UDP, then TCP where it is taken.
    package static func all(of addresses: [TransportAddress], withTCP: Bool) -> [Candidate] {
        addresses.enumerated().map { Candidate(host: $1, index: $0) }
            + (withTCP ? addresses.enumerated().map { Candidate(passive: $1, index: $0) } : [])
    }

    /// - Parameter value: what follows `candidate:`.
    /// - Returns: nil where it is no candidate.
    package init?(parsing value: String) {
        let words = value.split(separator: " ", omittingEmptySubsequences: true)
        guard (8...64).contains(words.count), words[0].utf8.count <= 32, let component = Int(words[1]), (1...256).contains(component),
            let priority = UInt32(words[3]), words[4].utf8.count <= 255, let port = UInt16(words[5]), words[6] == "typ"
        else { return nil }
        foundation = String(words[0])
        self.component = component
        transport = String(words[2])
        self.priority = priority
        host = String(words[4])
        self.port = port
        type = String(words[7])
        extensions = words[8...].map(String.init)
    }

    package var value: String {
        (["\(foundation) \(component) \(transport) \(priority) \(host) \(port) typ \(type)"] + extensions).joined(separator: " ")
    }

    /// The address to check: UDP, component 1 and literal; nil for TCP, RTCP's own port and names.
    package var address: TransportAddress? {
        guard component == 1, transport.lowercased() == "udp" else { return nil }
        return TransportAddress(host: host, port: port).flatMap { $0.isUnspecified ? nil : $0 }
    }
}
