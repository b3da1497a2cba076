import Base
import Foundation
import RTP
import Synchronization
import Testing

@testable import MCU

struct CodecPoolTests {
    /// Stages of twenty pieces, each begun by whoever ended the last piece of the one before.
    final class Job: CodecJob {
        static let (stages, size) = (50, 20)
        let pool: CodecPool
        let pieces = PieceList<Int>()
        let stage = Guarded(0)
        let done = Guarded(Array(repeating: 0, count: stages * size))
        let misplaced = Atomic<Int>(0)
        let finished = DispatchSemaphore(value: 0)

        init(_ pool: CodecPool) { self.pool = pool }

        func run() {
            begin()
            help()
        }

        private func begin() {
            let stage = stage.withLock { $0 }
            pieces.begin(Array(stage * Self.size..<(stage + 1) * Self.size))
            pool.callHelp(for: self, Self.size)
        }

        func help() {
            while let piece = pieces.take() {
                done.withLock { $0[piece] += 1 }
                if stage.withLock({ $0 }) != piece / Self.size { misplaced.add(1, ordering: .relaxed) }
                guard pieces.end(after: .milliseconds(1)) != nil else { continue }
                let next = stage.withLock { stage in
                    stage += 1
                    return stage
                }
                if next < Self.stages { begin() } else { finished.signal() }
            }
        }
    }

    @Test func `every piece is done once, and a stage begins when the one before is over`() {
        let pool = CodecPool(threads: 4)
        pool.start()
        let jobs = (0..<8).map { _ in Job(pool) }
        for job in jobs { pool.submit(job) }
        for job in jobs { #expect(job.finished.wait(timeout: .now() + 20) == .success) }
        pool.stop()
        #expect(jobs.allSatisfy { $0.done.withLock { $0.allSatisfy { $0 == 1 } } && $0.misplaced.load(ordering: .relaxed) == 0 })
    }
}
