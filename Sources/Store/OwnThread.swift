import Foundation
import Synchronization

/// Runs an actor on a thread of its own: what blocks there, as a disk or a distant database does, blocks none of the threads that everybody shares.
package final class OwnThread: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isEnded = false
    }
    private final class Queue: Sendable {
        let state = Mutex(State())
        let signal = DispatchSemaphore(value: 0)
    }
    private let queue = Queue()

    package init(label: String) {
        let queue = queue
        let thread = Thread { [weak self] in
            while true {
                queue.signal.wait()
                let (job, isEnded) = queue.state.withLock { state in
                    (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.isEnded && state.jobs.isEmpty)
                }
                if let job, let self { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
                if job == nil, isEnded { return }
            }
        }
        thread.name = label
        thread.start()
    }

    /// Nobody has a job for it any more.
    deinit {
        queue.state.withLock { $0.isEnded = true }
        queue.signal.signal()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.state.withLock { $0.jobs.append(job) }
        queue.signal.signal()
    }
}
