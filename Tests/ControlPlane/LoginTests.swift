import Foundation
import TestSupport
import Testing

@testable import ControlPlane

struct LoginLimiterTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)

    @Test func `five failures of a pair within fifteen minutes are enough, whatever the form of the name`() {
        var limiter = LoginLimiter()
        for second in 0..<5 {
            let verdict = limiter.begin(username: "huế", address: "192.0.2.1", at: start.addingTimeInterval(Double(second)))
            #expect(verdict == .mayTry(isKnown: false))
        }
        let late = limiter.begin(username: "hu\u{65}\u{302}\u{301}", address: "192.0.2.1", at: start.addingTimeInterval(100))
        #expect(late == .wait(seconds: 800))
        #expect(limiter.begin(username: "huế", address: "192.0.2.2", at: start.addingTimeInterval(100)) == .mayTry(isKnown: false))
        #expect(limiter.begin(username: "huế", address: "192.0.2.1", at: start.addingTimeInterval(901)) == .mayTry(isKnown: false))
    }

    @Test func `a right password clears the count`() {
        var limiter = LoginLimiter()
        for _ in 0..<4 { _ = limiter.begin(username: "a", address: "x", at: start) }
        limiter.succeeded(username: "a", address: "x", at: start)
        for _ in 0..<5 { #expect(limiter.begin(username: "a", address: "x", at: start) == .mayTry(isKnown: true)) }
        #expect(limiter.begin(username: "b", address: "x", at: start) == .mayTry(isKnown: false))
    }

    @Test(arguments: [
        ["192.0.2.1"], ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:DB8:1:2:0:0:0:7"], ["::ffff:192.0.2.7", "192.0.2.7"],
    ])
    func `thirty failures of an address are enough, whatever the names, and whoever is known there still signs in`(addresses: [String]) {
        var limiter = LoginLimiter()
        _ = limiter.begin(username: "admin", address: addresses[0], at: start)
        limiter.succeeded(username: "admin", address: addresses[0], at: start)
        var tried = 0
        for number in 0..<200 {
            let address = addresses[number % addresses.count]
            if case .mayTry = limiter.begin(username: "name\(number)", address: address, at: start) { tried += 1 }
        }
        #expect(tried == 30)
        for _ in 0..<5 { #expect(limiter.begin(username: "admin", address: addresses[0], at: start) == .mayTry(isKnown: true)) }
        guard case .wait = limiter.begin(username: "admin", address: addresses[0], at: start) else { return #expect(Bool(false)) }
        #expect(limiter.begin(username: "name", address: "198.51.100.1", at: start) == .mayTry(isKnown: false))
        #expect(limiter.begin(username: "name", address: addresses[0], at: start.addingTimeInterval(901)) == .mayTry(isKnown: false))
    }

    @Test func `what nobody looked at is no failure, and a right password takes its own back`() {
        var limiter = LoginLimiter()
        for number in 0..<300 {
            guard case .mayTry(let isKnown) = limiter.begin(username: "n\(number % 3)", address: "192.0.2.1", at: start) else {
                #expect(Bool(false), "\(number)")
                return
            }
            if number % 2 == 0 {
                limiter.withdrawn(username: "n\(number % 3)", address: "192.0.2.1", isKnown: isKnown)
            } else {
                limiter.succeeded(username: "n\(number % 3)", address: "192.0.2.1", at: start)
            }
        }
    }

    @Test func `no stranger's names fill the memory`() {
        var limiter = LoginLimiter()
        for number in 0..<40_000 {
            _ = limiter.begin(username: "n\(number)", address: "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)", at: start)
        }
        #expect(limiter.remembered <= 3 * LoginLimiter.capacity)
    }
}

struct PasswordWorkerTests {
    private let slow = ScryptCost(logN: 14, r: 8, p: 1)

    @Test func `sixteen wait, the others are refused at once, and who is known goes first`() async throws {
        let worker = PasswordWorker(cost: slow)
        let stored = try await worker.hash("Mật khẩu Hội nghị 2026")
        enum Outcome: Equatable, Sendable { case known(Bool, Int), stranger(Bool), refused }
        let order = Counter()
        let outcomes = await withTaskGroup(of: Outcome.self, returning: [Outcome].self) { group in
            for _ in 0..<100 {
                group.addTask {
                    do {
                        let isRight = try await worker.verify("sai", against: nil, isKnown: false)
                        _ = order.next()
                        return .stranger(isRight)
                    } catch { return .refused }
                }
            }
            // Once the queue is full of strangers.
            while worker.waiting < PasswordWorker.mostWaiting { await Task.yield() }
            group.addTask {
                let isRight = (try? await worker.verify("Mật khẩu Hội nghị 2026", against: stored, isKnown: true)) ?? false
                return .known(isRight, order.next())
            }
            var all: [Outcome] = []
            for await one in group { all.append(one) }
            return all
        }
        #expect(outcomes.count { $0 == .refused } >= 70 && outcomes.count { $0 == .stranger(false) } <= 30)
        let place = outcomes.compactMap { if case .known(true, let place) = $0 { place } else { nil } }.first
        // The one in work, and what was done before it came.
        #expect((place ?? 100) <= 14)
        #expect(worker.waiting == 0)
    }

    @Test func `work whose client is gone is dropped`() async throws {
        let worker = PasswordWorker(cost: slow)
        let waiting = (0..<10).map { _ in Task { try? await worker.verify("sai", against: nil, isKnown: false) } }
        while worker.waiting < 5 { await Task.yield() }
        for task in waiting { task.cancel() }
        for task in waiting { _ = await task.value }
        #expect(worker.waiting == 0)
    }

    @Test func `a hash keeps its cost, and a cheaper one is told from the present one`() async throws {
        let (old, new) = (PasswordWorker(cost: .cheap), PasswordWorker(cost: ScryptCost(logN: 5, r: 8, p: 3)))
        let stored = try await old.hash("Mật khẩu")
        #expect(try await new.verify("Ma\u{323}\u{302}t kha\u{302}\u{309}u", against: stored, isKnown: false))
        #expect(new.isOutdated(stored) && !old.isOutdated(stored))
        #expect(ScryptCost.standard == ScryptCost(logN: 15, r: 8, p: 3))
    }
}

/// Counts across tasks.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    func next() -> Int {
        lock.withLock {
            count += 1
            return count
        }
    }
}
