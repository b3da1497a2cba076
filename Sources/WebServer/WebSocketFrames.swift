/// The frames of one WebSocket, server side (RFC 6455 §5 to §7). Bytes in, messages out, and the other way round. No IO and no clock.
///
/// What a client must not send ends it with the code of §7.4: 1002 for frames that are not masked (§5.1), reserved bits and opcodes, control frames
/// in fragments or over 125 bytes, lengths in another than the shortest form and close codes that are none; 1003 for what is not text, 1007 for text
/// that is not UTF-8, 1009 for a message over the limit.
struct WebSocketFrames {
    private enum Opcode: UInt8 {
        case continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10
        var isControl: Bool { rawValue >= 8 }
    }
    private struct Header {
        var opcode: Opcode
        var isLast: Bool
        var key: [UInt8]
        /// Of the payload: bytes that came, bytes that are to come.
        var came = 0
        var left: Int
    }
    private struct Violation: Error { var code: UInt16 }

    /// What is to be sent. Whoever sends it empties it.
    var output: [UInt8] = []
    /// A close frame of this side is in the output or gone.
    private(set) var isClosing = false
    /// Nothing more will come that matters: both sides have said that they close, or the client broke the rules. After the output the stream ends.
    private(set) var isOver = false

    let messageLimit: Int
    private var head: [UInt8] = []
    private var frame: Header?
    private var message: [UInt8] = []
    private var hasBegun = false
    private var control: [UInt8] = []

    /// - Parameter messageLimit: bytes.
    init(messageLimit: Int) { self.messageLimit = messageLimit }

    /// - Returns: the messages that are whole now, in order.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> [String] {
        var (rest, messages) = (bytes[...], [String]())
        do throws(Violation) {
            while !isOver, let byte = rest.first {
                if frame == nil {
                    rest = rest.dropFirst()
                    head.append(byte)
                    frame = try header()
                    guard frame?.left == 0 else { continue }
                } else {
                    takePayload(&rest)
                }
                guard let whole = frame, whole.left == 0 else { continue }
                frame = nil
                if let text = try finish(whole), !isClosing { messages.append(text) }
            }
        } catch {
            close(code: error.code, reason: "")
            isOver = true
        }
        return messages
    }

    // MARK: Reading

    /// - Returns: nil while bytes of the head are missing.
    private mutating func header() throws(Violation) -> Header? {
        guard head.count >= 2 else { return nil }
        let (isLast, short) = (head[0] & 0x80 != 0, Int(head[1] & 0x7f))
        // No extension is spoken, so none gives the reserved bits a meaning.
        guard head[0] & 0x70 == 0, head[1] & 0x80 != 0, let opcode = Opcode(rawValue: head[0] & 0x0f) else { throw Violation(code: 1002) }
        if opcode.isControl {
            guard isLast, short <= 125 else { throw Violation(code: 1002) }
        } else {
            guard (opcode == .continuation) == hasBegun else { throw Violation(code: 1002) }
            guard opcode != .binary else { throw Violation(code: 1003) }
        }
        let sizeOfLength = short == 127 ? 8 : short == 126 ? 2 : 0
        guard head.count == 2 + sizeOfLength + 4 else { return nil }
        let length = sizeOfLength == 0 ? UInt64(short) : head[2..<(2 + sizeOfLength)].reduce(0) { $0 << 8 | UInt64($1) }
        guard short < 126 || length >= (short == 126 ? 126 : 65_536), length < 1 << 63 else { throw Violation(code: 1002) }
        guard opcode.isControl || length <= UInt64(messageLimit - message.count) else { throw Violation(code: 1009) }
        defer { head.removeAll(keepingCapacity: true) }
        if !opcode.isControl { hasBegun = true }
        return Header(opcode: opcode, isLast: isLast, key: Array(head.suffix(4)), left: Int(length))
    }

    private mutating func takePayload(_ rest: inout Slice<UnsafeRawBufferPointer>) {
        guard var now = frame else { return }
        let part = rest.prefix(now.left)
        rest = rest.dropFirst(part.count)
        let offset = now.came
        let plain = part.enumerated().lazy.map { [key = now.key] in $1 ^ key[(offset + $0) & 3] }
        if now.opcode.isControl { control.append(contentsOf: plain) } else { message.append(contentsOf: plain) }
        (now.came, now.left) = (offset + part.count, now.left - part.count)
        frame = now
    }

    /// - Returns: a message that this frame ends.
    private mutating func finish(_ frame: Header) throws(Violation) -> String? {
        defer { if frame.opcode.isControl { control.removeAll(keepingCapacity: true) } }
        switch frame.opcode {
        case .ping: put(.pong, control)
        case .pong: break
        case .close:
            try answerClose()
            isOver = true
        case .text, .continuation, .binary:
            guard frame.isLast else { return nil }
            defer { message.removeAll(keepingCapacity: message.capacity <= 4_096) }
            hasBegun = false
            guard let text = String(validating: message, as: UTF8.self) else { throw Violation(code: 1007) }
            return text
        }
        return nil
    }

    /// With the same code (§5.5.1).
    private mutating func answerClose() throws(Violation) {
        guard !control.isEmpty else {
            put(.close, [])
            return isClosing = true
        }
        guard control.count >= 2 else { throw Violation(code: 1002) }
        let code = UInt16(control[0]) << 8 | UInt16(control[1])
        // §7.4.1, §7.4.2, and what IANA has added since.
        guard (1_000...1_003).contains(code) || (1_007...1_014).contains(code) || (3_000...4_999).contains(code) else {
            throw Violation(code: 1002)
        }
        guard let reason = String(validating: control[2...], as: UTF8.self) else { throw Violation(code: 1007) }
        close(code: code, reason: reason)
    }

    // MARK: Writing

    mutating func send(_ text: String) { put(.text, text.utf8) }

    mutating func ping() { put(.ping, []) }

    /// - Parameter reason: at most 123 bytes.
    mutating func close(code: UInt16, reason: String) {
        put(.close, [UInt8(code >> 8), UInt8(code & 0xff)] + reason.utf8.prefix(123))
        isClosing = true
    }

    /// Nothing is sent behind one's own close frame.
    private mutating func put(_ opcode: Opcode, _ payload: some Collection<UInt8>) {
        guard !isClosing else { return }
        output.append(0x80 | opcode.rawValue)
        let count = payload.count
        switch count {
        case 0...125: output.append(UInt8(count))
        case 126...65_535: output += [126, UInt8(count >> 8), UInt8(count & 0xff)]
        default:
            output.append(127)
            for shift in stride(from: 56, through: 0, by: -8) { output.append(UInt8(truncatingIfNeeded: count >> shift)) }
        }
        output.append(contentsOf: payload)
    }
}
