import Base
import Foundation
import Net
import RTP

/// Work of one meeting on its picture, of which parts can be done by several threads.
protocol CodecJob: AnyObject, Sendable {
    /// Begins what waits. Never blocks on anything but the codec.
    func run()
    /// Takes a part in what another thread began; does nothing where nothing is left.
    func help()
}

/// A few threads that run codec jobs. Calls for help go first: what was begun is finished before anything new is. Bounded: a job asks once for each beat.
/// Of those that sleep the one that fell asleep last is woken: what it worked on is still in its core's caches.
final class CodecPool: Sendable {
    private struct Queues {
        var help = JobRing()
        var begin = JobRing()
        var isStopping = false
        /// Threads that sleep, the one that has slept longest first.
        var idle: [Int] = []
    }
    private let queues: Guarded<Queues>
    /// One for each thread.
    private let wakes: [DispatchSemaphore]
    let threads: Int
    private let ended = DispatchGroup()

    init(threads: Int) {
        self.threads = max(1, threads)
        var queues = Queues()
        queues.idle.reserveCapacity(self.threads)
        self.queues = Guarded(queues)
        wakes = (0..<self.threads).map { _ in DispatchSemaphore(value: 0) }
    }

    func start() {
        for index in 0..<threads {
            ended.enter()
            let thread = Thread { [self] in
                ThreadPriority.raise(.picture, name: "codec-\(index)")
                work(index)
                ended.leave()
            }
            thread.name = "codec-\(index)"
            thread.stackSize = 2 << 20
            thread.start()
        }
    }

    /// Has `job` run once, soon.
    func submit(_ job: any CodecJob) { enqueue { $0.begin.append(job) } }

    /// Asks for so many further threads for `job`, as far as there are.
    func callHelp(for job: any CodecJob, _ count: Int) {
        for _ in 0..<max(0, min(count, threads - 1)) { enqueue { $0.help.append(job) } }
    }

    /// Wakes a thread for what was appended. Where none sleeps a busy one looks at the queues before it does.
    private func enqueue(_ append: (inout Queues) -> Void) {
        let thread = queues.withLock { queues in
            append(&queues)
            return queues.idle.popLast()
        }
        if let thread { wakes[thread].signal() }
    }

    /// Jobs that wait are forgotten; returns when the running ones have ended.
    func stop() {
        queues.withLock { $0.isStopping = true }
        for wake in wakes { wake.signal() }
        ended.wait()
        queues.withLock { ($0.help, $0.begin) = (JobRing(), JobRing()) }
    }

    private enum Step {
        case help(any CodecJob)
        case begin(any CodecJob)
        case sleep
        case stop
    }

    private func work(_ index: Int) {
        while true {
            let step: Step = queues.withLock { queues in
                if queues.isStopping { return .stop }
                if let job = queues.help.popFirst() { return .help(job) }
                if let job = queues.begin.popFirst() { return .begin(job) }
                queues.idle.append(index)
                return .sleep
            }
            switch step {
            case .help(let job): job.help()
            case .begin(let job): job.run()
            case .sleep: wakes[index].wait()
            case .stop: return
            }
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
