import CPostgres
import Foundation
import Synchronization

/// Told once to all who may be waiting for a database: give up.
final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}

/// One connection to PostgreSQL by libpq, with a socket that never blocks: each wait is a `poll` that ends at the deadline. Owns the C handle; used from one
/// thread, its owner's.
final class PostgresConnection: SQLConnection {
    private var handle: OpaquePointer?
    /// Names of the statements that the server has prepared, by their text.
    private var statements: [String: String] = [:]
    private let stop: StopFlag
    private let place: String
    /// When whatever is going on must have ended.
    var deadline: ContinuousClock.Instant
    /// Nothing can be asked of it any more.
    private(set) var isLost = false
    /// The last failure was a deadlock or a conflict of two transactions: the same again may well succeed.
    private(set) var isConflict = false

    /// Connects, and checks that what is said to be written is on disk.
    /// - Throws: `.gone`, `.slow`, `.failed`, `.unwritable` where the server is not let in by the account.
    init(_ place: PostgresPlace, deadline: ContinuousClock.Instant, stop: StopFlag) throws(StoreError) {
        self.deadline = deadline
        self.stop = stop
        self.place = place.shown
        // What the URL says comes later, and so goes before our own; the encoding comes last.
        handle = Self.withTexts([
            "application_name", "nhipcau", "keepalives_idle", "10", "keepalives_interval", "5", "keepalives_count", "3",
            "tcp_user_timeout", "10000", "dbname", place.url, "client_encoding", "UTF8",
        ]) { texts in
            var (keys, values): ([UnsafePointer<CChar>?], [UnsafePointer<CChar>?]) = ([], [])
            for index in stride(from: 0, to: texts.count, by: 2) {
                keys.append(texts[index])
                values.append(texts[index + 1])
            }
            return PQconnectStartParams(keys + [nil], values + [nil], 1)
        }
        do throws(StoreError) { try finishConnecting() } catch {
            end()
            throw error
        }
    }

    deinit { end() }

    func end() {
        isLost = true
        if let handle { PQfinish(handle) }
        handle = nil
    }

    private func finishConnecting() throws(StoreError) {
        guard let handle, PQstatus(handle) != CONNECTION_BAD else { throw lost() }
        nc_pq_drop_notices(handle)
        var wanted = PGRES_POLLING_WRITING
        while wanted != PGRES_POLLING_OK {
            guard wanted == PGRES_POLLING_READING || wanted == PGRES_POLLING_WRITING else { throw lost() }
            try wait(wanted == PGRES_POLLING_READING ? Int16(POLLIN) : Int16(POLLOUT))
            wanted = PQconnectPoll(handle)
        }
        guard PQsetnonblocking(handle, 1) == 0 else { throw lost() }
        // What is answered must be on disk, whatever the server's own default; a server that nobody listens to any more gives up its locks.
        try execute(
            "SET synchronous_commit TO on; SET idle_in_transaction_session_timeout TO '60s'; SET client_connection_check_interval TO '5s'")
    }

    // MARK: Statements

    /// Runs statements without parameters, whose rows nobody wants. Several are one transaction.
    func execute(_ sql: String) throws(StoreError) {
        try send { PQsendQuery($0, sql) }
        _ = try results()
    }

    @discardableResult
    func run(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> [[SQLValue]] {
        let name = try prepared(sql)
        let texts = values.map { value -> String? in
            switch value {
            case .null: nil
            case .integer(let number): String(number)
            case .text(let text): text
            }
        }
        try send { handle in
            Self.withTexts(texts) { PQsendQueryPrepared(handle, name, Int32($0.count), $0, nil, nil, 0) }
        }
        return try results()
    }

    private func prepared(_ sql: String) throws(StoreError) -> String {
        if let name = statements[sql] { return name }
        let name = "s\(statements.count)"
        try send { PQsendPrepare($0, name, sql, 0, nil) }
        _ = try results()
        statements[sql] = name
        return name
    }

    private func send(_ body: (OpaquePointer) -> Int32) throws(StoreError) {
        isConflict = false
        guard let handle, !isLost else { throw .gone("the connection was lost") }
        guard body(handle) == 1 else { throw lost() }
        while true {
            let left = PQflush(handle)
            if left == 0 { return }
            guard left > 0 else { throw lost() }
            // The server may want to be read before it reads on.
            if try wait(Int16(POLLIN | POLLOUT)) & Int16(POLLIN) != 0, PQconsumeInput(handle) != 1 { throw lost() }
        }
    }

    /// Takes every result of what was sent. The first failure is thrown when all were taken.
    private func results() throws(StoreError) -> [[SQLValue]] {
        guard let handle else { throw .gone("the connection was lost") }
        var rows: [[SQLValue]] = []
        var failure: StoreError?
        while true {
            while PQisBusy(handle) == 1 {
                try wait(Int16(POLLIN))
                guard PQconsumeInput(handle) == 1 else { throw lost() }
            }
            guard let result = PQgetResult(handle) else { break }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK: rows += Self.rows(result)
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: failure = failure ?? self.failure(result)
            default: failure = failure ?? .failed(code: "protocol", message: "an answer of an unknown kind")
            }
        }
        if PQstatus(handle) == CONNECTION_BAD {
            isLost = true
            throw failure.map { if case .gone = $0 { $0 } else { .gone("\($0)") } } ?? lost()
        }
        if let failure { throw failure }
        return rows
    }

    private static func rows(_ result: OpaquePointer) -> [[SQLValue]] {
        let columns = PQnfields(result)
        let isNumber = (0..<columns).map { [20, 21, 23].contains(PQftype(result, $0)) }  // int8, int2, int4
        return (0..<PQntuples(result)).map { row in
            (0..<columns).map { column in
                guard PQgetisnull(result, row, column) == 0, let bytes = PQgetvalue(result, row, column) else { return .null }
                let length = Int(PQgetlength(result, row, column))
                let text = bytes.withMemoryRebound(to: UInt8.self, capacity: length) {
                    String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
                }
                return isNumber[Int(column)] ? Int64(text).map { .integer($0) } ?? .null : .text(text)
            }
        }
    }

    // MARK: Notices

    func listen(to channel: String) throws(StoreError) { try execute("LISTEN \"\(channel)\"") }

    /// Waits until the deadline for texts that other sessions sent.
    func notices() throws(StoreError) -> [String] {
        guard let handle, !isLost else { throw .gone("the connection was lost") }
        do throws(StoreError) { try wait(Int16(POLLIN), isLossAtDeadline: false) } catch {
            if case .slow = error { return [] }
            throw error
        }
        guard PQconsumeInput(handle) == 1 else { throw lost() }
        var texts: [String] = []
        while let notice = PQnotifies(handle) {
            if let extra = notice.pointee.extra { texts.append(String(cString: extra)) }
            PQfreemem(notice)
        }
        return texts
    }

    // MARK: Waiting and failing

    @discardableResult
    private func wait(_ events: Int16, isLossAtDeadline: Bool = true) throws(StoreError) -> Int16 {
        while true {
            let left = deadline - .now
            guard left > .zero else {
                // Whatever it was doing, its answer would be taken for that of the next question.
                if isLossAtDeadline { isLost = true }
                throw .slow
            }
            guard !stop.isSet else {
                isLost = true
                throw .closed
            }
            let milliseconds = Int32(left / .milliseconds(1)) + 1
            var one = pollfd(fd: PQsocket(handle), events: events, revents: 0)
            let count = poll(&one, 1, min(milliseconds, 250))
            if count > 0 { return one.revents }
            if count < 0, errno != EINTR { throw lost() }
        }
    }

    private func lost() -> StoreError {
        isLost = true
        let words = handle.map { String(cString: PQerrorMessage($0)) } ?? ""
        let line = words.split(whereSeparator: \.isNewline).joined(separator: "; ")
        return .gone(line.isEmpty ? "the connection was lost" : String(line.prefix(300)))
    }

    private func failure(_ result: OpaquePointer) -> StoreError {
        let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
        let words = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) } ?? ""
        return failure(state: state, words: String(words.prefix(300)))
    }

    /// - Parameter state: the SQLSTATE, PostgreSQL's documentation, appendix A.
    private func failure(state: String, words: String) -> StoreError {
        switch state {
        case "40001", "40P01":
            isConflict = true
            return .slow
        case "25006":
            isLost = true  // a standby: the next connection may find the primary
            return .unwritable(path: place, remedy: "it is read-only; is it a standby, or default_transaction_read_only on?")
        case "42501": return .unwritable(path: place, remedy: "give the account the right to its tables: \(words)")
        case "53100": return .full
        case "57014", "55P03", "25P03": return .slow
        case "23505": return .taken("value")
        case "53300", "57P01", "57P02", "57P03", "57P05":  // too many connections, or the server stops or starts
            isLost = true
            return .gone(words)
        default:
            guard !state.hasPrefix("08") else {
                isLost = true
                return .gone(words)
            }
            return .failed(code: state, message: words)
        }
    }

    /// C strings for the time of a call.
    private static func withTexts<Result>(_ texts: [String?], _ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
        let copies = texts.map { $0.map { strdup($0) } ?? nil }
        defer { for copy in copies { free(copy) } }
        return body(copies.map { UnsafePointer($0) })
    }
}
