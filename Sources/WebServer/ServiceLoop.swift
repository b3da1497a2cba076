import CWebSockets
import Foundation

/// The service thread's own state: the connections, and what to do when libwebsockets calls. Not Sendable: it is made on the thread and dies there.
final class ServiceLoop {
    let configuration: WebServerConfiguration
    let application: any WebApplication
    let waker: Waker
    let counters: Counters
    let log: Log
    private var connections: [UInt64: Connection] = [:]
    private var connectionsByAddress: [String: Int] = [:]
    private var lastID: UInt64 = 0
    /// The decision on a WebSocket that did not come in time. While it is still open no other is waited for.
    var lateDecision: DecisionBox?

    init(configuration: WebServerConfiguration, application: any WebApplication, waker: Waker, counters: Counters, log: Log) {
        (self.configuration, self.application, self.waker) = (configuration, application, waker)
        (self.counters, self.log) = (counters, log)
    }

    var isTLS: Bool { configuration.tls != nil }

    // MARK: Connections

    /// - Returns: false where the address or the server has too many already.
    func mayConnect(from address: String) -> Bool {
        let isFree =
            connections.count < configuration.connectionLimit
            && connectionsByAddress[address, default: 0] < configuration.connectionLimitPerAddress
        if !isFree { counters.add(\.connectionsRefused) }
        return isFree
    }

    func open(_ wsi: OpaquePointer) {
        lastID += 1
        let outbox = Outbox(id: lastID, waker: waker, limit: configuration.sendQueueLimit)
        let connection = Connection(wsi: wsi, outbox: outbox, address: Self.address(of: wsi), messageLimit: configuration.messageLimit)
        connections[lastID] = connection
        connectionsByAddress[connection.address, default: 0] += 1
        counters.add(\.connections)
        // Owned by `connections`, which `close` empties when the wsi goes: the pointer never outlives it.
        lws_set_opaque_user_data(wsi, Unmanaged.passUnretained(connection).toOpaque())
    }

    func close(_ connection: Connection) {
        lws_set_opaque_user_data(connection.wsi, nil)
        connection.outbox.connectionIsGone()
        connection.incoming?.finish()
        connections[connection.outbox.id] = nil
        let left = connectionsByAddress[connection.address, default: 1] - 1
        connectionsByAddress[connection.address] = left > 0 ? left : nil
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

    /// What tasks have made ready since the last time.
    func handleWake(_ context: OpaquePointer) {
        let (ids, reload) = waker.take()
        for id in ids {
            guard let connection = connections[id] else { continue }
            if case .waiting = connection.phase, let response = connection.outbox.takeResponse() {
                // A connection under flow control gets no turn to write either (h1 of libwebsockets 4.1).
                lws_rx_flow_control(connection.wsi, 1)
                connection.answer(response)
            } else {
                lws_callback_on_writable(connection.wsi)
            }
        }
        if reload, let tls = configuration.tls {
            _ = lws_tls_cert_updated(context, tls.certificate, tls.key, nil, 0, nil, 0)
            log.info("certificates-read", ["certificate": tls.certificate])
        }
    }
}
