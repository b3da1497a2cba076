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
    /// A worker whose queue is held until it is let go: what happens meanwhile happens in no time.
    private struct Held {
        let queue = DispatchQueue(label: "held")
        let worker: PasswordWorker
        init() {
            worker = PasswordWorker(cost: .cheap, queue: queue)
            queue.suspend()
        }

        /// Until so many wait; everything that was begun comes there by itself.
        func wait(until isReached: ([Bool]) -> Bool) async {
            while !isReached(worker.waiting) { await Task.yield() }
        }
    }

    private enum Outcome: Equatable, Sendable { case known(isRight: Bool, place: Int), stranger, refused(PasswordRefusal) }

    @Test func `sixteen wait, the others are refused at once, and who is known goes first and takes a stranger's place`() async throws {
        let held = Held()
        let stored = try PasswordHash("Mật khẩu Hội nghị 2026", cost: .cheap).text
        let order = Counter()
        let outcomes = await withTaskGroup(of: Outcome.self, returning: [Outcome].self) { group in
            for _ in 0..<100 {
                group.addTask { [worker = held.worker] in
                    do throws(PasswordRefusal) {
                        _ = try await worker.verify("sai", against: nil, isKnown: false)
                        _ = order.next()
                        return .stranger
                    } catch { return .refused(error) }
                }
            }
            await held.wait { $0.count == PasswordWorker.mostWaiting }
            group.addTask { [worker = held.worker] in
                let isRight = (try? await worker.verify("Mật khẩu Hội nghị 2026", against: stored, isKnown: true)) ?? false
                return .known(isRight: isRight, place: order.next())
            }
            await held.wait { $0.first == true }
            var all: [Outcome] = []
            // Strangers that come later are refused as long as the queue is full.
            while all.count < 100 - PasswordWorker.mostWaiting + 1, let one = await group.next() { all.append(one) }
            #expect(held.worker.waiting == [true] + Array(repeating: false, count: PasswordWorker.mostWaiting - 1))
            held.queue.resume()
            for await one in group { all.append(one) }
            return all
        }
        let places = outcomes.compactMap { if case .known(true, let place) = $0 { place } else { nil } }
        #expect(places.count == 1 && outcomes.count { $0 == .stranger } == PasswordWorker.mostWaiting - 1)
        #expect(outcomes.count { $0 == .refused(.busy(retryAfterSeconds: 2)) } == 100 - PasswordWorker.mostWaiting + 1)
        #expect(held.worker.waiting.isEmpty)
    }

    @Test func `work whose client is gone is dropped`() async throws {
        let held = Held()
        let waiting = (0..<10).map { _ in
            Task { () -> PasswordRefusal? in
                do throws(PasswordRefusal) {
                    _ = try await held.worker.verify("sai", against: nil, isKnown: false)
                    return nil
                } catch { return error }
            }
        }
        await held.wait { $0.count == 10 }
        for task in waiting { task.cancel() }
        for task in waiting { #expect(await task.value == .abandoned) }
        #expect(held.worker.waiting.isEmpty)
        held.queue.resume()
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
