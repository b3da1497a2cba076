import Base
import RTP

/// Lends pictures and takes their memory back when the last reference goes, so a running meeting allocates no pixels.
package final class PicturePool: Sendable {
    private struct Idle: Sendable {
        var memory: PictureMemory
        /// The age of the pool when it came back.
        var since: UInt64
    }
    private let idle = Guarded<(pictures: [Idle], age: UInt64)>(([], 0))
    private let capacity: Int

    /// - Parameter capacity: how many idle pictures are kept. With more the one that has been idle longest is freed. What is lent is not
    ///   counted: whoever takes has a bound of its own.
    package init(capacity: Int = 64) { self.capacity = max(capacity, 1) }

    deinit { idle.withLock { for one in $0.pictures { one.memory.free() } } }

    /// A picture whose contents are undefined; sides are made even.
    package func take(width: Int, height: Int) -> Picture {
        let shape = PictureShape(width: width, height: height)
        let recycled = idle.withLock { idle -> PictureMemory? in
            guard let place = idle.pictures.lastIndex(where: { $0.memory.byteCount == shape.byteCount }) else { return nil }
            return idle.pictures.remove(at: place).memory
        }
        return Picture(shape, recycled ?? PictureMemory(byteCount: shape.byteCount), pool: self)
    }

    /// How many pictures wait to be taken.
    package var idleCount: Int { idle.withLock { $0.pictures.count } }

    func giveBack(_ memory: PictureMemory) {
        let surplus = idle.withLock { idle -> PictureMemory? in
            idle.pictures.append(Idle(memory: memory, since: idle.age))
            return idle.pictures.count > capacity ? idle.pictures.removeFirst().memory : nil
        }
        surplus?.free()
    }

    /// To be called once in a while: frees what nobody took since `rounds` calls ago, so that a meeting that grew small gives its memory back.
    package func trim(after rounds: UInt64 = 5) {
        // One at a time, so that the lock is never held for long.
        while let memory = takeOld(rounds) { memory.free() }
    }

    private func takeOld(_ rounds: UInt64) -> PictureMemory? {
        idle.withLock { idle in
            // The last to come back is the first to be taken: the oldest stand in front.
            guard let first = idle.pictures.first, idle.age - first.since >= rounds else {
                idle.age += 1
                return nil
            }
            return idle.pictures.removeFirst().memory
        }
    }
}
