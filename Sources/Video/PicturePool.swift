import Synchronization

/// Lends pictures and takes their memory back when the last reference goes, so a running meeting allocates no pixels.
package final class PicturePool: Sendable {
    private let idle = Mutex<[PictureMemory]>([])
    private let capacity: Int

    /// - Parameter capacity: how many idle pictures are kept. With more the one that has been idle longest is freed. What is lent is not
    ///   counted: whoever takes has a bound of its own.
    package init(capacity: Int = 64) { self.capacity = max(capacity, 1) }

    deinit { idle.withLock { for memory in $0 { memory.free() } } }

    /// A picture whose contents are undefined; sides are made even.
    package func take(width: Int, height: Int) -> Picture {
        let shape = PictureShape(width: width, height: height)
        let recycled = idle.withLock { idle -> PictureMemory? in
            guard let place = idle.lastIndex(where: { $0.byteCount == shape.byteCount }) else { return nil }
            return idle.remove(at: place)
        }
        return Picture(shape, recycled ?? PictureMemory(byteCount: shape.byteCount), pool: self)
    }

    /// How many pictures wait to be taken.
    package var idleCount: Int { idle.withLock { $0.count } }

    func giveBack(_ memory: PictureMemory) {
        let surplus = idle.withLock { idle -> PictureMemory? in
            idle.append(memory)
            return idle.count > capacity ? idle.removeFirst() : nil
        }
        surplus?.free()
    }
}
