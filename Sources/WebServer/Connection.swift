import CWebSockets
import Foundation

/// One connection, as the service thread knows it. Never leaves that thread.
final class Connection {
    enum Phase {
        /// Between requests.
        case idle
        case receivingBody(length: Int)
        /// The body is too large: it is read and thrown away, so that its sender gets to read the answer.
        case discarding
        /// The application has the request.
        case waiting
        case sending
        /// The answer is sent; what still comes of the body is thrown away until the peer closes or a bound is reached.
        case lingering
        case socket
    }

    let wsi: OpaquePointer
    let outbox: Outbox
    let address: String
    var phase = Phase.idle
    var request: HTTPRequest?
    var body: [UInt8] = []
    var discarded = 0
    var bodyDeadline = ContinuousClock.now
    var isHead = false
    var closes = false
    /// A body may still be coming although the answer is ready.
    var lingers = false
    var chunks: ChunkedBody?
    let isTLS: Bool
    /// The rest of the answer: `nc_lws_pre` is not needed for HTTP/1.1, but lws_write is promised it.
    var outgoing: [UInt8] = []
    var sent = 0
    var run: (@Sendable (any WebSocketConnection) async -> Void)?
    var incoming: AsyncStream<String>.Continuation?
    var assembler: MessageAssembler

    init(wsi: OpaquePointer, outbox: Outbox, address: String, isTLS: Bool, messageLimit: Int) {
        (self.wsi, self.outbox, self.address, self.isTLS) = (wsi, outbox, address, isTLS)
        assembler = MessageAssembler(limit: messageLimit)
    }

    /// Ready for the next request of a kept connection.
    func reset() {
        (phase, request, body, discarded) = (.idle, nil, [], 0)
        (isHead, closes, lingers) = (false, false, false)
        (outgoing, sent, chunks) = ([], 0, nil)
    }

    /// Has the answer sent as soon as the socket takes it.
    func answer(_ response: HTTPResponse) {
        let head = ResponseHead(response: response, isHead: isHead, closes: closes, isTLS: isTLS)
        outgoing = head.bytes(date: Date())
        if head.hasBody { outgoing += response.body }
        (sent, phase) = (0, .sending)
        lws_callback_on_writable(wsi)
    }

    func refuse(_ refusal: Refusal) {
        closes = true
        answer(refusal.response(language: request?.headers["accept-language"]))
    }
}
