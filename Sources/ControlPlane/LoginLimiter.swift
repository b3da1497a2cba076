import Foundation

/// Counts failed logins of each pair of username and address. Time is an argument.
struct LoginLimiter {
    static let most = 5
    static let window: TimeInterval = 15 * 60
    /// Pairs remembered; when full, the one whose failures are oldest is forgotten.
    static let capacity = 10_000

    private struct Pair: Hashable {
        var username: String
        var address: String
    }
    private var attempts: [Pair: [Date]] = [:]

    /// Counts an attempt before its password is looked at, so that many at once cannot slip through together.
    /// - Returns: seconds to wait, nil where the attempt may go on.
    mutating func begin(username: String, address: String, at now: Date) -> Int? {
        let pair = Pair(username: String(username.prefix(128)), address: address)
        let recent = (attempts[pair] ?? []).filter { now.timeIntervalSince($0) < Self.window }
        if recent.count >= Self.most, let oldest = recent.first {
            attempts[pair] = recent
            return max(1, Int((Self.window - now.timeIntervalSince(oldest)).rounded(.up)))
        }
        if attempts[pair] == nil, attempts.count >= Self.capacity { forget(at: now) }
        attempts[pair] = recent + [now]
        return nil
    }

    /// A right password clears the pair.
    mutating func succeeded(username: String, address: String) {
        attempts[Pair(username: String(username.prefix(128)), address: address)] = nil
    }

    private mutating func forget(at now: Date) {
        attempts = attempts.filter { $0.value.last.map { now.timeIntervalSince($0) < Self.window } ?? false }
        guard attempts.count >= Self.capacity else { return }
        let oldest = attempts.min { ($0.value.last ?? .distantPast) < ($1.value.last ?? .distantPast) }
        if let oldest { attempts[oldest.key] = nil }
    }
}
