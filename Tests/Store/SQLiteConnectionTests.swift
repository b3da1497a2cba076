import Foundation
import Testing

@testable import Store

struct SQLiteConnectionTests {
    @Test func `a disk that is full is said to be, and leaves nothing of the batch`() throws {
        let path = NSTemporaryDirectory() + "nhipcau-full-\(UUID().uuidString).sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let connection = try SQLiteConnection(path: path)
        try SQLiteMigrations.apply(to: connection, now: Date(timeIntervalSince1970: 1_800_000_000))
        try connection.execute("PRAGMA max_page_count = 60")
        let body = String(repeating: "x", count: 100_000)
        #expect(throws: StoreError.full) {
            try connection.transaction { () throws(StoreError) in
                for id in 0..<20 { try connection.apply(.put(kind: "k", id: "\(id)", fields: [], body: body, expected: .absent)) }
            }
        }
        #expect(try connection.count("k", where: nil) == 0)
        connection.close()
    }
}
