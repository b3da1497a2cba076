import CWebSockets
import Dispatch
import Foundation
import Synchronization

/// A decision on its way from a task to the waiting service thread.
final class DecisionBox: Sendable {
    private let decision = Mutex<UpgradeDecision?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    func put(_ value: UpgradeDecision) {
        decision.withLock { $0 = value }
        isThere.signal()
    }
    var value: UpgradeDecision? { decision.withLock { $0 } }
    func wait(milliseconds: Int) -> UpgradeDecision? {
        _ = isThere.wait(timeout: .now() + .milliseconds(milliseconds))
        return value
    }
}

/// WebSockets: the handshake's decision, messages in and out, the close frame.
extension ServiceLoop {
    /// libwebsockets wants the decision before its callback returns, so the loop waits for the application, but briefly and for one at a time:
    /// an application that is late once costs all others one bounded wait, after which WebSockets are refused with 503 until it has answered.
    func decideUpgrade(_ connection: Connection, _ kind: UnsafeMutablePointer<CChar>?) -> Verdict {
        // libwebsockets has already dropped the headers where it refuses the kind of upgrade itself: `kind` is then no longer ours to read.
        guard lws_hdr_total_length(connection.wsi, WSI_TOKEN_UPGRADE) > 0, let kind else { return .hangUp }
        guard String(cString: kind).lowercased() == "websocket" else {
            // An offer of HTTP/2 may be ignored (RFC 9110 §7.8). With its name spoilt libwebsockets goes on in HTTP/1.1.
            kind[0] = CChar(UInt8(ascii: "-"))
            return .goOn
        }
        connection.reset()
        guard
            let request = RequestReader(wsi: connection.wsi).request(
                from: connection.address, isTLS: isTLS, trusted: configuration.trustedProxies)
        else {
            return refuseUpgrade(connection, Refusal.badRequest(.encoding).response(language: nil))
        }
        let language = request.headers["accept-language"]
        set(connection, .busy)
        if case .refused(let refusal) = BodyLength(request) { return refuseUpgrade(connection, refusal.response(language: language)) }
        if RequestReader(wsi: connection.wsi).hasBlankBeforeColon {
            counters.add(\.ambiguous)
            return refuseUpgrade(connection, Refusal.badRequest(.framing).response(language: language))
        }
        if let refusal = WebSocketOffer(request).refusal(known: configuration.subprotocols) {
            return refuseUpgrade(connection, refusal.response(language: language))
        }
        switch wait(for: request) {
        case .refuse(let response): return refuseUpgrade(connection, response)
        case nil: return refuseUpgrade(connection, Refusal.busy.response(language: language))
        case .accept(let subprotocol, let run):
            guard WebSocketOffer(request).choice(of: configuration.subprotocols) == subprotocol else {
                return refuseUpgrade(connection, Refusal.badRequest(.subprotocol).response(language: language))
            }
            connection.run = run
            return .goOn
        }
    }

    private func wait(for request: HTTPRequest) -> UpgradeDecision? {
        if let lateDecision, lateDecision.value == nil { return nil }
        let (box, application) = (DecisionBox(), application)
        Task { box.put(await application.upgrade(request)) }
        let decision = box.wait(milliseconds: configuration.upgradeDecisionMilliseconds)
        lateDecision = decision == nil ? box : nil
        if decision == nil { counters.add(\.upgradesLate) }
        return decision
    }

    private func refuseUpgrade(_ connection: Connection, _ response: HTTPResponse) -> Verdict {
        let head = ResponseHead(response: response, closes: true, isTLS: isTLS)
        writeNow(head.bytes(date: Date()) + (head.hasBody ? response.body : []), to: connection.wsi)
        return .hangUp
    }

    func handleEstablished(_ connection: Connection) -> Verdict {
        guard let run = connection.run else { return .hangUp }
        counters.add(\.webSockets)
        connection.phase = .socket
        let (messages, incoming) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingOldest(configuration.receiveQueueLimit))
        connection.incoming = incoming
        connection.run = nil
        let socket = Socket(outbox: connection.outbox, messages: messages)
        Task {
            await run(socket)
            socket.close(code: 1000, reason: "")
        }
        return .goOn
    }

    func handleMessage(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) -> Verdict {
        let wsi = connection.wsi
        let isLast = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0
        switch connection.assembler.take(bytes, isLast: isLast, isBinary: lws_frame_is_binary(wsi) != 0) {
        case .incomplete: return .goOn
        case .violation(let code): return closeSocket(connection, code: code, reason: "")
        case .message(let text):
            if case .dropped? = connection.incoming?.yield(text) {
                return closeSocket(connection, code: 1008, reason: "too many messages")
            }
            return .goOn
        }
    }

    func handleSocketWritable(_ connection: Connection) -> Verdict {
        switch connection.outbox.takeNext() {
        case .nothing: return .goOn
        case .close(let closing): return closeSocket(connection, code: closing.code, reason: closing.reason)
        case .message(let text):
            guard writeNow(Array(text.utf8), to: connection.wsi, as: LWS_WRITE_TEXT) else { return .hangUp }
            lws_callback_on_writable(connection.wsi)
            return .goOn
        }
    }

    /// libwebsockets sends the close frame when the callback says to hang up.
    private func closeSocket(_ connection: Connection, code: UInt16, reason: String) -> Verdict {
        var text = Array(reason.utf8)
        lws_close_reason(connection.wsi, lws_close_status(rawValue: UInt32(code)), &text, text.count)
        return .hangUp
    }
}

/// What a client offers in its handshake (RFC 6455 §4.2.1).
struct WebSocketOffer {
    let request: HTTPRequest
    init(_ request: HTTPRequest) { self.request = request }

    private var header: String? { request.headers["sec-websocket-protocol"] }
    private var subprotocols: [String] {
        (header ?? "").split(separator: ",").map {
            String($0.trimmingPrefix { $0 == " " }.reversed().trimmingPrefix { $0 == " " }.reversed())
        }
    }

    func refusal(known: [String]) -> Refusal? {
        if request.method != "GET" { return .badRequest(.upgradeMethod) }
        if request.headers["sec-websocket-version"] != "13" { return .webSocketVersion }
        // 16 bytes in base 64.
        if request.headers["sec-websocket-key"]?.utf8.count != 24 { return .badRequest(.webSocketKey) }
        // libwebsockets reads at most 127 bytes of the list, and refuses without a word a list that names nothing known.
        if let header, header.utf8.count > 120 || choice(of: known) == nil { return .badRequest(.subprotocol) }
        return nil
    }

    /// The first of the client's that is known; nil where it offers none.
    func choice(of known: [String]) -> String? { subprotocols.first { known.contains($0) } }
}
