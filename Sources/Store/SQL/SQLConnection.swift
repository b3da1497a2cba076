/// One value of a row or of a statement's parameters.
enum SQLValue: Equatable {
    case null
    case integer(Int64)
    case text(String)

    static func number(_ value: Int) -> SQLValue { .integer(Int64(value)) }

    var string: String { if case .text(let value) = self { value } else { "" } }
    var int: Int { if case .integer(let value) = self { Int(value) } else { 0 } }
}

/// One connection to an engine, used from one place at a time. It may block; its owner has a thread for that.
///
/// Statements are the same text on every engine. Parameters are `$1`, `$2` …, in ascending order where they first stand in the text: SQLite numbers
/// them by that.
protocol SQLConnection: AnyObject {
    /// - Returns: the rows.
    @discardableResult
    func run(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> [[SQLValue]]
}

extension SQLConnection {
    @discardableResult
    func run(_ sql: String) throws(StoreError) -> [[SQLValue]] { try run(sql, []) }
}
