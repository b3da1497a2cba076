import CPostgres
import Foundation

/// Where a PostgreSQL is, by a URL as libpq takes it.
struct PostgresPlace: Sendable, Equatable {
    /// With its password, where it has one.
    let url: String
    /// The same without what is secret, for logs and messages.
    let shown: String

    /// - Throws: `.badPlace` with libpq's words where it is none.
    init(_ url: String) throws(StoreError) {
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(url, &message)
        defer {
            PQconninfoFree(options)
            PQfreemem(message)
        }
        guard let options, !url.utf8.contains(0) else {
            let words = message.map { String(cString: $0) } ?? "it has a NUL"
            throw .badPlace("the store is no address of PostgreSQL: \(words.split(whereSeparator: \.isNewline).joined(separator: "; "))")
        }
        var values: [String: String] = [:]
        var at = options
        while let keyword = at.pointee.keyword {
            if let value = at.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            at += 1
        }
        self.url = url
        let host = values["host"] ?? values["hostaddr"] ?? "localhost"
        shown = "postgresql://\(host)\(values["port"].map { ":" + $0 } ?? "")/\(values["dbname"] ?? "")"
    }
}
