import Foundation

/// So many at once, then so many a second, for each key: joins of a login, its commands, refusals of an address. Bounded: a full table forgets who has not
/// asked for longest, which costs nobody more than a burst.
struct RateLimiter<Key: Hashable & Sendable>: Sendable {
    private struct Bucket: Sendable {
        var tokens: Double
        var last: Date
    }
    private let burst: Double
    private let perSecond: Double
    private let mostKeys: Int
    private var buckets: [Key: Bucket] = [:]

    init(burst: Int, perSecond: Double, mostKeys: Int = 20_000) {
        self.burst = Double(burst)
        self.perSecond = perSecond
        self.mostKeys = mostKeys
    }

    /// - Returns: seconds to wait where it is too often; nil where it may go on, which then counts.
    mutating func take(_ key: Key, at now: Date) -> Int? {
        if buckets[key] == nil, buckets.count >= mostKeys { sweep(now) }
        var bucket = buckets[key] ?? Bucket(tokens: burst, last: now)
        bucket.tokens = min(burst, bucket.tokens + max(0, now.timeIntervalSince(bucket.last)) * perSecond)
        bucket.last = now
        let mayGo = bucket.tokens >= 1
        if mayGo { bucket.tokens -= 1 }
        buckets[key] = bucket
        return mayGo ? nil : max(1, Int(((1 - bucket.tokens) / perSecond).rounded(.up)))
    }

    private mutating func sweep(_ now: Date) {
        buckets = buckets.filter { now.timeIntervalSince($0.value.last) * perSecond < burst }
        guard buckets.count >= mostKeys else { return }
        let oldest = buckets.sorted { $0.value.last < $1.value.last }.prefix(mostKeys / 4 + 1)
        for (key, _) in oldest { buckets[key] = nil }
    }

    var count: Int { buckets.count }
}
