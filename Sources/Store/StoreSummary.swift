import COpenSSL

/// How many rows of each kind a store has, and one hash over all of them: two stores with the same summary hold the same.
package struct StoreSummary: Sendable, Equatable {
    package private(set) var documents = 0
    package private(set) var streams = 0
    package private(set) var events = 0
    package private(set) var snapshots = 0
    /// SHA-256 over the one before and the line of each row.
    private var hash = [UInt8](repeating: 0, count: 32)

    package init() {}
    package var isEmpty: Bool { documents + streams + events + snapshots == 0 }

    /// Rows come in the order in which a store prints them.
    package mutating func add(_ row: StoredRow) {
        switch row {
        case .document: documents += 1
        case .stream: streams += 1
        case .event: events += 1
        case .snapshot: snapshots += 1
        }
        let bytes = hash + row.line.utf8
        var next = [UInt8](repeating: 0, count: 32)
        SHA256(bytes, bytes.count, &next)
        hash = next
    }
}

extension StoreSummary: CustomStringConvertible {
    package var description: String {
        let digits = hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\(documents) documents, \(streams) streams, \(events) events, \(snapshots) snapshots, SHA-256 \(digits)"
    }
}
