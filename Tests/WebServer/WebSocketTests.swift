import Testing

@testable import WebServer

/// A client's frame.
private func frame(_ payload: [UInt8], opcode: UInt8 = 1, final: Bool = true, masked: Bool = true, reserved: UInt8 = 0) -> [UInt8] {
    var bytes = [(final ? 0x80 : 0) | reserved << 4 | opcode]
    let mark: UInt8 = masked ? 0x80 : 0
    bytes += payload.count > 125 ? [mark | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)] : [mark | UInt8(payload.count)]
    guard masked else { return bytes + payload }
    let key: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]
    return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
}

private func frame(_ text: String, opcode: UInt8 = 1, final: Bool = true, masked: Bool = true) -> [UInt8] {
    frame(Array(text.utf8), opcode: opcode, final: final, masked: masked)
}

struct WebSocketFramesTests {
    private func take(_ bytes: [UInt8], pieces: Int, limit: Int = 100) -> (messages: [String], output: [UInt8], isOver: Bool) {
        var frames = WebSocketFrames(messageLimit: limit)
        var (messages, rest) = ([String](), bytes[...])
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            messages += piece.withUnsafeBytes { frames.take($0) }
        }
        return (messages, frames.output, frames.isOver)
    }

    @Test(arguments: [1, 2, 5, .max])
    func `messages are the same however their bytes come, and pings are answered between them`(pieces: Int) {
        let bytes =
            frame("một") + frame("h", final: false) + frame("p", opcode: 9) + frame("", opcode: 0, final: false) + frame("ai", opcode: 0)
            + frame("")
            + frame("", opcode: 10)
        let (messages, output, isOver) = take(bytes, pieces: pieces)
        #expect(messages == ["một", "hai", ""] && output == [0x8a, 1, UInt8(ascii: "p")] && !isOver)
    }

    @Test(arguments: [1, 3, .max])
    func `what a client must not send ends it with its code, and nothing behind it is read`(pieces: Int) {
        let forbidden: [([UInt8], UInt16)] =
            [
                (frame("a", masked: false), 1002), (frame("", masked: false), 1002), (frame("", opcode: 8, masked: false), 1002),
                (frame([], opcode: 9, reserved: 4), 1002), (frame([], reserved: 1), 1002), (frame("p", opcode: 9, final: false), 1002),
                (frame([UInt8](repeating: 0, count: 126), opcode: 9), 1002), (frame("a", opcode: 0), 1002),
                (frame("a", final: false) + frame("b"), 1002), (frame([3], opcode: 8), 1002), (frame([3, 0xe7], opcode: 8), 1002),
                (frame([3, 0xe8, 0xff], opcode: 8), 1007), (frame("a", opcode: 2), 1003), (frame([0xc3, 0x28]), 1007),
                (frame([0xe1, 0xba]), 1007),
                (frame([UInt8](repeating: 0x61, count: 101)), 1009), ([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1002),
            ] + (3...7).map { (frame("a", opcode: $0), 1002) } + (11...15).map { (frame("a", opcode: $0), 1002) }
        for (bytes, code) in forbidden {
            let (messages, output, isOver) = take(bytes + frame("later"), pieces: pieces)
            #expect(messages.isEmpty && output == [0x88, 2, UInt8(code >> 8), UInt8(code & 0xff)] && isOver, "\(bytes)")
        }
    }

    @Test func `a close frame is answered with its own code`() {
        #expect(
            take(frame([0x10, 0xe1] + Array("ok".utf8), opcode: 8) + frame("later"), pieces: .max) == (
                [], [0x88, 4, 0x10, 0xe1, 0x6f, 0x6b], true
            ))
        #expect(take(frame([], opcode: 8), pieces: 1) == ([], [0x88, 0], true))
    }

    @Test func `what is sent is whole, and nothing follows one's own close frame`() {
        var frames = WebSocketFrames(messageLimit: 100)
        frames.send("á")
        frames.ping()
        #expect(frames.output == [0x81, 2, 0xc3, 0xa1, 0x89, 0])
        frames.output = []
        frames.send(String(repeating: "a", count: 70_000))
        #expect(frames.output.count == 70_010 && frames.output.starts(with: [0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]))
        frames.output = []
        frames.close(code: 1013, reason: "too slow")
        frames.close(code: 1000, reason: "")
        frames.send("b")
        frames.ping()
        #expect(frames.output == [0x88, 10, 3, 0xf5] + Array("too slow".utf8) && frames.isClosing && !frames.isOver)
        #expect(frame("late").withUnsafeBytes { frames.take($0) }.isEmpty)
        _ = frame([3, 0xf5], opcode: 8).withUnsafeBytes { frames.take($0) }
        #expect(frames.isOver)
    }
}

struct WebSocketHandshakeTests {
    private func request(_ changes: [String: String?] = [:], method: String = "GET") -> HTTPRequest {
        var headers = [
            "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-protocol": "a, nhipcau.v1",
        ]
        for (name, value) in changes { headers[name] = value }
        return HTTPRequest(method: method, path: "/", headers: headers)
    }

    @Test func `the answer is that of the standard's example`() {
        let opening = String(decoding: WebSocketHandshake(request()).opening(subprotocol: "nhipcau.v1"), as: UTF8.self)
        // RFC 6455 §1.3.
        #expect(opening.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(opening.hasPrefix("HTTP/1.1 101 ") && opening.hasSuffix("Sec-WebSocket-Protocol: nhipcau.v1\r\n\r\n"))
    }

    @Test func `an offer that is none is refused with its reason`() {
        func refusal(_ request: HTTPRequest) -> Refusal? { WebSocketHandshake(request).refusal(known: ["nhipcau.v1"]) }
        #expect(refusal(request()) == nil)
        #expect(refusal(request(["sec-websocket-protocol": nil])) == nil)
        #expect(refusal(request(["sec-websocket-protocol": "x"])) == .badRequest(.subprotocol))
        #expect(refusal(request(["sec-websocket-protocol": ""])) == .badRequest(.subprotocol))
        #expect(refusal(request(["sec-websocket-version": "8"])) == .webSocketVersion)
        for key in ["x", "", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZSE="] {
            #expect(refusal(request(["sec-websocket-key": key])) == .badRequest(.webSocketKey), "\(key)")
        }
        #expect(refusal(request(method: "POST")) == .badRequest(.upgradeMethod))
    }
}
