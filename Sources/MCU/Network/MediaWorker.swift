import Base
import Foundation
import ICE
import Net
import Peer
import RTP
import Synchronization

/// One media thread: its sockets, its peers, and what others ask of them. Peers are made on the thread and never leave it, so nothing in them needs a lock.
final class MediaWorker: Sendable {
    let index: Int
    private let mailbox = Mailbox<MediaCommand>(capacity: 16_384)
    private let wakeup = Wakeup()
    private let published = Guarded(WorkerCounters())
    private let refused = Atomic<UInt64>(0)
    /// The thread wakes by itself and needs no bell.
    private let takesTurns = Atomic<Bool>(false)
    private let ended = DispatchGroup()

    init(index: Int) { self.index = index }

    /// - Returns: false where the mailbox is full; the command is then lost and counted.
    @discardableResult
    func post(_ command: MediaCommand) -> Bool {
        guard let wasEmpty = mailbox.post(command) else {
            refused.add(1, ordering: .relaxed)
            return false
        }
        if wasEmpty, !takesTurns.load(ordering: .relaxed) { wakeup.ring() }
        return true
    }

    /// For what may not be lost and comes seldom: that a session ends, that the thread ends. It is taken by a full mailbox too.
    func insist(_ command: MediaCommand) {
        if mailbox.insist(command), !takesTurns.load(ordering: .relaxed) { wakeup.ring() }
    }

    /// For whoever does the work of a thread that was never started.
    func drain(into batch: inout [MediaCommand]) { mailbox.drain(into: &batch) }

    /// For a worker whose thread has ended, or was never started: commands hold meetings, and through them the core.
    func forget() { mailbox.empty() }

    /// As of at most a quarter of a second ago.
    var counters: WorkerCounters {
        var counters = published.withLock { $0 }
        counters.refusedCommands = refused.load(ordering: .relaxed)
        return counters
    }

    /// Starts the thread on the socket in `box`, which it owns from then on.
    /// - Parameter streams: where datagrams for TCP connections go.
    func start(
        socket box: SocketBox, directory: SessionDirectory, colleagues: @escaping @Sendable (Int) -> MediaWorker?, events: EventHub,
        streams: StreamOutlet?
    ) {
        ended.enter()
        let thread = Thread { [self] in
            ThreadPriority.raise(.network, name: "media-\(index)")
            let loop = WorkerLoop(
                socket: box.socket, worker: index, directory: directory, colleagues: colleagues, events: events, streams: streams)
            run(loop)
            ended.leave()
        }
        thread.name = "media-\(index)"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Every peer says goodbye; returns when the thread has ended.
    func stop() {
        insist(.stop)
        ended.wait()
    }

    /// Between two publications of the counters; each fourth looks at the lines too.
    private static let (reportInterval, reportsForLines) = (Duration.milliseconds(250), 4)

    private func run(_ loop: WorkerLoop) {
        let poller = Poller()
        poller.watch(loop.socket.descriptor)
        poller.watch(wakeup.descriptor)
        var batch: [MediaCommand] = []
        var nextReport = MediaClock.now() + Self.reportInterval
        var reports = 0
        while !loop.isStopped {
            wait(for: loop, poller)
            var now = MediaClock.now()
            loop.receive(now: now)
            now = MediaClock.now()
            mailbox.drain(into: &batch)
            for command in batch { loop.apply(command, now: now) }
            batch.removeAll(keepingCapacity: true)
            loop.sendOn(now: now)
            now = MediaClock.now()
            loop.handleTimers(now: now)
            loop.flush()
            guard now >= nextReport else { continue }
            nextReport = now + Self.reportInterval
            reports += 1
            let counters = loop.report(followLines: reports % Self.reportsForLines == 0)
            published.withLock { $0 = counters }
        }
        takesTurns.store(false, ordering: .relaxed)
        let last = loop.report(followLines: true)
        published.withLock { $0 = last }
    }

    private func wait(for loop: WorkerLoop, _ poller: Poller) {
        if loop.isCrowd {
            if !takesTurns.load(ordering: .relaxed) { takesTurns.store(true, ordering: .relaxed) }
            return MediaClock.sleep(until: loop.nextTurn(after: MediaClock.now()))
        }
        // What was posted without a bell is found at once; whoever posts later sees that there is need of one, since the mailbox's lock lies between.
        let tookTurns = takesTurns.exchange(false, ordering: .relaxed)
        loop.takeNoTurns()
        poller.wait(milliseconds: tookTurns ? 0 : loop.millisecondsToDeadline(MediaClock.now()))
        wakeup.silence()
    }
}

/// What one worker has counted since its start.
struct WorkerCounters: Sendable {
    var peers = 0
    var datagramsReceived: UInt64 = 0
    var datagramsSent: UInt64 = 0
    var messagesSent: UInt64 = 0
    var datagramsNotSent: UInt64 = 0
    var forwarded: UInt64 = 0
    var strangers: UInt64 = 0
    var handshakesPostponed: UInt64 = 0
    var framesSent: UInt64 = 0
    var soundSent: UInt64 = 0
    var soundReceived: UInt64 = 0
    var refusedCommands: UInt64 = 0
    var drops = DropCounters()
    var traffic = Traffic()
}
