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

/// Puts the fragments of a message together, within a bound (RFC 6455 §5.4).
struct MessageAssembler {
    enum Outcome: Equatable {
        case incomplete
        case message(String)
        /// Close with this code: 1003 not text, 1007 not UTF-8, 1009 too big.
        case violation(UInt16)
    }
    let limit: Int
    private var bytes: [UInt8] = []

    init(limit: Int) { self.limit = limit }

    mutating func take(_ fragment: UnsafeRawBufferPointer, isLast: Bool, isBinary: Bool) -> Outcome {
        if isBinary { return .violation(1003) }
        guard bytes.count + fragment.count <= limit else {
            bytes = []
            return .violation(1009)
        }
        bytes.append(contentsOf: fragment)
        guard isLast else { return .incomplete }
        defer { bytes.removeAll(keepingCapacity: true) }
        guard let text = String(validating: bytes, as: UTF8.self) else { return .violation(1007) }
        return .message(text)
    }
}
