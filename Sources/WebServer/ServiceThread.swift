import CWebSockets
import Foundation
import Synchronization

/// The thread with libwebsockets' loop: makes the context, serves until told to stop, destroys it.
struct ServiceThread {
    let configuration: WebServerConfiguration
    let application: any WebApplication
    let waker: Waker
    let counters: ServerCounters
    let log: Log

    private struct Handle: @unchecked Sendable { let context: OpaquePointer }  // lws_cancel_service is safe from any thread

    /// - Parameter started: called once, with the port, or why there is none.
    func run(started: (Result<UInt16, WebServerError>) -> Void) {
        let address: ListenAddress
        do { address = try ListenAddress(host: configuration.host, port: configuration.port) } catch { return started(.failure(error)) }
        let loop = ServiceLoop(
            configuration: configuration, application: application, waker: waker, counters: counters, log: log)
        let strings = CStrings()
        var only = lws_protocols()
        only.name = strings.keep(Self.streamProtocol)
        only.callback = serviceCallback
        only.rx_buffer_size = ServiceLoop.pieceSize
        // The context keeps pointers to all of these, so they live to the end of this closure. The list ends with an empty entry.
        [only, lws_protocols()].withUnsafeBufferPointer { protocols in
            var info = creationInfo(address, strings)
            info.protocols = protocols.baseAddress
            info.user = Unmanaged.passUnretained(loop).toOpaque()
            serve(info, started)
        }
        withExtendedLifetime((loop, strings)) {}
    }

    /// libwebsockets carries bytes; what they mean is read here (docs/decisions/requests-read-to-the-letter.md).
    private static let streamProtocol = "bytes"

    private func serve(_ info: lws_context_creation_info, _ started: (Result<UInt16, WebServerError>) -> Void) {
        var info = info
        guard let context = lws_create_context(&info) else { return started(.failure(.noService("libwebsockets did not start"))) }
        guard let host = lws_get_vhost_by_name(context, "default"), case let port = lws_get_vhost_listen_port(host), port > 0 else {
            lws_context_destroy(context)
            return started(.failure(configuration.tls.map { .badCertificate($0.certificate) } ?? .noService("no listening socket")))
        }
        let handle = Handle(context: context)
        waker.attach { lws_cancel_service(handle.context) }
        LastDescriptor.watch(port: UInt16(truncatingIfNeeded: port), counters)
        started(.success(UInt16(truncatingIfNeeded: port)))
        while !waker.isStopping, lws_service(context, 0) >= 0 {}
        waker.attach(nil)
        LastDescriptor.forget(counters)
        lws_context_destroy(context)
    }

    private func creationInfo(_ address: ListenAddress, _ strings: CStrings) -> lws_context_creation_info {
        var info = lws_context_creation_info()
        info.vhost_name = strings.keep("default")
        info.port = Int32(configuration.port)
        info.iface = address.interface.flatMap { strings.keep($0) }
        info.gid = -1
        info.uid = -1
        (info.listen_accept_role, info.listen_accept_protocol) = (strings.keep("raw-skt"), strings.keep(Self.streamProtocol))
        info.pt_serv_buf_size = UInt32(ServiceLoop.pieceSize)
        info.timeout_secs = UInt32(clamping: configuration.timeoutSeconds)
        info.ka_time = 60
        info.ka_probes = 3
        info.ka_interval = 10
        info.fd_limit_per_thread = UInt32(configuration.connectionLimit + 16)
        var options = UInt64(LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND) | nc_lws_accept_streams()
        if address.isIPv4Only { options |= UInt64(LWS_SERVER_OPTION_DISABLE_IPV6) }
        if let tls = configuration.tls {
            options |= UInt64(LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT)
            info.ssl_cert_filepath = strings.keep(tls.certificate)
            info.ssl_private_key_filepath = strings.keep(tls.key)
            info.alpn = strings.keep("http/1.1")
            info.ssl_options_set = nc_lws_ssl_options()
            // TLS 1.2; the suites of 1.3 are all of this kind.
            info.ssl_cipher_list = strings.keep("ECDHE+AESGCM:ECDHE+CHACHA20")
        }
        info.options = options
        return info
    }
}

/// C strings that a context points to, freed together.
private final class CStrings {
    private var kept: [UnsafeMutablePointer<CChar>] = []
    func keep(_ text: String) -> UnsafePointer<CChar>? {
        let copy = strdup(text)
        if let copy { kept.append(copy) }
        return copy.map { UnsafePointer($0) }
    }
    deinit { for text in kept { free(text) } }
}

/// libwebsockets' one way in. The loop is the context's user pointer, the connection the wsi's.
private func serviceCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?, _ input: UnsafeMutableRawPointer?,
    _ length: Int
) -> Int32 {
    guard let wsi, let context = lws_get_context(wsi), let pointer = lws_context_user(context) else { return 0 }
    let loop = Unmanaged<ServiceLoop>.fromOpaque(pointer).takeUnretainedValue()
    switch reason {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        loop.handleWake(context)
        return 0
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION: return loop.mayConnect(from: peerAddress(of: Int32(Int(bitPattern: input)))) ? 0 : 1
    case LWS_CALLBACK_RAW_ADOPT:
        loop.open(wsi)
        return 0
    default: break
    }
    guard let pointer = lws_get_opaque_user_data(wsi) else { return 0 }
    let connection = Unmanaged<Connection>.fromOpaque(pointer).takeUnretainedValue()
    let bytes = UnsafeRawBufferPointer(start: input, count: input == nil ? 0 : length)
    let verdict: ServiceLoop.Verdict
    switch reason {
    case LWS_CALLBACK_RAW_RX: verdict = loop.receive(connection, bytes)
    case LWS_CALLBACK_RAW_WRITEABLE: verdict = loop.handleWritable(connection)
    case LWS_CALLBACK_TIMER: verdict = loop.watch(connection)
    case LWS_CALLBACK_WSI_DESTROY:
        loop.close(connection)
        verdict = .goOn
    default: verdict = .goOn
    }
    return verdict.rawValue
}

/// The address behind a socket that is not yet a connection.
private func peerAddress(of descriptor: Int32) -> String {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var host = [CChar](repeating: 0, count: 64)
    let isKnown = withUnsafeMutablePointer(to: &storage) { storage in
        storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            getpeername(descriptor, address, &size) == 0
                && getnameinfo(address, size, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0
        }
    }
    return isKnown ? ServiceLoop.plainAddress(String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)) : ""
}
