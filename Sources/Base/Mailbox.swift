import Synchronization

/// What one thread asks of another. Bounded: a full box refuses, and the refusal is the caller's to report.
///
/// Inlinable: it is on the way of each frame, and a generic class of another room would be called by its tables.
package final class Mailbox<Command: Sendable>: Sendable {
    @usableFromInline let waiting: Guarded<[Command]>
    @usableFromInline let capacity: Int

    /// - Parameter capacity: most commands that wait.
    @inlinable package init(capacity: Int = 4_096) {
        self.capacity = capacity
        var room: [Command] = []
        room.reserveCapacity(min(capacity, 256))
        waiting = Guarded(room)
    }

    /// - Returns: nil where the box is full and the command was not taken; otherwise whether it was empty before, so that its reader must be woken.
    @inlinable package func post(_ command: Command) -> Bool? {
        waiting.withLock { box in
            guard box.count < capacity else { return nil }
            box.append(command)
            return box.count == 1
        }
    }

    /// Takes a command though the box is full: for what may not be lost and is bounded by something else, as a session that ends once.
    /// - Returns: whether the box was empty before.
    @inlinable package func insist(_ command: Command) -> Bool {
        waiting.withLock { box in
            box.append(command)
            return box.count == 1
        }
    }

    /// Lets go of what waits: its reader is gone.
    @inlinable package func empty() { waiting.withLock { $0.removeAll() } }

    /// Swaps the waiting commands with an emptied `batch`: two buffers go to and fro, nothing is allocated.
    @inlinable package func drain(into batch: inout [Command]) {
        batch.removeAll(keepingCapacity: true)
        waiting.withLock { swap(&$0, &batch) }
    }
}
