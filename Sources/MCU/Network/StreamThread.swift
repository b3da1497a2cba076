import Base
import Foundation
import ICE
import Net
import Synchronization

/// The thread of the TCP connections: accepts, takes frames out of streams and hands them to workers as datagrams, writes what the workers left in the outlet. Media
/// by UDP never passes here.
final class StreamThread: Sendable {
    let outlet = StreamOutlet(most: StreamBook.mostConnections)
    private let isStopping = Atomic<Bool>(false)
    private let isStarted = Atomic<Bool>(false)
    private let ended = DispatchGroup()
    private let published = Guarded(Counts())

    struct Counts: Sendable {
        var connections = 0
        var accepted: UInt64 = 0
        var refused: UInt64 = 0
        var endings = [UInt64](repeating: 0, count: StreamBook.Ending.allCases.count)
    }

    /// As of at most a quarter of a second ago.
    var counts: Counts { published.withLock { $0 } }

    /// - Parameter hand: takes each datagram; false where it was lost.
    func start(_ listener: StreamListener, hand: @escaping @Sendable ([UInt8], TransportAddress) -> Void) {
        let box = ListenerBox(listener: listener)
        isStarted.store(true, ordering: .relaxed)
        ended.enter()
        let thread = Thread { [self] in
            ThreadPriority.raise(.network, name: "media-tcp")
            let loop = StreamLoop(listener: box.listener, outlet: outlet, hand: hand)
            while !isStopping.load(ordering: .relaxed) {
                loop.turn()
                let counts = loop.counts
                published.withLock { $0 = counts }
            }
            ended.leave()
        }
        thread.name = "media-tcp"
        thread.stackSize = 512 << 10
        thread.start()
    }

    func stop() {
        guard isStarted.load(ordering: .relaxed) else { return }
        isStopping.store(true, ordering: .relaxed)
        outlet.wakeup.ring()
        ended.wait()
    }

    /// Carries the listening socket to its thread; touched once there.
    private struct ListenerBox: @unchecked Sendable { let listener: StreamListener }
}

/// The inside of the thread. Not Sendable: the compiler keeps it there.
private final class StreamLoop {
    private final class Connection {
        let socket: StreamSocket
        let address: TransportAddress
        var frames = StreamFrames()
        var writing: [UInt8] = []
        var written = 0
        var isWatchedForWriting = false
        init(_ socket: StreamSocket, _ address: TransportAddress) { (self.socket, self.address) = (socket, address) }
    }

    /// Of a round: more wait for the next one, so that nobody is kept from their turn.
    private static let mostAccepted = 32
    private static let pieceSize = 16 << 10
    private static let lookInterval = Duration.milliseconds(250)
    private static let (listenerNumber, wakeupNumber) = (1 << 20, 1 << 20 + 1)

    private let listener: StreamListener
    private let outlet: StreamOutlet
    private let hand: @Sendable ([UInt8], TransportAddress) -> Void
    private let poller = StreamPoller()
    private var ready: [StreamPoller.Ready] = []
    private var waiting: [Int] = []
    private var overdue: [(number: Int, ending: StreamBook.Ending)] = []
    private var piece = [UInt8](repeating: 0, count: pieceSize)
    private var book = StreamBook()
    private var connections: [Int: Connection] = [:]
    private var nextLook = MediaClock.now()
    private static let shortPause = Duration.seconds(1)
    private var acceptsFrom: Instant?

    init(listener: StreamListener, outlet: StreamOutlet, hand: @escaping @Sendable ([UInt8], TransportAddress) -> Void) {
        self.listener = listener
        self.outlet = outlet
        self.hand = hand
        poller.watch(listener.descriptor, number: Self.listenerNumber)
        poller.watch(outlet.wakeup.descriptor, number: Self.wakeupNumber)
    }

    var counts: StreamThread.Counts {
        StreamThread.Counts(connections: book.count, accepted: book.accepted, refused: book.refused, endings: book.endings)
    }

    func turn() {
        // Without connections there is nothing to look after.
        poller.wait(milliseconds: 250, into: &ready)
        let now = MediaClock.now()
        for one in ready {
            switch one.number {
            case Self.listenerNumber: accept(now)
            case Self.wakeupNumber: outlet.wakeup.silence()
            default:
                if one.isReadable { read(one.number, now) }
                if one.isWritable { write(one.number, now) }
            }
        }
        waiting.removeAll(keepingCapacity: true)
        outlet.takeWaiting(into: &waiting)
        for number in waiting { write(number, now) }
        if let time = acceptsFrom, now >= time {
            acceptsFrom = nil
            poller.watch(listener.descriptor, number: Self.listenerNumber)
        }
        guard now >= nextLook else { return }
        nextLook = now + Self.lookInterval
        overdue.removeAll(keepingCapacity: true)
        book.overdue(now: now, isProven: outlet.isAnswered, into: &overdue)
        for one in overdue { close(one.number, one.ending) }
    }

    private func accept(_ now: Instant) {
        for _ in 0..<Self.mostAccepted {
            guard let (socket, source) = listener.accept() else {
                // The machine is short of descriptors: the listener stays readable, and is looked at again later.
                if listener.isShort { rest(until: now + Self.shortPause) }
                return
            }
            // One too many is closed as it goes out of scope.
            guard let address = book.open(from: source, now: now), let number = address.stream else { continue }
            connections[number] = Connection(socket, address)
            outlet.open(address)
            poller.watch(socket.descriptor, number: number)
        }
    }

    private func rest(until time: Instant) {
        acceptsFrom = time
        poller.watch(listener.descriptor, number: Self.listenerNumber, forReading: false)
    }

    private func close(_ number: Int, _ ending: StreamBook.Ending) {
        guard let gone = connections.removeValue(forKey: number) else { return }
        outlet.close(gone.address)
        book.close(number, ending)
    }

    private func read(_ number: Int, _ now: Instant) {
        guard let one = connections[number] else { return }
        switch one.socket.receive(into: &piece) {
        case .waits: return
        case .ended: return close(number, .closedByPeer)
        case .moved(let count):
            var ending: StreamBook.Ending?
            let isProven = outlet.isAnswered(number)
            do throws(StreamFrames.Failure) {
                try one.frames.take(piece.span.extracting(first: count)) { frame in
                    guard ending == nil else { return }
                    ending = book.take(frame.bytes, of: number, isProven: isProven, now: now)
                    if ending == nil { hand(frame.withUnsafeBufferPointer { Array($0) }, one.address) }
                }
            } catch { ending = ending ?? .badFrame }
            if let ending { close(number, ending) }
        }
    }

    private func write(_ number: Int, _ now: Instant) {
        guard let one = connections[number] else { return }
        var hasMoved = false
        while true {
            if one.written == one.writing.count {
                one.writing.removeAll(keepingCapacity: true)
                one.written = 0
                outlet.take(number, into: &one.writing)
                if one.writing.isEmpty { break }
            }
            guard case .moved(let count) = send(one) else { break }
            hasMoved = true
            one.written += count
            outlet.wrote(number, left: one.writing.count - one.written)
        }
        guard connections[number] === one else { return }
        let isStuck = one.written < one.writing.count
        book.wrote(number, isStuck: isStuck, moved: hasMoved, now: now)
        guard isStuck != one.isWatchedForWriting else { return }
        one.isWatchedForWriting = isStuck
        poller.watch(one.socket.descriptor, number: number, forWriting: isStuck)
    }

    private func send(_ one: Connection) -> StreamSocket.Outcome {
        let outcome = one.socket.send(one.writing, from: one.written)
        if outcome == .ended, let number = one.address.stream { close(number, .closedByPeer) }
        return outcome
    }
}
