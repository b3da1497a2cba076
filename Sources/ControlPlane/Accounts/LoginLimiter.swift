import Foundation

/// Counts failed logins: of each pair of username and address, and of each address whatever the names. Who signed in from an address before is known there:
/// what strangers behind the same address do locks nobody out. Time is an argument; every table is bounded.
struct LoginLimiter {
    /// Of a pair within the window.
    static let most = 5
    /// Of an address within the window: guessing one password for many names.
    static let mostOfAddress = 30
    static let window: TimeInterval = 15 * 60
    /// Pairs, addresses and known pairs remembered; when full, the one that was seen first goes.
    static let capacity = 10_000
    /// How long a pair stays known.
    static let known: TimeInterval = 30 * 86_400

    private struct Pair: Hashable {
        var username: String
        var network: String
    }
    private var pairs = Failures<Pair>()
    private var networks = Failures<String>()
    private var knownPairs: [Pair: Date] = [:]

    enum Verdict: Equatable {
        case mayTry(isKnown: Bool)
        case wait(seconds: Int)
    }

    private func pair(_ username: String, _ address: String) -> Pair {
        Pair(username: String(username.prefix(128)), network: NetworkAddress.network(of: address))
    }

    /// Counts an attempt before its password is looked at, so that many at once cannot slip through together.
    mutating func begin(username: String, address: String, at now: Date) -> Verdict {
        let pair = pair(username, address)
        if let seconds = pairs.wait(pair, most: Self.most, at: now) { return .wait(seconds: seconds) }
        let isKnown = knownPairs[pair].map { now.timeIntervalSince($0) < Self.known } ?? false
        if !isKnown {
            if let seconds = networks.wait(pair.network, most: Self.mostOfAddress, at: now) { return .wait(seconds: seconds) }
            networks.add(pair.network, at: now)
        }
        pairs.add(pair, at: now)
        return .mayTry(isKnown: isKnown)
    }

    /// A right password clears the pair, and takes the attempt back from its address.
    mutating func succeeded(username: String, address: String, at now: Date) {
        let pair = pair(username, address)
        pairs.clear(pair)
        if knownPairs[pair] == nil { networks.takeBack(pair.network) }
        if knownPairs[pair] == nil, knownPairs.count >= Self.capacity, let oldest = knownPairs.min(by: { $0.value < $1.value }) {
            knownPairs[oldest.key] = nil
        }
        knownPairs[pair] = now
    }

    /// An attempt whose password nobody looked at counts for nothing.
    mutating func withdrawn(username: String, address: String, isKnown: Bool) {
        let pair = pair(username, address)
        pairs.takeBack(pair)
        if !isKnown { networks.takeBack(pair.network) }
    }

    var remembered: Int { pairs.count + networks.count + knownPairs.count }
}

/// Times of failures within the window, by what they are counted for.
private struct Failures<Key: Hashable> {
    private var times: [Key: [Date]] = [:]
    var count: Int { times.count }

    /// - Returns: seconds until there are fewer than `most` again; nil where there are.
    mutating func wait(_ key: Key, most: Int, at now: Date) -> Int? {
        let recent = (times[key] ?? []).filter { now.timeIntervalSince($0) < LoginLimiter.window }
        times[key] = recent.isEmpty ? nil : recent
        guard recent.count >= most else { return nil }
        return max(1, Int((LoginLimiter.window - now.timeIntervalSince(recent[recent.count - most])).rounded(.up)))
    }

    mutating func add(_ key: Key, at now: Date) {
        if times[key] == nil, times.count >= LoginLimiter.capacity { forget(at: now) }
        times[key, default: []].append(now)
    }

    mutating func clear(_ key: Key) { times[key] = nil }

    mutating func takeBack(_ key: Key) {
        guard times[key]?.popLast() != nil else { return }
        if times[key]?.isEmpty == true { times[key] = nil }
    }

    private mutating func forget(at now: Date) {
        times = times.filter { $0.value.last.map { now.timeIntervalSince($0) < LoginLimiter.window } ?? false }
        guard times.count >= LoginLimiter.capacity else { return }
        let oldest = times.sorted { ($0.value.last ?? .distantPast) < ($1.value.last ?? .distantPast) }.prefix(LoginLimiter.capacity / 4)
        for (key, _) in oldest { times[key] = nil }
    }
}
