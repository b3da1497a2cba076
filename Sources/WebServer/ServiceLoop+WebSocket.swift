import CWebSockets
import Dispatch
import Foundation

/// WebSockets: the handshake's decision, messages in and out, the close handshake, pings.
extension ServiceLoop {
    func decideUpgrade(_ connection: Connection, _ request: HTTPRequest) {
        let handshake = WebSocketHandshake(request)
        if let refusal = handshake.refusal(known: configuration.subprotocols) { return connection.refuse(refusal) }
        connection.phase = .deciding(handshake)
        let (outbox, application) = (connection.outbox, application)
        Task { outbox.put(.decision(await application.upgrade(request))) }
    }

    /// The application has decided.
    func open(_ connection: Connection, _ handshake: WebSocketHandshake, _ decision: UpgradeDecision) -> Verdict {
        switch decision {
        case .refuse(let response): connection.answer(response)
        case .accept(let subprotocol, let run):
            guard handshake.choice(of: configuration.subprotocols) == subprotocol else {
                connection.refuse(.badRequest(.subprotocol))
                return .goOn
            }
            counters.add(\.webSockets)
            connection.phase = .socket
            connection.neverExpire()
            connection.frames.output = handshake.opening(subprotocol: subprotocol)
            start(run, connection)
            connection.lastHeard = .now
            wakeForSilence(connection, after: .seconds(configuration.pingAfterSeconds))
            let early = connection.early
            connection.early = []
            return early.withUnsafeBytes { takeFrames(connection, $0) }
        }
        return .goOn
    }

    private func start(_ run: @escaping @Sendable (any WebSocketConnection) async -> Void, _ connection: Connection) {
        let (messages, incoming) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingOldest(configuration.receiveQueueLimit))
        connection.incoming = incoming
        let socket = Socket(outbox: connection.outbox, messages: messages)
        Task {
            await run(socket)
            socket.close(code: 1000, reason: "")
        }
    }

    func takeFrames(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) -> Verdict {
        if !bytes.isEmpty { (connection.lastHeard, connection.isPinged) = (.now, false) }
        for text in connection.frames.take(bytes) {
            guard case .dropped? = connection.incoming?.yield(text) else { continue }
            connection.frames.close(code: 1008, reason: "too many messages")
            break
        }
        return pump(connection)
    }

    /// Sends what waits, a piece at a time, in order.
    func pump(_ connection: Connection) -> Verdict {
        guard !connection.isStuffed else { return .goOn }
        var hasMore = true
        while hasMore, connection.frames.output.count < Self.pieceSize {
            switch connection.outbox.takeNext() {
            case .nothing: hasMore = false
            case .message(let text): connection.frames.send(text)
            case .close(let closing):
                connection.frames.close(code: closing.code, reason: closing.reason)
                hasMore = false
            }
        }
        let output = connection.frames.output
        connection.frames.output = []
        var sent = 0
        while sent < output.count {
            // A message is at most as long as the queue, so what libwebsockets has to keep is bounded.
            guard write(output[sent..<min(sent + Self.pieceSize, output.count)], to: connection) else { return .hangUp }
            sent += Self.pieceSize
        }
        guard !connection.isStuffed else { return .goOn }
        if connection.frames.isOver { return end(connection) }
        if connection.frames.isClosing, !connection.isLeaving {
            connection.isLeaving = true
            connection.expire(afterSeconds: Self.lingerSeconds)
        }
        if hasMore { lws_callback_on_writable(connection.wsi) }
        return .goOn
    }

    /// Silence is asked after, then taken for the end.
    func watch(_ connection: Connection) -> Verdict {
        guard case .socket = connection.phase else { return .goOn }
        let silence = ContinuousClock.now - connection.lastHeard
        let (ping, end) = (Duration.seconds(configuration.pingAfterSeconds), Duration.seconds(configuration.hangUpAfterSeconds))
        guard silence < end else { return .hangUp }
        var verdict = Verdict.goOn
        if silence >= ping, !connection.isPinged {
            connection.isPinged = true
            connection.frames.ping()
            verdict = pump(connection)
        }
        wakeForSilence(connection, after: (connection.isPinged ? end : ping) - silence)
        return verdict
    }

    private func wakeForSilence(_ connection: Connection, after wait: Duration) {
        let microseconds = wait.components.seconds * 1_000_000 + wait.components.attoseconds / 1_000_000_000_000
        lws_set_timer_usecs(connection.wsi, max(10_000, microseconds))
    }
}
