/// The application's end of one WebSocket.
struct Socket: WebSocketConnection {
    let outbox: Outbox
    let messages: AsyncStream<String>

    func send(_ text: String) -> Bool { outbox.send(text) }

    /// RFC 6455 §5.5.1: a control frame has at most 125 bytes, two of which are the code.
    func close(code: UInt16, reason: String) {
        var short = reason
        while short.utf8.count > 123 { short.removeLast() }
        outbox.close(.init(code: code, reason: short))
    }
}
