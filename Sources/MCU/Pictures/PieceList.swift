import Base
import RTP

/// The pieces of one stage of work. Threads take them as they come, each piece once, and whoever ends the last one goes on to the next stage: nobody waits.
final class PieceList<Piece: Sendable>: Sendable {
    private struct State: Sendable {
        var pieces: [Piece] = []
        var next = 0
        var unfinished = 0
        var work = Duration.zero
    }
    private let state = Guarded(State())

    /// Begins a stage; the one before is over.
    func begin(_ pieces: [Piece]) {
        state.withLock {
            $0.pieces.removeAll(keepingCapacity: true)
            $0.pieces.append(contentsOf: pieces)
            ($0.next, $0.unfinished, $0.work) = (0, pieces.count, .zero)
        }
    }

    /// - Returns: nil where all are taken.
    func take() -> Piece? {
        state.withLock { state in
            guard state.next < state.pieces.count else { return nil }
            defer { state.next += 1 }
            return state.pieces[state.next]
        }
    }

    /// To be called after each piece that was taken.
    /// - Parameter work: how long it took.
    /// - Returns: how long all pieces of the stage took together, where this was the last; nil where others are not done.
    func end(after work: Duration) -> Duration? {
        state.withLock { state in
            state.unfinished -= 1
            state.work = state.work + work
            guard state.unfinished == 0 else { return nil }
            state.pieces.removeAll(keepingCapacity: true)
            state.next = 0
            return state.work
        }
    }
}
