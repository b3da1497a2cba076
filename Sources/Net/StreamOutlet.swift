import Base

/// What is to leave by TCP connections: any media thread puts framed datagrams in, one thread writes them. A connection that does not take what it is given
/// loses datagrams, as a full UDP buffer does; nobody waits for it.
package final class StreamOutlet: Sendable {
    /// Bytes that wait for one connection: a key frame, or two seconds of a thin line.
    package static let mostWaiting = 128 << 10

    private struct Queue: Sendable {
        /// Of the connection that has this place; nil where none has.
        var address: TransportAddress?
        var bytes: [UInt8] = []
        /// Bytes that the writer took and has not written.
        var writing = 0
        /// Something was sent: what the server answers only those get who proved the password.
        var isAnswered = false
    }

    private let queues: [Box]
    private final class Box: Sendable { let queue = Guarded(Queue()) }
    private let counts = Guarded(Counts())
    private let waiting = Guarded<[Int]>([])
    /// Rung when a connection that had nothing to write has something.
    package let wakeup = Wakeup()

    package struct Counts: Sendable, Equatable {
        package var sent: UInt64 = 0
        package var dropped: UInt64 = 0
    }

    /// - Parameter most: connections at a time.
    package init(most: Int) { queues = (0..<min(most, TransportAddress.mostStreams)).map { _ in Box() } }

    package var most: Int { queues.count }
    package var counted: Counts { counts.withLock { $0 } }

    /// - Parameter address: of a connection.
    /// - Returns: whether it will be written.
    @discardableResult
    package func send(_ datagram: Span<UInt8>, to address: TransportAddress) -> Bool {
        guard let number = address.stream, number < queues.count, datagram.count <= Int(UInt16.max) else { return false }
        let (isTaken, isFirst) = queues[number].queue.withLock { queue -> (Bool, Bool) in
            guard queue.address == address else { return (false, false) }
            queue.isAnswered = true
            guard queue.bytes.count + queue.writing + datagram.count + 2 <= Self.mostWaiting else { return (false, false) }
            let isFirst = queue.bytes.isEmpty && queue.writing == 0
            queue.bytes.append(UInt8(datagram.count >> 8))
            queue.bytes.append(UInt8(truncatingIfNeeded: datagram.count))
            datagram.withUnsafeBufferPointer { queue.bytes.append(contentsOf: $0) }
            return (true, isFirst)
        }
        counts.withLock { if isTaken { $0.sent &+= 1 } else { $0.dropped &+= 1 } }
        if isFirst {
            waiting.withLock { $0.append(number) }
            wakeup.ring()
        }
        return isTaken
    }

    // MARK: The writer's side

    /// A connection takes its place.
    package func open(_ address: TransportAddress) { reset(address.stream, address) }

    package func close(_ address: TransportAddress) { reset(address.stream, nil) }

    private func reset(_ number: Int?, _ address: TransportAddress?) {
        guard let number, number < queues.count else { return }
        queues[number].queue.withLock { queue in
            queue.address = address
            queue.bytes = []
            queue.writing = 0
            queue.isAnswered = false
        }
    }

    /// Connections that have something to write since the last call, appended to `numbers`.
    package func takeWaiting(into numbers: inout [Int]) {
        waiting.withLock { waiting in
            numbers.append(contentsOf: waiting)
            waiting.removeAll(keepingCapacity: true)
        }
    }

    /// Moves what waits for a connection into `bytes`, which is empty.
    package func take(_ number: Int, into bytes: inout [UInt8]) {
        guard number < queues.count else { return }
        queues[number].queue.withLock { queue in
            guard queue.address != nil else { return }
            swap(&queue.bytes, &bytes)
            queue.writing = bytes.count
        }
    }

    /// - Parameter left: bytes of what was taken that are not written.
    package func wrote(_ number: Int, left: Int) {
        guard number < queues.count else { return }
        queues[number].queue.withLock { $0.writing = left }
    }

    /// Whether the server has sent anything to a connection.
    package func isAnswered(_ number: Int) -> Bool { number < queues.count && queues[number].queue.withLock { $0.isAnswered } }
}
