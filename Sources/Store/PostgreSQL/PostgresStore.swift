import Foundation
import Synchronization

/// What lasts, in PostgreSQL: a few connections, each with a thread of its own, so that nobody who asks is held up by the network.
package final class PostgresStore: Store {
    /// How long a call may take, waiting for a connection included.
    package static let patience = Duration.seconds(8)
    /// The same of `check`: who asks whether the store is ready wants to know it now.
    static let patienceOfCheck = Duration.seconds(3)
    private static let mostWaiting = 2_000

    private struct Waiter {
        let number: Int
        let continuation: CheckedContinuation<PostgresWorker?, Never>
    }
    private struct Places {
        var idle: [PostgresWorker]
        var waiting: [Waiter] = []
        /// Counts those who ever waited.
        var waited = 0
        var isClosed = false
    }
    private let places: Mutex<Places>
    private let workers: [PostgresWorker]
    private let stop = StopFlag()
    private let trouble = Trouble()
    private let place: PostgresPlace
    private let listener: PostgresListener

    /// - Parameters:
    ///   - url: `postgresql://…` as libpq takes it; `sslmode` and the like are its parameters.
    ///   - connections: of the pool, besides one that listens.
    /// - Throws: `.badPlace`, `.gone`, `.newerSchema`, `.notADatabase`, `.unwritable`.
    package init(url: String, connections: Int = 4, patience: Duration = patience) async throws(StoreError) {
        place = try PostgresPlace(url)
        let (origin, place, stop, trouble) = (UUID().uuidString.lowercased(), place, stop, trouble)
        workers = (0..<connections).map { PostgresWorker(place, origin: origin, stop: stop, trouble: trouble, number: $0) }
        places = Mutex(Places(idle: workers))
        var channel = ""
        for worker in workers { channel = try await worker.open(until: .now + patience) }
        listener = PostgresListener(place, channel: channel, origin: origin, stop: stop)
    }

    package func close() async {
        stop.set()
        let waiting = places.withLock { places in
            places.isClosed = true
            defer { places.waiting = [] }
            return places.waiting
        }
        for one in waiting { one.continuation.resume(returning: nil) }
        for worker in workers { await worker.end() }
        listener.end()
    }

    package func changes() -> AsyncStream<StoreChange> { listener.changes() }

    package func check() async throws(StoreError) {
        try await read(within: Self.patienceOfCheck) { (connection) throws(StoreError) in try connection.check() }
    }

    package func document(_ kind: String, _ id: String) async throws(StoreError) -> Document? {
        try await read { (connection) throws(StoreError) in try connection.document(kind, id) }
    }
    package func documents(_ query: DocumentQuery) async throws(StoreError) -> [Document] {
        try await read { (connection) throws(StoreError) in try connection.documents(query) }
    }
    package func count(_ kind: String, where field: (name: String, value: String)?) async throws(StoreError) -> Int {
        try await read { (connection) throws(StoreError) in try connection.count(kind, where: field) }
    }
    package func counts(_ kind: String, by field: String) async throws(StoreError) -> [String: Int] {
        try await read { (connection) throws(StoreError) in try connection.counts(kind, by: field) }
    }
    package func events(of stream: String, _ page: EventPage) async throws(StoreError) -> [StoredEvent] {
        try await read { (connection) throws(StoreError) in try connection.events(of: stream, page) }
    }
    package func number(of key: String, in stream: String) async throws(StoreError) -> Int? {
        try await read { (connection) throws(StoreError) in try connection.number(of: key, in: stream) }
    }
    package func version(of stream: String) async throws(StoreError) -> Int {
        try await read { (connection) throws(StoreError) in try connection.version(of: stream) }
    }
    package func snapshot(of stream: String) async throws(StoreError) -> StreamSnapshot? {
        try await read { (connection) throws(StoreError) in try connection.snapshot(of: stream) }
    }

    package func commit(_ batch: Batch) async throws(StoreError) {
        try batch.check()
        let deadline = ContinuousClock.now + (batch.isCopy ? .seconds(3_600) : Self.patience)
        try await withWorker(until: deadline) { (worker) async throws(StoreError) in try await worker.commit(batch, until: deadline) }
    }

    package func dump(_ take: @escaping @Sendable (StoredRow) -> Void) async throws(StoreError) {
        let deadline = ContinuousClock.now + .seconds(3_600)
        try await withWorker(until: deadline) { (worker) async throws(StoreError) in try await worker.dump(until: deadline, take) }
    }

    // MARK: The pool

    private func read<Value: Sendable>(
        within patience: Duration = patience, _ body: @escaping @Sendable (PostgresConnection) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let deadline = ContinuousClock.now + min(patience, StorePatience.limit ?? patience)
        return try await withWorker(until: deadline) { (worker) async throws(StoreError) in try await worker.read(until: deadline, body) }
    }

    private func withWorker<Value: Sendable>(
        until deadline: ContinuousClock.Instant, _ body: (PostgresWorker) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        guard let worker = await takeWorker(until: deadline) else { throw stop.isSet ? .closed : trouble.now ?? .slow }
        defer { giveBack(worker) }
        return try await body(worker)
    }

    /// In the order of asking. nil where the store is closed, too many wait, or none was free by the deadline: others may hold every one of them for as long as a
    /// commit is in doubt.
    private func takeWorker(until deadline: ContinuousClock.Instant) async -> PostgresWorker? {
        if let free = places.withLock({ $0.isClosed ? nil : $0.idle.popLast() }) { return free }
        let number = places.withLock { places in
            places.waited += 1
            return places.waited
        }
        let alarm = Task { [weak self] in
            // Cancelled as soon as there is a worker.
            guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
            self?.giveUp(number)
        }
        defer { alarm.cancel() }
        return await withCheckedContinuation { continuation in
            let answer: PostgresWorker?? = places.withLock { places in
                if places.isClosed || deadline <= .now { return .some(nil) }
                if let worker = places.idle.popLast() { return worker }
                guard places.waiting.count < Self.mostWaiting else { return .some(nil) }
                places.waiting.append(Waiter(number: number, continuation: continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private func giveUp(_ number: Int) {
        let waiter = places.withLock { places in
            places.waiting.firstIndex { $0.number == number }.map { places.waiting.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: nil)
    }

    private func giveBack(_ worker: PostgresWorker) {
        let next = places.withLock { places -> Waiter? in
            if !places.waiting.isEmpty { return places.waiting.removeFirst() }
            places.idle.append(worker)
            return nil
        }
        next?.continuation.resume(returning: worker)
    }
}
