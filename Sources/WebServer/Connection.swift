import CWebSockets
import Foundation

/// One connection, as the service thread knows it. Never leaves that thread.
final class Connection {
    enum Phase {
        case reading
        /// The application has the request.
        case waiting
        /// The application decides on a WebSocket.
        case deciding(WebSocketHandshake)
        case sending
        case socket
        /// The answer is sent and the end of sending said; what still comes is thrown away until the peer closes or a bound is reached, so that
        /// it gets to read the answer (RFC 9112 §9.6).
        case ending
    }

    let wsi: OpaquePointer
    let outbox: Outbox
    let address: String
    let isTLS: Bool
    var phase = Phase.reading
    var reader: RequestReader
    /// Came before it could be used: the next request, or frames before the handshake's answer.
    var early: [UInt8] = []
    var bodyDeadline = ContinuousClock.now
    var discarded = 0
    var isHead = false
    var closes = false
    var language: String?
    /// The rest of the answer.
    var outgoing: [UInt8] = []
    var sent = 0
    /// Whether libwebsockets reads from the socket.
    var isFlowing = true
    /// Of `socket`.
    var frames: WebSocketFrames
    var incoming: AsyncStream<String>.Continuation?
    /// When something came last of a WebSocket's client, and whether it was pinged since.
    var lastHeard = ContinuousClock.now
    var isPinged = false
    /// The client was told that its WebSocket closes, and its time to say so too runs.
    var isLeaving = false

    init(wsi: OpaquePointer, outbox: Outbox, address: String, isTLS: Bool, reader: RequestReader, frames: WebSocketFrames) {
        self.wsi = wsi
        self.outbox = outbox
        self.address = address
        self.isTLS = isTLS
        (self.reader, self.frames) = (reader, frames)
    }

    /// libwebsockets holds bytes that the socket did not take yet.
    var isStuffed: Bool { lws_partial_buffered(wsi) != 0 }

    /// Has the answer sent as soon as the socket takes it.
    func answer(_ response: HTTPResponse) {
        let head = ResponseHead(response: response, isHead: isHead, closes: closes, isTLS: isTLS)
        outgoing = head.bytes(date: Date())
        if head.hasBody { outgoing += response.body }
        (sent, phase) = (0, .sending)
        lws_callback_on_writable(wsi)
    }

    /// Nothing that follows is read.
    func refuse(_ refusal: Refusal) {
        (closes, early) = (true, [])
        answer(refusal.response(language: language))
    }

    /// Reads from the socket only where what comes has a use, and not while output waits: libwebsockets would ask the kernel again and again for
    /// bytes that it then leaves where they are.
    func adjustFlow() {
        let wants =
            switch phase {
            case .reading, .socket, .ending: !isStuffed
            case .waiting, .deciding, .sending: false
            }
        guard wants != isFlowing else { return }
        isFlowing = wants
        lws_rx_flow_control(wsi, wants ? 1 : 0)
    }

    func expire(afterSeconds seconds: Int) { lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, Int32(clamping: max(1, seconds))) }
    func neverExpire() { lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0) }
}
