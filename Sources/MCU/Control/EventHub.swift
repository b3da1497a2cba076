import Base
import Foundation
import RTP
import Synchronization

/// Media events for readers on the control side. A reader that does not keep up loses the oldest, counted.
package final class EventHub: Sendable {
    private let readers = Guarded<[UUID: AsyncStream<MediaEvent>.Continuation]>([:])
    private let lost = Atomic<UInt64>(0)
    private static let mostWaiting = 4_096

    func send(_ event: MediaEvent) {
        readers.withLock { readers in
            for reader in readers.values { if case .dropped = reader.yield(event) { lost.add(1, ordering: .relaxed) } }
        }
    }

    func stream() -> AsyncStream<MediaEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: MediaEvent.self, bufferingPolicy: .bufferingNewest(Self.mostWaiting))
        let key = UUID()
        continuation.onTermination = { [weak self] _ in self?.forget(key) }
        readers.withLock { $0[key] = continuation }
        return stream
    }

    var lostEvents: UInt64 { lost.load(ordering: .relaxed) }

    func finish() {
        let all = readers.withLock { readers in
            defer { readers.removeAll() }
            return Array(readers.values)
        }
        for reader in all { reader.finish() }
    }

    private func forget(_ key: UUID) { readers.withLock { $0[key] = nil } }
}
