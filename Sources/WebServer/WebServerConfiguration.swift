/// What a `WebServer` listens on and how much it takes. Every bound has its policy written beside it.
package struct WebServerConfiguration: Sendable {
    /// `localhost`, an IPv4 or an IPv6 literal, or `::` and `*` for every address of both kinds.
    package var host = "127.0.0.1"
    /// 0 takes a free one; `WebServer.port` tells which.
    package var port: UInt16 = 8080
    /// PEM files; nil serves plain HTTP, meant for loopback or behind a proxy.
    package var tls: TLSFiles?
    /// Subprotocols (RFC 6455 §1.9) that an application may choose.
    package var subprotocols: [String] = []
    /// Bytes of a request's body; more is answered with 413.
    package var bodyLimit = 256 * 1024
    /// What is read and thrown away of a body that is too large, so that its sender gets to read the 413.
    package var discardLimit = 8 * 1024 * 1024
    /// Bytes of request line and headers; beyond it 431.
    package var headerLimit = 16 * 1024
    /// Bytes of a WebSocket message; a longer one closes with 1009.
    package var messageLimit = 64 * 1024
    /// Messages and bytes waiting for a slow reader; beyond it the WebSocket is closed with 1013.
    package var sendQueueLimit = (messages: 512, bytes: 2 * 1024 * 1024)
    /// Messages received and not yet taken by the application; beyond it the WebSocket is closed with 1008.
    package var receiveQueueLimit = 256
    /// Connections at once; more are closed as they come.
    package var connectionLimit = 4_096
    package var connectionLimitPerAddress = 256
    /// Of those, connections of one address on which no request has come whole; for one more the oldest of them goes. Trusted proxies have neither bound.
    package var unprovenLimitPerAddress = 64
    /// Instead of `connectionLimitPerAddress` for 127.0.0.1 and ::1.
    package var connectionLimitOfTheMachine = 1_024
    /// Reverse proxies whose word about the client's address counts (`Forwarded`).
    package var trustedProxies: [IPNetwork] = []
    /// Seconds of silence after which a WebSocket is pinged, and after which it is given up.
    package var pingAfterSeconds = 20
    package var hangUpAfterSeconds = 45
    /// Seconds that a client may take to send its headers, or be silent within a body or while it is sent an answer.
    package var timeoutSeconds = 10
    /// Seconds that a whole body may take.
    package var bodySeconds = 60
    /// Seconds that the application may take for an answer or for the decision on a WebSocket; beyond it the connection is closed.
    package var answerSeconds = 60

    package init(host: String = "127.0.0.1", port: UInt16 = 8080, tls: TLSFiles? = nil, subprotocols: [String] = []) {
        self.host = host
        self.port = port
        self.tls = tls
        self.subprotocols = subprotocols
    }
}

/// Paths of a certificate chain and its key, PEM.
package struct TLSFiles: Sendable, Equatable {
    package var certificate: String
    package var key: String
    package init(certificate: String, key: String) { (self.certificate, self.key) = (certificate, key) }
}

/// Why a server did not start.
package enum WebServerError: Error, Equatable {
    case portTaken(host: String, port: UInt16)
    case notAllowed(host: String, port: UInt16)
    case noSuchAddress(host: String)
    case unreadable(file: String)
    /// The certificate or its key is not what TLS can use.
    case badCertificate(String)
    case noService(String)
}
