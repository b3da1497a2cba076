import Dispatch

/// Runs an actor on a queue of its own: what blocks there, as a disk does, blocks none of the threads that everybody shares.
package final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue
    package init(label: String) { queue = DispatchQueue(label: label) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
