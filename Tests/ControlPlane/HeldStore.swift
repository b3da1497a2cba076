import Base
import Foundation
import Meetings
import Store

/// The embedded store in memory, whose writes of meetings can be held back, so that a test sees what happens meanwhile, or refused.
final class HeldStore: Store {
    private struct State {
        var isHolding = false
        var refusal: StoreError?
        /// The refusal comes although the write is done: the answer was lost on its way.
        var isWrittenAllTheSame = false
        var held: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
        var writes: [Meeting] = []
        var sessionReads = 0
    }
    private let inner: SQLiteStore
    private let state = Guarded(State())

    init(now: Date) throws { inner = try SQLiteStore(path: ":memory:", now: now) }

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

    /// Meetings as they were written, in order.
    var writes: [Meeting] { state.withLock { $0.writes } }
    /// How often a session was looked for.
    var sessionReads: Int { state.withLock { $0.sessionReads } }

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

    func update(_ meeting: Meeting, from version: Int) async throws(StoreError) {
        await waitWhileHeld()
        let (refusal, isWritten) = state.withLock { state in
            defer { (state.refusal, state.isWrittenAllTheSame) = (nil, false) }
            return (state.refusal, state.isWrittenAllTheSame)
        }
        if let refusal, !isWritten { throw refusal }
        try await inner.update(meeting, from: version)
        state.withLock { $0.writes.append(meeting) }
        if let refusal { throw refusal }
    }

    func session(tokenHash: [UInt8]) async throws(StoreError) -> SessionRecord? {
        state.withLock { $0.sessionReads += 1 }
        return try await inner.session(tokenHash: tokenHash)
    }
}

// What is not held.
extension HeldStore {
    func insert(_ user: UserRecord) async throws(StoreError) { try await inner.insert(user) }
    func user(named username: String) async throws(StoreError) -> UserRecord? { try await inner.user(named: username) }
    func user(_ id: UUID) async throws(StoreError) -> UserRecord? { try await inner.user(id) }
    func users(limit: Int, after: UUID?) async throws(StoreError) -> [UserRecord] { try await inner.users(limit: limit, after: after) }
    func userCount() async throws(StoreError) -> Int { try await inner.userCount() }
    func update(_ user: UserRecord) async throws(StoreError) { try await inner.update(user) }
    func users(standingFor site: String) async throws(StoreError) -> [UserRecord] { try await inner.users(standingFor: site) }
    func administratorCount() async throws(StoreError) -> Int { try await inner.administratorCount() }
    func insert(_ session: SessionRecord, most: Int) async throws(StoreError) { try await inner.insert(session, most: most) }
    func deleteSession(tokenHash: [UInt8]) async throws(StoreError) { try await inner.deleteSession(tokenHash: tokenHash) }
    func deleteSessions(expiredBy date: Date) async throws(StoreError) { try await inner.deleteSessions(expiredBy: date) }
    func deleteSessions(of user: UUID, except tokenHash: [UInt8]?) async throws(StoreError) {
        try await inner.deleteSessions(of: user, except: tokenHash)
    }
    func insert(_ meeting: Meeting) async throws(StoreError) { try await inner.insert(meeting) }
    func meeting(_ id: UUID) async throws(StoreError) -> Meeting? { try await inner.meeting(id) }
    func meetings(phase: MeetingPhase?, limit: Int, after: UUID?) async throws(StoreError) -> [Meeting] {
        try await inner.meetings(phase: phase, limit: limit, after: after)
    }
    func meetingCounts() async throws(StoreError) -> [MeetingPhase: Int] { try await inner.meetingCounts() }
    func deleteMeeting(_ id: UUID, version: Int?) async throws(StoreError) { try await inner.deleteMeeting(id, version: version) }
    func append(_ entry: AuditEntry) async throws(StoreError) { try await inner.append(entry) }
    func audit(limit: Int, after: UUID?) async throws(StoreError) -> [AuditEntry] { try await inner.audit(limit: limit, after: after) }
    func amendAudit(_ id: UUID, detail: String) async throws(StoreError) { try await inner.amendAudit(id, detail: detail) }
    func audit(before date: Date, limit: Int) async throws(StoreError) -> [AuditEntry] { try await inner.audit(before: date, limit: limit) }
    func deleteAudit(through id: UUID) async throws(StoreError) { try await inner.deleteAudit(through: id) }
    func check() async throws(StoreError) { try await inner.check() }
    func close() async { await inner.close() }
}
