import Base
import Foundation

/// Why a password was not looked at.
enum PasswordRefusal: Error, Equatable {
    /// As many wait as may.
    case busy(retryAfterSeconds: Int)
    /// Its client is gone.
    case abandoned
    /// OpenSSL has no memory for it.
    case hashingFailed
}

/// Hashes passwords one after the other on a thread of its own: a flood of logins costs one core, and no more than `mostWaiting` of them wait. Who is known
/// goes before strangers, and takes a stranger's place where the queue is full.
final class PasswordWorker: Sendable {
    static let mostWaiting = 16
    let cost: ScryptCost

    private struct Job {
        var isKnown: Bool
        var run: @Sendable () -> Void
        var refuse: @Sendable (PasswordRefusal) -> Void
        var id: UInt64
    }
    private struct State {
        var waiting: [Job] = []
        var isRunning = false
        var nextID: UInt64 = 0
    }
    private let state = Guarded(State())
    private let queue: DispatchQueue
    /// Compared with where there is no such user, so that both answers take the same time.
    private let decoy = Guarded<PasswordHash?>(nil)

    /// - Parameter queue: a serial one; others than the own are for tests, which hold it.
    init(cost: ScryptCost, queue: DispatchQueue = DispatchQueue(label: "passwords")) {
        self.cost = cost
        self.queue = queue
    }

    /// Whether those who wait now are known, in their order.
    var waiting: [Bool] { state.withLock { $0.waiting.map(\.isKnown) } }

    func hash(_ password: String) async throws(PasswordRefusal) -> String {
        let cost = cost
        return try await perform(isKnown: true) { () throws(HashingFailed) in try PasswordHash(password, cost: cost).text }
    }

    /// - Parameters:
    ///   - stored: nil for an unknown user: takes as long and is false.
    ///   - isKnown: its sender signed in from there before.
    func verify(_ password: String, against stored: String?, isKnown: Bool) async throws(PasswordRefusal) -> Bool {
        let known = stored.flatMap { PasswordHash(text: $0) }
        return try await perform(isKnown: isKnown) { [self] () throws(HashingFailed) in
            if let known { return try known.matches(password) }
            _ = try decoyHash().matches(password)
            return false
        }
    }

    /// Whether a stored hash costs less than new ones do.
    func isOutdated(_ stored: String) -> Bool { PasswordHash(text: stored).map { $0.cost != cost } ?? false }

    private func decoyHash() throws(HashingFailed) -> PasswordHash {
        if let known = decoy.withLock({ $0 }) { return known }
        let made = try PasswordHash("", cost: cost)
        decoy.withLock { $0 = made }
        return made
    }

    private func perform<Value: Sendable>(
        isKnown: Bool, _ work: @escaping @Sendable () throws(HashingFailed) -> Value
    ) async throws(PasswordRefusal) -> Value {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let outcome: Result<Value, PasswordRefusal> = await withTaskCancellationHandler {
            await withCheckedContinuation { done in
                let job = Job(
                    isKnown: isKnown,
                    run: {
                        do { done.resume(returning: .success(try work())) } catch { done.resume(returning: .failure(.hashingFailed)) }
                    }, refuse: { done.resume(returning: .failure($0)) }, id: id)
                enter(job)
            }
        } onCancel: {
            leave(id)
        }
        return try outcome.get()
    }

    private func enter(_ job: Job) {
        let (refused, starts): (Job?, Bool) = state.withLock { state in
            var refused: Job?
            if state.waiting.count >= Self.mostWaiting {
                guard job.isKnown, let place = state.waiting.lastIndex(where: { !$0.isKnown }) else { return (job, false) }
                refused = state.waiting.remove(at: place)
            }
            let place = job.isKnown ? state.waiting.firstIndex { !$0.isKnown } ?? state.waiting.count : state.waiting.count
            state.waiting.insert(job, at: place)
            let starts = !state.isRunning
            state.isRunning = true
            return (refused, starts)
        }
        refused?.refuse(.busy(retryAfterSeconds: 2))
        if starts { queue.async { [self] in work() } }
    }

    /// Its client is gone before its turn came.
    private func leave(_ id: UInt64) {
        let left: Job? = state.withLock { state in
            state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
        }
        left?.refuse(.abandoned)
    }

    private func work() {
        while true {
            let next: Job? = state.withLock { state in
                guard !state.waiting.isEmpty else {
                    state.isRunning = false
                    return nil
                }
                return state.waiting.removeFirst()
            }
            guard let next else { return }
            next.run()
        }
    }
}
