import Foundation
import RTP
import Synchronization
import Testing

@testable import MCU

struct CodecPoolTests {
    /// Counts its runs, and whether two of them ever ran at once.
    final class Job: CodecJob {
        let ticket = CodecTicket(isUrgent: false)
        let waiting = Guarded(0)
        let done = Guarded(0)
        let overlaps = Atomic<Int>(0)
        private let inside = Atomic<Int>(0)
        let finished = DispatchSemaphore(value: 0)

        func run() {
            if inside.add(1, ordering: .relaxed).newValue > 1 { overlaps.add(1, ordering: .relaxed) }
            while true {
                let took = waiting.withLock { count in
                    guard count > 0 else { return false }
                    count -= 1
                    return true
                }
                guard took else { break }
                done.withLock { $0 += 1 }
                finished.signal()
            }
            inside.subtract(1, ordering: .relaxed)
        }
    }

    @Test func `every piece of work is done, and a job never runs on two threads`() {
        let pool = CodecPool(threads: 4)
        pool.start()
        let jobs = (0..<8).map { _ in Job() }
        for _ in 0..<200 {
            for job in jobs {
                job.waiting.withLock { $0 += 1 }
                pool.schedule(job)
            }
        }
        for job in jobs { for _ in 0..<200 { #expect(job.finished.wait(timeout: .now() + 10) == .success) } }
        pool.stop()
        #expect(jobs.allSatisfy { $0.done.withLock { $0 } == 200 && $0.overlaps.load(ordering: .relaxed) == 0 })
    }
}
