import Base
import ICE

/// How the media core is set up. Everything has a default that suits one machine.
package struct MediaServerConfiguration: Sendable {
    /// An address to put into answers as an ICE candidate.
    package struct Announced: Sendable, Equatable {
        /// An IPv4 or IPv6 address in its usual text form.
        package var address: String
        /// Where a router maps another port to the server's; nil is the bound port.
        package var port: UInt16?
        package init(address: String, port: UInt16? = nil) { (self.address, self.port) = (address, port) }
    }

    /// One UDP port carries all media; 0 lets the system choose.
    package var port: UInt16 = 0
    /// Empty: every address of the machine's interfaces.
    package var announced: [Announced] = []
    /// Media workers; nil is one for each core.
    package var workers: Int?
    /// Codec threads; nil is one for each core.
    package var codecThreads: Int?
    /// The voices mixed at once.
    package var loudestVoices = 5
    /// A picture older than this gives way to the name card.
    package var staleAfter = Duration.seconds(2)
    /// What stands on the composed picture beside names.
    package var words = PictureWords()

    package init() {}
}

/// Why the media core did not start.
package enum MediaServerError: Error, Equatable, Sendable {
    case portTaken(UInt16)
    case cannotBind(port: UInt16, reason: String)
    case badAddress(String)
    case noAddress
    case noIdentity(String)
}

extension MediaServerConfiguration.Announced {
    /// `IP`, `IP:PORT`, or `[IPv6]:PORT`.
    package init?(parsing text: String) {
        if TransportAddress(host: text, port: 1) != nil {
            self.init(address: text)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard TransportAddress(host: host, port: port) != nil else { return nil }
        self.init(address: String(host), port: port)
    }
}
