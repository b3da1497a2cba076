import Foundation
import Testing

@testable import Store

/// The engines that the conformance tests run on: SQLite always, PostgreSQL where `NHIPCAU_TEST_POSTGRESQL` names one (`tools/with-postgresql`).
enum Engine: String, CaseIterable, CustomTestStringConvertible {
    case sqlite, postgresql

    static let postgresURL = ProcessInfo.processInfo.environment["NHIPCAU_TEST_POSTGRESQL"].flatMap { $0.isEmpty ? nil : $0 }
    static var all: [Engine] { postgresURL == nil ? [.sqlite] : allCases }
    var testDescription: String { rawValue }

    /// Runs `body` on an empty store of its own, which goes with it.
    func withPlace(_ body: (StorePlace) async throws -> Void) async throws {
        let name = "t\(UUID().uuidString.lowercased().prefix(8))"
        switch self {
        case .sqlite:
            let folder = NSTemporaryDirectory() + "nhipcau-store-\(name)"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try await body(.sqlite(path: folder + "/a.sqlite"))
        case .postgresql:
            let url = try #require(Self.postgresURL)
            let place = try PostgresPlace(url)
            let connection = try PostgresConnection(place, deadline: .now + .seconds(10), stop: StopFlag())
            try connection.execute("CREATE SCHEMA \(name)")
            defer {
                connection.deadline = .now + .seconds(10)
                try? connection.execute("DROP SCHEMA \(name) CASCADE")
            }
            try await body(.postgresql(url: url + (url.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(name)"))
        }
    }

    func withStore(_ body: (any Store) async throws -> Void) async throws {
        try await withPlace { place in
            let store = try await place.open(now: Date(timeIntervalSince1970: 1_800_000_000))
            do { try await body(store) } catch {
                await store.close()
                throw error
            }
            await store.close()
        }
    }
}

/// For rows that come to a closure.
final class Rows: Sendable {
    private let rows = Guarded<[StoredRow]>([])
    func add(_ row: StoredRow) { rows.change { $0.append(row) } }
    var all: [StoredRow] { rows.value }
}

/// A value behind a lock.
final class Guarded<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var kept: Value
    init(_ value: Value) { kept = value }
    var value: Value { lock.withLock { kept } }
    func change<Result>(_ body: (inout Value) -> Result) -> Result { lock.withLock { body(&kept) } }
}

extension Store {
    func rows() async throws -> [StoredRow] {
        let rows = Rows()
        try await dump { rows.add($0) }
        return rows.all
    }
}
