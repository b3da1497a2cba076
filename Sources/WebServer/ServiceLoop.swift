import CWebSockets
import Foundation

/// The service thread's own state: the connections, and what to do when libwebsockets calls. Not Sendable: it is made on the thread and dies there.
final class ServiceLoop {
    let configuration: WebServerConfiguration
    let application: any WebApplication
    let waker: Waker
    let counters: ServerCounters
    let log: Log
    private var connections: [UInt64: Connection] = [:]
    private var bounds: ConnectionBounds
    private var lastID: UInt64 = 0

    /// What is written at once, and read.
    static let pieceSize = 16 * 1_024
    /// Seconds that a peer has to close its side after ours.
    static let lingerSeconds = 5
    /// Seconds between two requests of a connection.
    static let idleSeconds = 60

    init(configuration: WebServerConfiguration, application: any WebApplication, waker: Waker, counters: ServerCounters, log: Log) {
        (self.configuration, self.application, self.waker) = (configuration, application, waker)
        (self.counters, self.log) = (counters, log)
        bounds = ConnectionBounds(
            limit: configuration.connectionLimit, perAddress: configuration.connectionLimitPerAddress,
            unprovenPerAddress: configuration.unprovenLimitPerAddress, perMachine: configuration.connectionLimitOfTheMachine)
    }

    var isTLS: Bool { configuration.tls != nil }

    // MARK: Connections

    /// A newcomer where the address or the server has too many takes the place of the oldest that has not yet asked for anything.
    /// - Returns: false where there is none: all have an answer under way or a WebSocket.
    func mayConnect(from address: String) -> Bool {
        switch bounds.ask(address, origin(of: address)) {
        case .refuse:
            counters.add(\.connectionsRefused)
            return false
        case .take(let leaving):
            guard let leaving, let connection = connections[leaving] else { return true }
            counters.add(\.connectionsDisplaced)
            // Not now: libwebsockets is in the middle of taking the newcomer.
            lws_set_timeout(connection.wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC)
            return true
        }
    }

    private func origin(of address: String) -> ConnectionBounds.Origin {
        guard let ip = IPAddress(address) else { return .stranger }
        if configuration.trustedProxies.contains(where: { $0.contains(ip) }) { return .proxy }
        return address == "127.0.0.1" || address == "::1" ? .machine : .stranger
    }

    /// A request is whole, or its answer is sent.
    func set(_ connection: Connection, _ state: ConnectionBounds.State) { bounds.set(connection.outbox.id, state) }

    func open(_ wsi: OpaquePointer) {
        lastID += 1
        let outbox = Outbox(id: lastID, waker: waker, limit: configuration.sendQueueLimit)
        let reader = RequestReader(headLimit: configuration.headerLimit, bodyLimit: configuration.bodyLimit)
        let connection = Connection(
            wsi: wsi, outbox: outbox, address: Self.address(of: wsi), isTLS: isTLS, reader: reader,
            frames: WebSocketFrames(messageLimit: configuration.messageLimit))
        connections[lastID] = connection
        bounds.add(lastID, connection.address)
        counters.add(\.connections)
        // Owned by `connections`, which `close` empties when the wsi goes: the pointer never outlives it.
        lws_set_opaque_user_data(wsi, Unmanaged.passUnretained(connection).toOpaque())
        connection.expire(afterSeconds: configuration.timeoutSeconds)
    }

    func close(_ connection: Connection) {
        lws_set_opaque_user_data(connection.wsi, nil)
        connection.outbox.connectionIsGone()
        connection.incoming?.finish()
        connections[connection.outbox.id] = nil
        bounds.remove(connection.outbox.id)
    }

    static func address(of wsi: OpaquePointer) -> String {
        var name = [CChar](repeating: 0, count: 64)
        guard let text = lws_get_peer_simple(wsi, &name, name.count) else { return "" }
        return plainAddress(String(cString: text))
    }

    /// IPv4 clients of a dual-stack socket come as `::ffff:192.0.2.1`.
    static func plainAddress(_ address: String) -> String {
        address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
    }

    /// The socket takes bytes, or a task has made something ready.
    func handleWritable(_ connection: Connection) -> Verdict {
        guard !connection.isStuffed else { return .goOn }
        connection.adjustFlow()
        switch (connection.phase, connection.outbox.takeReady()) {
        case (.waiting, .response(let response)?):
            connection.answer(response)
            return continueSending(connection)
        case (.deciding(let handshake), .decision(let decision)?): return open(connection, handshake, decision)
        case (.sending, _): return continueSending(connection)
        case (.socket, _): return pump(connection)
        default: break
        }
        return .goOn
    }

    /// What tasks have made ready since the last time.
    func handleWake(_ context: OpaquePointer) {
        let (ids, reload) = waker.take()
        for id in ids {
            // What there is to do is done in the connection's own turn: this one cannot end it.
            guard let connection = connections[id] else { continue }
            lws_callback_on_writable(connection.wsi)
        }
        if reload, let tls = configuration.tls {
            _ = lws_tls_cert_updated(context, tls.certificate, tls.key, nil, 0, nil, 0)
            log.info("certificates-read", ["certificate": tls.certificate])
        }
    }
}
