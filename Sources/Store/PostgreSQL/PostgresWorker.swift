import Foundation
import Synchronization

/// Why connections cannot be made at present, for those whom no place of the pool is left to find it out.
final class Trouble: Sendable {
    private let error = Mutex<StoreError?>(nil)
    var now: StoreError? { error.withLock { $0 } }
    func met(_ error: StoreError) { self.error.withLock { $0 = error } }
    func isOver() { error.withLock { $0 = nil } }
}

/// One place of the pool: a thread and its connection, which is made anew when it was lost.
actor PostgresWorker {
    private let place: PostgresPlace
    private let origin: String
    private let stop: StopFlag
    private let trouble: Trouble
    private let thread: OwnThread
    private var connection: PostgresConnection?
    /// Channel of the installation, once the schema was looked at.
    private var channel = ""
    private var commits = 0
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// How long a batch goes on asking whether a commit without an answer was done. Then it is answered as uncertain: whoever asked waits no longer than this, and a
    /// meeting whose order it was goes on.
    static let patienceInDoubt = Duration.seconds(12)

    init(_ place: PostgresPlace, origin: String, stop: StopFlag, trouble: Trouble, number: Int) {
        self.place = place
        self.origin = origin
        self.stop = stop
        self.trouble = trouble
        thread = OwnThread(label: "store-\(number)")
    }

    func end() {
        connection?.end()
        connection = nil
    }

    /// Makes the connection and brings the schema up to date.
    /// - Returns: the channel by which processes of the installation tell each other.
    func open(until deadline: ContinuousClock.Instant) throws(StoreError) -> String {
        var connection = try connected(until: deadline, isFirst: true)
        connection.deadline = deadline
        do throws(StoreError) {
            channel = "nhipcau_" + (try PostgresMigrations.apply(to: connection, place: place, now: Date()))
        } catch {
            guard connection.isLost, case .gone = error else { throw error }
            self.connection = nil
            connection = try connected(until: deadline, isFirst: true)
            channel = "nhipcau_" + (try PostgresMigrations.apply(to: connection, place: place, now: Date()))
        }
        return channel
    }

    // MARK: Reading

    /// Reads, on a new connection where the old one is lost.
    func read<Value: Sendable>(
        until deadline: ContinuousClock.Instant, _ body: @Sendable (PostgresConnection) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        while true {
            let connection = try connected(until: deadline)
            connection.deadline = deadline
            do throws(StoreError) { return try body(connection) } catch {
                if connection.isLost { self.connection = nil }
                guard deadline > .now, connection.isLost ? Self.isLoss(error) : connection.isConflict else { throw error }
            }
        }
    }

    /// Every row as of one moment.
    func dump(until deadline: ContinuousClock.Instant, _ take: @escaping @Sendable (StoredRow) -> Void) throws(StoreError) {
        let connection = try connected(until: deadline)
        connection.deadline = deadline
        do throws(StoreError) {
            try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try connection.dump(take)
            try connection.execute("COMMIT")
        } catch {
            rollBack(connection)
            throw error
        }
    }

    // MARK: Writing

    /// Commits once, however often the connection is lost: the batch's identifier is in the transaction, so that the next connection finds what became of it.
    func commit(_ batch: Batch, until deadline: ContinuousClock.Instant) throws(StoreError) {
        var end = deadline
        var isInDoubt = false
        while true {
            var connection: PostgresConnection?
            do throws(StoreError) {
                let one = try connected(until: end)
                connection = one
                one.deadline = end
                return try attempt(batch, on: one, isInDoubt: &isInDoubt)
            } catch {
                // Where none could be made, that was tried until the end.
                var isWorthAgain = connection != nil
                if isInDoubt, end == deadline {
                    end = .now + Self.patienceInDoubt
                    isWorthAgain = true
                }
                if let connection { rollBack(connection) }
                let isConflict = connection.map { $0.isConflict && !$0.isLost } ?? false
                guard !stop.isSet, end > .now, isWorthAgain, isInDoubt || isConflict || Self.isLoss(error) else {
                    throw isInDoubt ? .uncertain : error
                }
            }
        }
    }

    private func attempt(_ batch: Batch, on connection: PostgresConnection, isInDoubt: inout Bool) throws(StoreError) {
        let seconds = Int(Date().timeIntervalSince1970)
        try connection.execute("BEGIN")
        let isNew = try connection.begin(batch, at: seconds)
        // Either it is there, or no earlier attempt can come any more: its identifier would be in the way.
        isInDoubt = false
        guard isNew else { return try connection.execute("ROLLBACK") }
        for operation in batch.operations { try connection.apply(operation) }
        commits += 1
        if commits % 256 == 0 { try connection.forgetBatches(before: seconds - 86_400) }
        let changes = batch.changes
        if !changes.isEmpty {
            let text = StoreNotice(origin: origin, changes: changes).text
            try connection.run("SELECT 1 FROM (SELECT pg_notify($1, $2)) AS told", [.text(channel), .text(text)])
        }
        isInDoubt = true
        do throws(StoreError) { try connection.execute("COMMIT") } catch {
            // An answer that says no is an answer.
            if !connection.isLost { isInDoubt = false }
            throw error
        }
        isInDoubt = false
    }

    // MARK: Connections

    private func rollBack(_ connection: PostgresConnection) {
        if !connection.isLost {
            connection.deadline = max(connection.deadline, .now + .seconds(1))
            do throws(StoreError) { try connection.execute("ROLLBACK") } catch { connection.end() }
        }
        if connection.isLost { self.connection = nil }
    }

    /// The connection that there is, or a new one; tries until the deadline, ever more slowly.
    private func connected(until deadline: ContinuousClock.Instant, isFirst: Bool = false) throws(StoreError) -> PostgresConnection {
        if let connection, !connection.isLost { return connection }
        connection = nil
        var pause = Duration.milliseconds(20)
        while true {
            guard !stop.isSet else { throw .closed }
            do throws(StoreError) {
                let made = try PostgresConnection(place, deadline: deadline, stop: stop)
                // A newer program may have moved the schema on while the server was away.
                if !isFirst, let found = try PostgresMigrations.version(made), found > PostgresMigrations.steps.count {
                    throw .newerSchema(found: found, known: PostgresMigrations.steps.count)
                }
                connection = made
                trouble.isOver()
                return made
            } catch {
                trouble.met(error)
                let isForGood = isFirst && Self.isForGood(error)
                guard Self.isLoss(error), !isForGood, ContinuousClock.now + pause < deadline else { throw error }
                Thread.sleep(forTimeInterval: pause / .seconds(1))
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    /// Whoever starts the program need not wait for another certificate: there will be none. libpq has no code for it; the word is OpenSSL's.
    private static func isForGood(_ error: StoreError) -> Bool {
        if case .gone(let why) = error { why.contains("certificate") } else { false }
    }

    private static func isLoss(_ error: StoreError) -> Bool { if case .gone = error { true } else { false } }
}
