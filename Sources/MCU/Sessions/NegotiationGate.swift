import Base
import Foundation
import RTP

/// Lets so many offers be read at once, and no more wait than is worth it: reading one costs milliseconds of a thread that others need too.
final class NegotiationGate: Sendable {
    /// That wait at the most; the next one is told to come again.
    static let mostWaiting = 256

    private struct State {
        var inside = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let most: Int
    private let state = Guarded(State())

    /// - Parameter most: at once; a core is left to everything else where there is more than one.
    init(most: Int = max(1, ProcessInfo.processInfo.activeProcessorCount - 1)) { self.most = most }

    /// Runs `body` when its turn comes, in the order of asking.
    /// - Throws: `.busy` where too many wait, and what `body` throws.
    func pass<Value>(_ body: () throws(JoinRefusal) -> Value) async throws(JoinRefusal) -> Value {
        let isFull = state.withLock { $0.inside >= most && $0.waiting.count >= Self.mostWaiting }
        guard !isFull else { throw .busy(retryAfterSeconds: 1) }
        await withCheckedContinuation { turn in
            let isFree = state.withLock { state in
                guard state.inside < most else {
                    state.waiting.append(turn)
                    return false
                }
                state.inside += 1
                return true
            }
            if isFree { turn.resume() }
        }
        defer {
            let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
                state.inside -= 1
                return nil
            }
            next?.resume()
        }
        return try body()
    }
}
