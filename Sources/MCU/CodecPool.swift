import Foundation
import RTP
import Synchronization

/// Work on one stream: decoding one sender's pictures, composing and encoding one meeting's. The pool never runs the same job on two threads at once,
/// so what only `run` touches needs no lock.
protocol CodecJob: AnyObject, Sendable {
    var ticket: CodecTicket { get }
    /// Does all the work that waits. Never blocks on anything but the codec.
    func run()
}

/// Where a job stands with the pool.
final class CodecTicket: Sendable {
    fileprivate enum Standing { static let (idle, queued, running, again): (UInt8, UInt8, UInt8, UInt8) = (0, 1, 2, 3) }
    fileprivate let standing = Atomic<UInt8>(Standing.idle)
    /// Composing keeps the meeting's beat and goes before decoding.
    let isUrgent: Bool

    init(isUrgent: Bool) { self.isUrgent = isUrgent }

    /// Whether the job waits for a thread or has one.
    var isBusy: Bool { standing.load(ordering: .acquiring) != Standing.idle }

    /// - Returns: whether the caller must put the job into the queue.
    fileprivate func request() -> Bool {
        while true {
            let now = standing.load(ordering: .acquiring)
            switch now {
            case Standing.idle:
                if standing.compareExchange(expected: now, desired: Standing.queued, ordering: .acquiringAndReleasing).exchanged {
                    return true
                }
            case Standing.running:
                if standing.compareExchange(expected: now, desired: Standing.again, ordering: .acquiringAndReleasing).exchanged {
                    return false
                }
            default: return false
            }
        }
    }

    fileprivate func begin() { standing.store(Standing.running, ordering: .releasing) }

    /// - Returns: whether work came while the job ran, so that it must go into the queue again.
    fileprivate func finish() -> Bool {
        if standing.compareExchange(expected: Standing.running, desired: Standing.idle, ordering: .acquiringAndReleasing).exchanged {
            return false
        }
        standing.store(Standing.queued, ordering: .releasing)
        return true
    }
}

/// A few threads that run codec jobs, urgent ones first, otherwise in the order of asking. Bounded by the number of jobs: each stands in the queue at most once.
final class CodecPool: Sendable {
    private struct Queues {
        var urgent = JobRing()
        var normal = JobRing()
        var isStopping = false
    }
    private let queues = Guarded(Queues())
    private let wake = DispatchSemaphore(value: 0)
    private let threads: Int
    private let ended = DispatchGroup()

    init(threads: Int) { self.threads = max(1, threads) }

    func start() {
        for index in 0..<threads {
            ended.enter()
            let thread = Thread { [self] in
                ThreadPriority.raise(.picture, name: "codec-\(index)")
                work()
                ended.leave()
            }
            thread.name = "codec-\(index)"
            thread.stackSize = 2 << 20
            thread.start()
        }
    }

    /// Has `job` run soon; a job that runs already runs once more.
    func schedule(_ job: any CodecJob) {
        guard job.ticket.request() else { return }
        enqueue(job)
    }

    /// Jobs that wait are forgotten; returns when the running ones have ended.
    func stop() {
        queues.withLock { $0.isStopping = true }
        for _ in 0..<threads { wake.signal() }
        ended.wait()
    }

    private func enqueue(_ job: any CodecJob) {
        queues.withLock { queues in
            if job.ticket.isUrgent { queues.urgent.append(job) } else { queues.normal.append(job) }
        }
        wake.signal()
    }

    private func work() {
        while true {
            wake.wait()
            let (job, isStopping) = queues.withLock { queues in (queues.urgent.popFirst() ?? queues.normal.popFirst(), queues.isStopping) }
            if isStopping { return }
            guard let job else { continue }
            job.ticket.begin()
            job.run()
            if job.ticket.finish() { enqueue(job) }
        }
    }
}

/// A ring of jobs that grows to the largest number ever waiting and then allocates nothing.
private struct JobRing {
    private var slots: [(any CodecJob)?] = Array(repeating: nil, count: 16)
    private var first = 0
    private var count = 0

    mutating func append(_ job: any CodecJob) {
        if count == slots.count { grow() }
        slots[(first + count) % slots.count] = job
        count += 1
    }

    mutating func popFirst() -> (any CodecJob)? {
        guard count > 0 else { return nil }
        let job = slots[first]
        slots[first] = nil
        first = (first + 1) % slots.count
        count -= 1
        return job
    }

    private mutating func grow() {
        slots = (0..<count).map { slots[(first + $0) % slots.count] } + Array(repeating: nil, count: count)
        first = 0
    }
}
