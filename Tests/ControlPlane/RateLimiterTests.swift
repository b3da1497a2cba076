import Foundation
import Testing

@testable import ControlPlane

struct RateLimiterTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)

    @Test func `a burst goes, then so many a second, each key for itself`() {
        var limiter = RateLimiter<Int>(burst: 20, perSecond: 10.0 / 60)
        let taken = (0..<200).count { _ in limiter.take(1, at: start) == nil }
        #expect(taken == 20 && limiter.take(2, at: start) == nil)
        #expect(limiter.take(1, at: start) == 6)
        var later = 0
        for second in 1...600 where limiter.take(1, at: start.addingTimeInterval(Double(second))) == nil { later += 1 }
        #expect((99...101).contains(later))
    }

    @Test func `strangers' keys do not fill the memory, and make nobody free who is held`() {
        var limiter = RateLimiter<Int>(burst: 2, perSecond: 0.001, mostKeys: 100)
        for _ in 0..<3 { _ = limiter.take(-1, at: start.addingTimeInterval(5)) }
        for key in 0..<10_000 { _ = limiter.take(key, at: start) }
        #expect(limiter.count <= 100 && limiter.take(-1, at: start.addingTimeInterval(6)) != nil)
    }
}
