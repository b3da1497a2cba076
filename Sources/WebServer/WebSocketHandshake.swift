import COpenSSL
import Foundation

/// What a client offers in its opening handshake, and the server's half of it (RFC 6455 §4.2).
struct WebSocketHandshake {
    let request: HTTPRequest
    init(_ request: HTTPRequest) { self.request = request }

    private var offered: [String] {
        (request.headers["sec-websocket-protocol"] ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    func refusal(known: [String]) -> Refusal? {
        if request.method != "GET" { return .badRequest(.upgradeMethod) }
        if !request.body.isEmpty { return .badRequest(.upgradeBody) }
        if request.headers["sec-websocket-version"] != "13" { return .webSocketVersion }
        // 16 bytes in base 64.
        if Data(base64Encoded: request.headers["sec-websocket-key"] ?? "")?.count != 16 { return .badRequest(.webSocketKey) }
        if request.headers["sec-websocket-protocol"] != nil, choice(of: known) == nil { return .badRequest(.subprotocol) }
        return nil
    }

    /// The first of the client's that is known; nil where it offers none.
    func choice(of known: [String]) -> String? { offered.first { known.contains($0) } }

    /// The 101 that opens the WebSocket. No extensions: messages are small, and compressing secrets beside what others write tells of them.
    func opening(subprotocol: String?) -> [UInt8] {
        var head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += "Sec-WebSocket-Accept: \(Self.accept(request))\r\n"
        if let subprotocol { head += "Sec-WebSocket-Protocol: \(subprotocol)\r\n" }
        return Array((head + "\r\n").utf8)
    }

    private static func accept(_ request: HTTPRequest) -> String {
        let text = Array(((request.headers["sec-websocket-key"] ?? "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        _ = SHA1(text, text.count, &digest)
        return Data(digest).base64EncodedString()
    }
}
