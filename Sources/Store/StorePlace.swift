import Foundation

/// Where what lasts is kept, as `--store` and the configuration name it.
package enum StorePlace: Sendable, Equatable {
    case sqlite(path: String)
    case postgresql(url: String)

    /// `sqlite:PATH`, `postgresql://…` or `postgres://…`.
    /// - Throws: `.badPlace`, in words that say what to write.
    package init(parsing text: String) throws(StoreError) {
        if text.hasPrefix("sqlite:"), text.utf8.count > 7, !text.utf8.contains(0) {
            self = .sqlite(path: String(text.dropFirst(7)))
        } else if text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") {
            _ = try PostgresPlace(text)
            self = .postgresql(url: text)
        } else {
            throw .badPlace(
                "\"\(Self.shortened(text))\" is no store; write sqlite:PATH or postgresql://USER@HOST/DATABASE?sslmode=verify-full")
        }
    }

    /// What stands before a secret is enough to find the mistake.
    private static func shortened(_ text: String) -> String { String(text.prefix { $0 != ":" && $0 != "@" }.prefix(40)) }

    /// Without passwords.
    package var shown: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        // What does not parse is not shown at all: it may have a password.
        case .postgresql(let url): (try? PostgresPlace(url).shown) ?? "postgresql"
        }
    }

    /// Opens it, makes what is missing and brings its schema up to date.
    package func open(now: Date) async throws(StoreError) -> any Store {
        switch self {
        case .sqlite(let path): try SQLiteStore(path: path, now: now)
        case .postgresql(let url): try await PostgresStore(url: url)
        }
    }
}
