import CWebSockets
import Foundation

/// One request after another: read within bounds, given to the application, answered.
extension ServiceLoop {
    /// What a callback tells libwebsockets.
    enum Verdict: Int32 { case goOn = 0, hangUp = -1 }

    /// Bytes of a connection, in order.
    func receive(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) -> Verdict {
        switch connection.phase {
        case .reading: return read(connection, bytes)
        case .waiting, .deciding, .sending:
            // Its turn has not come, and the socket is not read from, but for what was on its way.
            connection.early.append(contentsOf: bytes)
            return connection.early.count <= 4 * Self.pieceSize ? .goOn : .hangUp
        case .socket: return takeFrames(connection, bytes)
        case .ending:
            connection.discarded += bytes.count
            guard connection.discarded <= configuration.discardLimit, .now < connection.bodyDeadline else { return .hangUp }
            connection.expire(afterSeconds: Self.lingerSeconds)
            return .goOn
        }
    }

    private func read(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) -> Verdict {
        var bytes = bytes
        while case .reading = connection.phase, !bytes.isEmpty {
            let wasFresh = connection.reader.isFresh
            let (outcome, used) = connection.reader.take(bytes)
            bytes = UnsafeRawBufferPointer(rebasing: bytes[used...])
            switch outcome {
            case .more: wait(for: connection, wasFresh: wasFresh)
            case .proceed:
                wait(for: connection, wasFresh: wasFresh)
                guard write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), to: connection) else { return .hangUp }
            case .request(let request, let manner): take(request, manner, connection)
            case .refused(let refusal, let language):
                counters.add(\.requests)
                count(refusal)
                connection.language = language
                bytes = UnsafeRawBufferPointer(start: nil, count: 0)
                connection.refuse(refusal)
            }
        }
        connection.early.append(contentsOf: bytes)
        connection.adjustFlow()
        return .goOn
    }

    private func count(_ refusal: Refusal) {
        switch refusal {
        case .badRequest(.framing), .badRequest(.contentLength): counters.add(\.ambiguous)
        case .tooLarge: counters.add(\.bodiesRefused)
        default: break
        }
    }

    /// A head may take its seconds in all; a body may be silent for them, and take its own in all.
    private func wait(for connection: Connection, wasFresh: Bool) {
        let reader = connection.reader
        if wasFresh, !reader.isFresh {
            set(connection, .unproven)
            connection.expire(afterSeconds: configuration.timeoutSeconds)
            connection.bodyDeadline = .now + .seconds(configuration.bodySeconds)
        }
        guard reader.isInBody else { return }
        let left = Int((connection.bodyDeadline - .now).components.seconds)
        connection.expire(afterSeconds: min(configuration.timeoutSeconds, left))
    }

    private func take(_ request: HTTPRequest, _ manner: RequestReader.Manner, _ connection: Connection) {
        counters.add(\.requests)
        let client = Forwarded(peer: connection.address, headers: request.headers, trusted: configuration.trustedProxies)
        var request = request
        (request.remoteAddress, request.isTLS) = (client.address, client.isTLS ?? isTLS)
        (connection.isHead, connection.closes) = (request.method == "HEAD", manner.closes)
        connection.language = request.headers["accept-language"]
        set(connection, .busy)
        connection.expire(afterSeconds: configuration.answerSeconds)
        if manner.upgrades { return decideUpgrade(connection, request) }
        connection.phase = .waiting
        let (outbox, application) = (connection.outbox, application)
        Task { [request] in outbox.put(.response(await application.respond(to: request))) }
    }

    func continueSending(_ connection: Connection) -> Verdict {
        while connection.sent < connection.outgoing.count, !connection.isStuffed {
            let end = min(connection.sent + Self.pieceSize, connection.outgoing.count)
            guard write(connection.outgoing[connection.sent..<end], to: connection) else { return .hangUp }
            connection.sent = end
            connection.expire(afterSeconds: configuration.timeoutSeconds)
        }
        guard !connection.isStuffed else { return .goOn }
        (connection.outgoing, connection.sent) = ([], 0)
        guard !connection.closes else { return end(connection) }
        connection.phase = .reading
        connection.expire(afterSeconds: Self.idleSeconds)
        set(connection, .idle)
        let early = connection.early
        connection.early = []
        return early.withUnsafeBytes { read(connection, $0) }
    }

    /// Everything that was to be sent is sent.
    func end(_ connection: Connection) -> Verdict {
        connection.phase = .ending
        connection.early = []
        connection.bodyDeadline = .now + .seconds(configuration.bodySeconds)
        set(connection, .idle)
        nc_lws_end_of_sending(connection.wsi)
        connection.expire(afterSeconds: Self.lingerSeconds)
        connection.adjustFlow()
        return .goOn
    }

    /// What the socket does not take at once libwebsockets keeps and sends first.
    func write(_ bytes: some Collection<UInt8>, to connection: Connection) -> Bool {
        guard !bytes.isEmpty else { return true }
        let front = nc_lws_pre()
        var buffer = [UInt8](repeating: 0, count: front)
        buffer.append(contentsOf: bytes)
        let isTaken = buffer.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return lws_write(connection.wsi, start + front, buffer.count - front, LWS_WRITE_HTTP) >= 0  // as it is
        }
        connection.adjustFlow()
        return isTaken
    }
}
