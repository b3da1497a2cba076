import Base
import Foundation
import Meetings
import Store

@testable import Records

/// The embedded store in memory, whose writes of meetings can be held back, so that a test sees what happens meanwhile, or refused.
final class HeldStore: Store {
    private struct State {
        var isHolding = false
        var losesAnswer = false
        var refusal: StoreError?
        /// The refusal comes although the write is done: the answer was lost on its way.
        var isWrittenAllTheSame = false
        var held: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
        var writes: [Meeting] = []
        var sessionReads = 0
        var eventsRead = 0
    }
    private let inner: SQLiteStore
    private let state = Guarded(State())

    init(now: Date) throws { inner = try SQLiteStore(path: ":memory:", now: now) }

    var records: Records { Records(self) }

    /// From now on a meeting's write waits until `release`.
    func hold() { state.withLock { $0.isHolding = true } }

    /// Returns when a write waits.
    func someWriteWaits() async {
        await withCheckedContinuation { watcher in
            let waits = state.withLock { state in
                guard state.held.isEmpty else { return true }
                state.watchers.append(watcher)
                return false
            }
            if waits { watcher.resume() }
        }
    }

    /// Lets the writes that wait go on, and further ones pass.
    func release() {
        let held = state.withLock { state in
            state.isHolding = false
            defer { state.held.removeAll() }
            return state.held
        }
        for writer in held { writer.resume() }
    }

    /// The next write of a meeting is refused.
    func refuseNext(with error: StoreError, isWrittenAllTheSame: Bool = false) {
        state.withLock { ($0.refusal, $0.isWrittenAllTheSame) = (error, isWrittenAllTheSame) }
    }

    /// The next write, whatever it is, is done and not answered.
    func loseNextAnswer() { state.withLock { $0.losesAnswer = true } }

    /// Meetings as they were written, in order.
    var writes: [Meeting] { state.withLock { $0.writes } }
    /// How often a session was looked for.
    var sessionReads: Int { state.withLock { $0.sessionReads } }

    /// Events that were handed out.
    var eventsRead: Int { state.withLock { $0.eventsRead } }

    private func waitWhileHeld() async {
        await withCheckedContinuation { writer in
            let (mustWait, watchers) = state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
                guard state.isHolding else { return (false, []) }
                state.held.append(writer)
                defer { state.watchers.removeAll() }
                return (true, state.watchers)
            }
            for watcher in watchers { watcher.resume() }
            if !mustWait { writer.resume() }
        }
    }

    func commit(_ batch: Batch) async throws(StoreError) {
        let losesAnswer = state.withLock { state in
            defer { state.losesAnswer = false }
            return state.losesAnswer
        }
        if losesAnswer {
            try await inner.commit(batch)
            throw .uncertain
        }
        let meetings = batch.operations.compactMap(Self.changedMeeting)
        guard !meetings.isEmpty else { return try await inner.commit(batch) }
        await waitWhileHeld()
        let (refusal, isWritten) = state.withLock { state in
            defer { (state.refusal, state.isWrittenAllTheSame) = (nil, false) }
            return (state.refusal, state.isWrittenAllTheSame)
        }
        if let refusal, !isWritten { throw refusal }
        try await inner.commit(batch)
        state.withLock { $0.writes += meetings }
        if let refusal { throw refusal }
    }

    /// The meeting as it is after the operation, where that changes one that is there.
    private static func changedMeeting(_ operation: Batch.Operation) -> Meeting? {
        guard case .put(Meeting.kind, let id, _, let body, .version(let version)) = operation else { return nil }
        return try? Meeting(Document(kind: Meeting.kind, id: id, version: version + 1, body: body))
    }

    func document(_ kind: String, _ id: String) async throws(StoreError) -> Document? {
        if kind == SessionRecord.kind { state.withLock { $0.sessionReads += 1 } }
        return try await inner.document(kind, id)
    }
}

// What is not held.
extension HeldStore {
    func documents(_ query: DocumentQuery) async throws(StoreError) -> [Document] { try await inner.documents(query) }
    func count(_ kind: String, where field: (name: String, value: String)?) async throws(StoreError) -> Int {
        try await inner.count(kind, where: field)
    }
    func counts(_ kind: String, by field: String) async throws(StoreError) -> [String: Int] { try await inner.counts(kind, by: field) }
    func events(of stream: String, _ page: EventPage) async throws(StoreError) -> [StoredEvent] {
        let events = try await inner.events(of: stream, page)
        state.withLock { $0.eventsRead += events.count }
        return events
    }
    func number(of key: String, in stream: String) async throws(StoreError) -> Int? { try await inner.number(of: key, in: stream) }
    func version(of stream: String) async throws(StoreError) -> Int { try await inner.version(of: stream) }
    func snapshot(of stream: String) async throws(StoreError) -> StreamSnapshot? { try await inner.snapshot(of: stream) }
    func dump(_ take: @escaping @Sendable (StoredRow) -> Void) async throws(StoreError) { try await inner.dump(take) }
    func changes() async -> AsyncStream<StoreChange> { await inner.changes() }
    func check() async throws(StoreError) { try await inner.check() }
    func close() async { await inner.close() }
}
