import CWebSockets
import Foundation

/// One request after another: headers, body within its bound, the application's task, the answer.
extension ServiceLoop {
    /// What a callback tells libwebsockets.
    enum Verdict: Int32 { case goOn = 0, hangUp = -1 }

    /// The headers are complete.
    func handleRequest(_ connection: Connection) -> Verdict {
        // A second request while the first is unanswered would be answered with the first's answer.
        guard case .idle = connection.phase else { return .hangUp }
        connection.reset()
        set(connection, .unproven)
        counters.add(\.requests)
        let reader = RequestReader(wsi: connection.wsi)
        guard let request = reader.request(from: connection.address, isTLS: isTLS, trusted: configuration.trustedProxies) else {
            connection.refuse(.badRequest(.encoding))
            return .goOn
        }
        connection.request = request
        connection.isHead = request.method == "HEAD"
        connection.closes = reader.version != "1.1" || (request.headers["connection"] ?? "").lowercased().contains("close")
        let length = reader.hasBlankBeforeColon ? .refused(.badRequest(.framing)) : BodyLength(request, version: reader.version)
        if length == .refused(.badRequest(.framing)) { counters.add(\.ambiguous) }
        switch length {
        case .none: dispatch(connection)
        case .unsaid:
            connection.closes = true
            dispatch(connection)
        case .refused(let refusal):
            // libwebsockets waits for no body of these: what follows would be read as the next request.
            guard ["POST", "PUT", "PATCH"].contains(request.method) else { return refuseNow(connection, refusal) }
            connection.lingers = true
            connection.refuse(refusal)
        case .bytes(let length): expectBody(connection, length: length)
        case .chunked: expectChunks(connection)
        }
        return .goOn
    }

    /// libwebsockets does not know where a chunked body ends: it goes on to take what comes for the body, so the connection closes after the answer.
    private func expectChunks(_ connection: Connection) {
        connection.closes = true
        connection.chunks = ChunkedBody(limit: configuration.bodyLimit)
        connection.bodyDeadline = .now + .seconds(configuration.bodySeconds)
        connection.phase = .receivingBody(length: configuration.bodyLimit)
        guard connection.request?.headers["expect"]?.lowercased() == "100-continue" else { return }
        writeNow(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), to: connection.wsi)
    }

    private func take(_ bytes: UnsafeRawBufferPointer, _ chunks: ChunkedBody, of connection: Connection) -> Verdict {
        var chunks = chunks
        let outcome = chunks.take(bytes, into: &connection.body)
        connection.chunks = chunks
        switch outcome {
        case .more: return .goOn
        case .done: dispatch(connection)
        case .tooLarge, .malformed:
            counters.add(outcome == .tooLarge ? \.bodiesRefused : \.ambiguous)
            connection.body = []
            connection.lingers = true
            connection.refuse(outcome == .tooLarge ? .tooLarge(limit: configuration.bodyLimit) : .badRequest(.framing))
        }
        return .goOn
    }

    /// The answer leaves at once and the connection ends: nothing behind this request is read.
    private func refuseNow(_ connection: Connection, _ refusal: Refusal) -> Verdict {
        let response = refusal.response(language: connection.request?.headers["accept-language"])
        let head = ResponseHead(response: response, isHead: connection.isHead, closes: true, isTLS: isTLS)
        writeNow(head.bytes(date: Date()) + (head.hasBody ? response.body : []), to: connection.wsi)
        return .hangUp
    }

    private func expectBody(_ connection: Connection, length: Int) {
        let expects = connection.request?.headers["expect"]?.lowercased() == "100-continue"
        connection.bodyDeadline = .now + .seconds(configuration.bodySeconds)
        guard length > configuration.bodyLimit else {
            connection.phase = .receivingBody(length: length)
            connection.body.reserveCapacity(length)
            if expects { writeNow(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), to: connection.wsi) }
            return
        }
        counters.add(\.bodiesRefused)
        if expects || length > configuration.discardLimit {
            connection.lingers = true
            connection.refuse(.tooLarge(limit: configuration.bodyLimit))
        } else {
            connection.phase = .discarding
        }
    }

    func handleBody(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) -> Verdict {
        switch connection.phase {
        case .receivingBody(let length):
            guard .now < connection.bodyDeadline else { return .hangUp }
            if let chunks = connection.chunks { return take(bytes, chunks, of: connection) }
            guard connection.body.count + bytes.count <= length else { return .hangUp }
            connection.body.append(contentsOf: bytes)
        default:
            connection.discarded += bytes.count
            if connection.discarded > configuration.discardLimit { return .hangUp }
        }
        return .goOn
    }

    func handleBodyEnd(_ connection: Connection) -> Verdict {
        switch connection.phase {
        case .receivingBody: dispatch(connection)
        case .discarding: connection.refuse(.tooLarge(limit: configuration.bodyLimit))
        case .lingering: return .hangUp
        default: break
        }
        return .goOn
    }

    private func dispatch(_ connection: Connection) {
        guard var request = connection.request else { return }
        swap(&request.body, &connection.body)
        connection.phase = .waiting
        set(connection, .busy)
        // Until the answer is sent nothing is read: a client that sends its next request early waits in the kernel's buffer.
        lws_rx_flow_control(connection.wsi, 0)
        lws_set_timeout(connection.wsi, PENDING_TIMEOUT_HTTP_CONTENT, 60)
        let (outbox, application) = (connection.outbox, application)
        Task { [request] in outbox.answer(await application.respond(to: request)) }
    }

    func handleWritable(_ connection: Connection) -> Verdict {
        guard case .sending = connection.phase else { return .goOn }
        let count = min(connection.outgoing.count - connection.sent, 64 * 1024)
        let chunk = connection.outgoing[connection.sent..<(connection.sent + count)]
        guard writeNow(Array(chunk), to: connection.wsi) else { return .hangUp }
        connection.sent += count
        lws_set_timeout(connection.wsi, PENDING_TIMEOUT_HTTP_CONTENT, Int32(configuration.timeoutSeconds))
        guard connection.sent == connection.outgoing.count else {
            lws_callback_on_writable(connection.wsi)
            return .goOn
        }
        return finish(connection)
    }

    private func finish(_ connection: Connection) -> Verdict {
        let (closes, lingers) = (connection.closes, connection.lingers)
        if lingers {
            connection.phase = .lingering
            lws_set_timeout(connection.wsi, PENDING_TIMEOUT_HTTP_CONTENT, 5)
            return .goOn
        }
        if closes { return .hangUp }
        connection.reset()
        set(connection, .idle)
        lws_rx_flow_control(connection.wsi, 1)
        return lws_http_transaction_completed(connection.wsi) == 0 ? .goOn : .hangUp
    }

    /// What the socket does not take at once libwebsockets keeps and sends first.
    @discardableResult
    func writeNow(_ bytes: [UInt8], to wsi: OpaquePointer, as kind: lws_write_protocol = LWS_WRITE_HTTP) -> Bool {
        let front = nc_lws_pre()
        var buffer = [UInt8](repeating: 0, count: front)
        buffer += bytes
        return buffer.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return lws_write(wsi, start + front, bytes.count, kind) >= 0
        }
    }
}
