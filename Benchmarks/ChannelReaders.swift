import Foundation
import Net

/// Followers of a meeting's channel that really read: WebSockets (RFC 6455) over plain sockets on one thread, which counts bytes and notes when a message came.
final class ChannelReaders: @unchecked Sendable {
    /// One follower.
    private struct Reader {
        let descriptor: Int32
        var buffer: [UInt8] = []
        var isOpen = false
        var bytes = 0
        var messages = 0
        var first = 0
        var markAt: Double?
    }
    private let lock = NSLock()
    private var readers: [Reader] = []
    private var mark: [UInt8]?
    private var isStopping = false

    init() {
        let thread = Thread { [self] in run() }
        thread.name = "readers"
        thread.start()
    }

    static func now() -> Double { Duration.nanoseconds(MediaClock.now().nanoseconds).seconds }

    /// Opens one more, in the meeting's channel.
    func add(port: UInt16, meeting: String, token: String) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard descriptor >= 0, result == 0 else { throw BenchError(description: "a follower could not connect (\(errno))") }
        let head =
            "GET /api/v1/meetings/\(meeting)/events HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: nhipcau.v1\r\n"
            + "Authorization: Bearer \(token)\r\n\r\n"
        guard write(descriptor, Array(head.utf8)) else { throw BenchError(description: "a follower could not ask for its channel") }
        lock.withLock { readers.append(Reader(descriptor: descriptor)) }
    }

    /// Sends a text message as the follower of that number, masked with zeros (RFC 6455 §5.3).
    func send(_ text: String, from index: Int) {
        let body = Array(text.utf8)
        let length: [UInt8] = body.count < 126 ? [0x80 | UInt8(body.count)] : [0xfe, UInt8(body.count >> 8), UInt8(body.count & 0xff)]
        let descriptor = lock.withLock { readers[index].descriptor }
        _ = write(descriptor, [0x81] + length + [0, 0, 0, 0] + body)
    }

    private func write(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool { Glibc.write(descriptor, bytes, bytes.count) == bytes.count }

    struct Count {
        var open = 0
        var bytes: [Int] = []
        var messages = 0
        /// Bytes of each one's first message.
        var first: [Int] = []
    }

    /// What came since the last look.
    func take() -> Count {
        lock.withLock {
            var count = Count()
            for index in readers.indices {
                count.open += readers[index].isOpen ? 1 : 0
                count.bytes.append(readers[index].bytes)
                count.messages += readers[index].messages
                count.first.append(readers[index].first)
                readers[index].bytes = 0
                readers[index].messages = 0
            }
            return count
        }
    }

    /// From now on notes when a message with these bytes comes.
    func lookFor(_ text: String) {
        lock.withLock {
            mark = Array(text.utf8)
            for index in readers.indices { readers[index].markAt = nil }
        }
    }

    /// When it came to each, of those to whom it came.
    var marks: [Double] { lock.withLock { readers.compactMap(\.markAt) } }

    func stop() {
        lock.withLock {
            isStopping = true
            for reader in readers { shutdown(reader.descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private func run() {
        var scratch = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var polled = lock.withLock { isStopping ? nil : readers.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) } }
            guard polled != nil else { break }
            let count = polled?.count ?? 0
            guard poll(&polled!, nfds_t(count), 50) > 0 else { continue }
            for index in 0..<count where polled?[index].revents != 0 {
                let got = read(polled?[index].fd ?? -1, &scratch, scratch.count)
                guard got > 0 else { continue }
                let now = Self.now()
                lock.withLock { take(scratch[..<got], index, now) }
            }
        }
        for reader in readers { close(reader.descriptor) }
    }

    private func take(_ bytes: ArraySlice<UInt8>, _ index: Int, _ now: Double) {
        readers[index].buffer += bytes
        if readers[index].isOpen { readers[index].bytes += bytes.count } else { skipHead(index) }
        var at = 0
        while let (opcode, body) = frame(readers[index].buffer, at) {
            if opcode == 1 {
                readers[index].messages += 1
                if readers[index].first == 0 { readers[index].first = body.count }
                if readers[index].markAt == nil, let mark, contains(readers[index].buffer, body, mark) { readers[index].markAt = now }
            } else if opcode == 9 {
                let payload = Array(readers[index].buffer[body])
                _ = write(readers[index].descriptor, [0x8a, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload)
            }
            at = body.upperBound
        }
        readers[index].buffer.removeFirst(at)
    }

    /// The answer to the upgrade.
    private func skipHead(_ index: Int) {
        let buffer = readers[index].buffer
        guard let end = buffer.indices.dropLast(3).first(where: { buffer[$0..<($0 + 4)].elementsEqual([13, 10, 13, 10]) }) else { return }
        readers[index].isOpen = buffer.starts(with: Array("HTTP/1.1 101".utf8))
        readers[index].buffer.removeFirst(end + 4)
    }

    private func frame(_ buffer: [UInt8], _ at: Int) -> (opcode: UInt8, body: Range<Int>)? {
        guard buffer.count >= at + 2 else { return nil }
        var length = Int(buffer[at + 1] & 0x7f)
        var start = at + 2
        if length >= 126 {
            let size = length == 126 ? 2 : 8
            guard buffer.count >= start + size else { return nil }
            length = buffer[start..<(start + size)].reduce(0) { $0 << 8 | Int($1) }
            start += size
        }
        guard buffer.count >= start + length else { return nil }
        return (buffer[at] & 0xf, start..<(start + length))
    }

    private func contains(_ buffer: [UInt8], _ range: Range<Int>, _ mark: [UInt8]) -> Bool {
        buffer[range].firstRange(of: mark) != nil
    }
}
