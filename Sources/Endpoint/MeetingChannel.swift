import Base
import CWebSockets
import Foundation
import Net

/// A meeting's channel as a client reads it: a WebSocket (RFC 6455, subprotocol `nhipcau.v1`) on a thread of its own, which comes back by itself where it ends.
/// What the endpoint is told there are the wishes for its pictures; media go on without it.
final class MeetingChannel: Sendable {
    /// Longest message that is read; a snapshot has 100 KiB at most.
    static let mostBytes = 1 << 20
    /// Between two attempts: twice as long after each that failed.
    private static let (pause, mostPause) = (Duration.seconds(1), Duration.seconds(30))
    private static let protocolName = "nhipcau.v1"

    private struct Shared {
        var isStopping = false
        var context: Handle?
    }
    /// `lws_cancel_service` is safe from any thread while the context lives, which `shared` guards.
    private struct Handle: @unchecked Sendable { let context: OpaquePointer }

    private let shared = Guarded(Shared())
    private let address: Address
    private let token: String
    private let received: @Sendable ([UInt8]) -> Void

    private struct Address: Sendable {
        var host: String
        var port: Int
        var path: String
        var isSecure: Bool
    }

    /// - Parameter received: takes the text of each message, on the channel's thread.
    /// - Returns: nil where `server` is no address of a server.
    init?(server: URL, meeting: String, token: String, received: @escaping @Sendable ([UInt8]) -> Void) {
        guard let host = server.host() else { return nil }
        let isSecure = server.scheme == "https"
        let path = server.appending(path: "api/v1/meetings/\(meeting)/events").path(percentEncoded: true)
        address = Address(host: host, port: server.port ?? (isSecure ? 443 : 80), path: path, isSecure: isSecure)
        self.token = token
        self.received = received
    }

    func start() {
        let thread = Thread { [self] in run() }
        thread.name = "channel"
        thread.start()
    }

    func stop() {
        shared.withLock { shared in
            shared.isStopping = true
            if let handle = shared.context { lws_cancel_service(handle.context) }
        }
    }

    private var isStopping: Bool { shared.withLock { $0.isStopping } }

    private func run() {
        var pause = Self.pause
        var isSaid = false
        while !isStopping {
            let reading = serveOnce()
            pause = reading.wasOpen ? Self.pause : min(pause + pause, Self.mostPause)
            if let refusal = reading.refusal, !isSaid, !isStopping {
                isSaid = true
                let line =
                    "nhipcau endpoint: the meeting's channel is not open (\(refusal)): pictures are sent as they are; it is tried again.\n"
                FileHandle.standardError.write(Data(line.utf8))
            }
            let end = MediaClock.now() + pause
            // Cut short where it shall end.
            while !isStopping, MediaClock.now() < end { Thread.sleep(forTimeInterval: 0.1) }
        }
    }

    /// One connection from its beginning to its end.
    private func serveOnce() -> Reading {
        let reading = Reading(token: token, received: received)
        lws_set_log_level(nc_lws_log_levels(), nil)
        Self.protocolName.withCString { name in
            var only = lws_protocols()
            only.name = name
            only.callback = channelCallback
            only.rx_buffer_size = 16 * 1_024
            // The context points to these, and dies before them.
            [only, lws_protocols()].withUnsafeBufferPointer { protocols in
                var info = lws_context_creation_info()
                info.port = CONTEXT_PORT_NO_LISTEN
                info.gid = -1
                info.uid = -1
                info.protocols = protocols.baseAddress
                info.user = Unmanaged.passUnretained(reading).toOpaque()
                // A line that is dead without a word is noticed, and the channel opened anew.
                info.ka_time = 20
                info.ka_probes = 3
                info.ka_interval = 5
                info.options = address.isSecure ? UInt64(LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT) : 0
                guard let context = lws_create_context(&info) else { return }
                shared.withLock { $0.context = Handle(context: context) }
                if connect(context, name) { while !isStopping, !reading.hasEnded, lws_service(context, 0) >= 0 {} }
                shared.withLock { $0.context = nil }
                lws_context_destroy(context)
            }
        }
        return reading
    }

    private func connect(_ context: OpaquePointer, _ name: UnsafePointer<CChar>) -> Bool {
        address.host.withCString { host in
            address.path.withCString { path in
                var info = lws_client_connect_info()
                info.context = context
                info.address = host
                info.host = host
                info.port = Int32(clamping: address.port)
                info.path = path
                info.protocol = name
                info.ietf_version_or_minus_one = -1
                info.ssl_connection = address.isSecure ? Int32(LCCSCF_USE_SSL.rawValue) : 0
                return lws_client_connect_via_info(&info) != nil
            }
        }
    }

    /// What one connection has of its message so far. Touched by the channel's thread alone.
    fileprivate final class Reading {
        let token: String
        private let received: ([UInt8]) -> Void
        private var message: [UInt8] = []
        private var isTooLong = false
        var hasEnded = false
        var wasOpen = false
        /// Why it was not opened.
        var refusal: String?

        init(token: String, received: @escaping ([UInt8]) -> Void) {
            self.token = token
            self.received = received
        }

        func take(_ piece: UnsafeRawBufferPointer, isLast: Bool) {
            isTooLong = isTooLong || message.count + piece.count > MeetingChannel.mostBytes
            if !isTooLong { message.append(contentsOf: piece) }
            guard isLast else { return }
            if !isTooLong { received(message) }
            message.removeAll(keepingCapacity: true)
            isTooLong = false
        }
    }
}

private func channelCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?, _ input: UnsafeMutableRawPointer?,
    _ length: Int
) -> Int32 {
    guard let wsi, let context = lws_get_context(wsi), let pointer = lws_context_user(context) else { return 0 }
    let reading = Unmanaged<MeetingChannel.Reading>.fromOpaque(pointer).takeUnretainedValue()
    switch reason {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        // The place to write to, and how much room there is.
        guard let place = input?.assumingMemoryBound(to: UnsafeMutablePointer<UInt8>?.self), let start = place.pointee else { return -1 }
        let value = Array("Bearer \(reading.token)".utf8)
        return lws_add_http_header_by_name(wsi, "authorization:", value, Int32(value.count), place, start + length)
    case LWS_CALLBACK_CLIENT_RECEIVE:
        let isLast = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0
        reading.take(UnsafeRawBufferPointer(start: input, count: input == nil ? 0 : length), isLast: isLast)
    case LWS_CALLBACK_CLIENT_ESTABLISHED: reading.wasOpen = true
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        reading.refusal = input.map { String(decoding: UnsafeRawBufferPointer(start: $0, count: length), as: UTF8.self) } ?? "no answer"
        reading.hasEnded = true
    case LWS_CALLBACK_CLIENT_CLOSED: reading.hasEnded = true
    default: break
    }
    return 0
}
