import Base
internal import CSockets
internal import Glibc

/// A listening TCP socket, non-blocking, on all addresses of the machine.
package final class StreamListener {
    package let descriptor: Int32
    /// The last `accept` failed since the machine, or the process, is short of something.
    package private(set) var isShort = false

    /// - Throws: `.portTaken` or `.refused`.
    package init(port: UInt16) throws(SocketFailure) {
        do {
            descriptor = try Self.opened(AF_INET6, port)
        } catch {
            if case .portTaken = error { throw error }
            descriptor = try Self.opened(AF_INET, port)
        }
    }

    deinit { close(descriptor) }

    private static func opened(_ family: Int32, _ port: UInt16) throws(SocketFailure) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .refused(reason: String(cString: strerror(errno))) }
        StreamSocket.set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if family == AF_INET6 { StreamSocket.set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(family)
        address.sin6_port = port.bigEndian
        let length = socklen_t(family == AF_INET6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        let isListening = withSocketAddress(&address) { bind(descriptor, $0, length) } == 0 && listen(descriptor, 128) == 0
        guard isListening else {
            let code = errno
            close(descriptor)
            throw code == EADDRINUSE ? .portTaken(port) : .refused(reason: String(cString: strerror(code)))
        }
        return descriptor
    }

    /// - Returns: the next connection and where it comes from; nil where none waits.
    package func accept() -> (socket: StreamSocket, source: TransportAddress)? {
        var name = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let accepted = withSocketAddress(&name) { Glibc.accept(descriptor, $0, &length) }
        isShort = accepted < 0 && [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno)
        guard accepted >= 0 else { return nil }
        return (StreamSocket(accepted), TransportAddress(socketAddress: name))
    }
}

/// A TCP connection, non-blocking. Media does not wait: no delay to gather bytes (TCP_NODELAY), and little that lies in the kernel where nothing can be left
/// out of it any more.
package final class StreamSocket {
    package let descriptor: Int32
    private static let buffer: Int32 = 64 << 10
    /// tcp(7); glibc's header of it clashes with the kernel's.
    private static let (noDelay, notSentLowAt): (Int32, Int32) = (1, 25)

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        Self.set(descriptor, Int32(IPPROTO_TCP), Self.noDelay, 1)
        Self.set(descriptor, Int32(IPPROTO_TCP), Self.notSentLowAt, 16 << 10)
        Self.set(descriptor, SOL_SOCKET, SO_SNDBUF, Self.buffer)
    }

    deinit { close(descriptor) }

    static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    package enum Outcome: Equatable, Sendable {
        /// So many bytes.
        case moved(Int)
        /// Not now.
        case waits
        /// The other side has ended, or the network did.
        case ended
    }

    package func receive(into buffer: inout [UInt8]) -> Outcome {
        let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
        if count > 0 { return .moved(count) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .waits : .ended
    }

    /// - Parameter start: the first byte of `bytes` to be sent.
    package func send(_ bytes: [UInt8], from start: Int) -> Outcome {
        let count = bytes.withUnsafeBytes { all in
            Glibc.send(descriptor, all.baseAddress.map { $0 + start }, all.count - start, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
        if count >= 0 { return .moved(count) }
        return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? .waits : .ended
    }
}

/// Waits for many sockets and tells which of them are ready.
package final class StreamPoller {
    package struct Ready: Sendable {
        /// As given to `watch`.
        package var number: Int
        package var isReadable: Bool
        package var isWritable: Bool
    }

    private static let batch = 64
    private let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    private var events = [epoll_event](repeating: epoll_event(), count: batch)

    package init() {}
    deinit { close(descriptor) }

    /// - Parameter number: by which it is told; a second call for a descriptor changes what is waited for.
    package func watch(_ watched: Int32, number: Int, forReading: Bool = true, forWriting: Bool = false) {
        var event = epoll_event()
        event.events = (forReading ? EPOLLIN.rawValue : 0) | (forWriting ? EPOLLOUT.rawValue : 0)
        event.data.u64 = UInt64(number)
        if epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) < 0 { epoll_ctl(descriptor, EPOLL_CTL_MOD, watched, &event) }
    }

    /// Those that are ready within the time, into `ready`.
    package func wait(milliseconds: Int32, into ready: inout [Ready]) {
        ready.removeAll(keepingCapacity: true)
        let count = epoll_wait(descriptor, &events, Int32(Self.batch), milliseconds)
        for index in 0..<max(0, Int(count)) {
            let bits = events[index].events
            // An error is found by reading.
            let isReadable = bits & (EPOLLIN.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
            ready.append(
                Ready(number: Int(events[index].data.u64), isReadable: isReadable, isWritable: bits & EPOLLOUT.rawValue != 0))
        }
    }
}
