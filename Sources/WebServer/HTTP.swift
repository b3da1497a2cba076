/// A request, whole: bodies are bounded by the server before a handler sees them.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Percent-decoded, without the query.
    package var path: String
    /// In order of appearance, percent-decoded.
    package var query: [(name: String, value: String)]
    /// Names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]
    /// The address that the connection came from, without port.
    package var remoteAddress: String
    package var isTLS: Bool

    package init(
        method: String, path: String, query: [(name: String, value: String)] = [], headers: [String: String] = [:], body: [UInt8] = [],
        remoteAddress: String = "127.0.0.1", isTLS: Bool = false
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        (self.body, self.remoteAddress, self.isTLS) = (body, remoteAddress, isTLS)
    }
}

package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }
}

/// What a server asks of the program behind it. It knows nothing of meetings.
package protocol WebApplication: Sendable {
    func respond(to request: HTTPRequest) async -> HTTPResponse
    /// Called for a WebSocket upgrade before it is granted.
    func upgrade(_ request: HTTPRequest) async -> UpgradeDecision
}

package enum UpgradeDecision: Sendable {
    case refuse(HTTPResponse)
    /// `run` has the connection for as long as it lasts; when it returns the connection is closed.
    case accept(subprotocol: String?, run: @Sendable (any WebSocketConnection) async -> Void)
}

/// One WebSocket (RFC 6455), text messages only.
package protocol WebSocketConnection: Sendable {
    /// Messages of the client, whole, at most the configured size; ends with the connection.
    var messages: AsyncStream<String> { get }
    /// - Returns: false where the client does not read (its bounded queue is full) or is gone; the message is then not sent.
    func send(_ text: String) -> Bool
    /// Sends a close frame with an RFC 6455 §7.4 code.
    func close(code: UInt16, reason: String)
}
