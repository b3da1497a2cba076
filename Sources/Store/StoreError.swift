/// Why the store said no. But for `uncertain`, nothing was written.
package enum StoreError: Error, Equatable, Sendable {
    /// The database cannot be written; `remedy` says what to do.
    case unwritable(path: String, remedy: String)
    /// The database was made by a newer version of the program.
    case newerSchema(found: Int, known: Int)
    case notADatabase(path: String)
    /// Somebody else wrote in between.
    case stale(current: Int)
    case missing
    /// Something unique is already there, such as a username.
    case taken(String)
    /// One that must remain would go, such as the last administrator.
    case needed(String)
    case full
    case closed
    /// The server of the database cannot be reached.
    case gone(String)
    /// The database did not answer in time.
    case slow
    /// The database went away while it committed, and did not come back in time to be asked: the batch is there whole, or not at all.
    case uncertain
    /// The place of the store is not one.
    case badPlace(String)
    case failed(code: String, message: String)
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unwritable(let path, let remedy): "the database \(path) cannot be written: \(remedy)"
        case .newerSchema(let found, let known):
            "the database has schema \(found), this program knows up to \(known): start the newer program, or restore a backup made by this one"
        case .notADatabase(let path): "\(path) is not a database of nhipcau: move it away, or name another place with --data or --store"
        case .stale(let current): "the stored version is \(current)"
        case .missing: "there is no such row"
        case .taken(let what): "\(what) is taken"
        case .needed(let what): "this is the last of \(what)"
        case .full: "the disk of the database is full: free some space"
        case .closed: "the store is closed"
        case .gone(let why): "the database cannot be reached: \(why)"
        case .slow: "the database did not answer in time"
        case .uncertain: "the database went away during a commit: look whether it is done before you repeat it"
        case .badPlace(let why): why
        case .failed(let code, let message): "database error \(code): \(message)"
        }
    }
}
