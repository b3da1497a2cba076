@testable import WebServer

/// Whatever bytes come as frames: messages within the limit, never more output than input and a close frame, and the same in one piece as byte by byte.
@c(LLVMFuzzerTestOneInput) public func fuzzWebSocketFrames(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    let (whole, pieces) = (take(input, pieces: .max), take(input, pieces: 1))
    precondition(whole == pieces)
    return 0
}

private struct Taken: Equatable {
    var messages: [String]
    var output: [UInt8]
    var isOver: Bool
}

private func take(_ input: [UInt8], pieces: Int) -> Taken {
    var frames = WebSocketFrames(messageLimit: 256)
    var (messages, rest, output) = ([String](), input[...], [UInt8]())
    while !rest.isEmpty {
        let piece = Array(rest.prefix(pieces))
        rest = rest.dropFirst(pieces)
        messages += piece.withUnsafeBytes { frames.take($0) }
        output += frames.output
        frames.output = []
    }
    precondition(output.count <= input.count + 4 && messages.allSatisfy { $0.utf8.count <= 256 })
    return Taken(messages: messages, output: output, isOver: frames.isOver)
}
