import Synchronization
import TestSupport
import Testing

@testable import WebServer

struct OutboxTests {
    @Test func `messages come out as they went in, and the close frame behind them`() {
        let box = Outbox(id: 7, waker: Waker(), limit: (messages: 10, bytes: 100))
        #expect(box.takeNext() == .nothing)
        #expect(box.send("một") && box.send("hai"))
        box.close(Outbox.Closing(code: 1000, reason: "end"))
        box.close(Outbox.Closing(code: 1013, reason: "later"))
        // Behind the close frame nothing goes, and the first reason counts.
        #expect(!box.send("ba"))
        #expect(box.takeNext() == .message("một") && box.takeNext() == .message("hai"))
        #expect(box.takeNext() == .close(Outbox.Closing(code: 1000, reason: "end")))
    }

    @Test(arguments: [(messages: 3, bytes: 1_000), (messages: 1_000, bytes: 30)])
    func `who does not read is closed with 1013, and what waited is dropped`(limit: (messages: Int, bytes: Int)) {
        let box = Outbox(id: 7, waker: Waker(), limit: limit)
        for _ in 0..<3 { #expect(box.send("0123456789")) }
        #expect(!box.send("x") && !box.send("y"))
        #expect(box.takeNext() == .close(Outbox.Closing(code: 1013, reason: "too slow")))
    }

    @Test func `to a connection that is gone nothing is sent, and nothing of it is kept`() {
        let box = Outbox(id: 7, waker: Waker(), limit: (messages: 3, bytes: 100))
        #expect(box.send("a"))
        box.put(.response(HTTPResponse(status: 200)))
        box.connectionIsGone()
        box.put(.response(HTTPResponse(status: 200)))
        #expect(!box.send("b") && box.takeNext() == .nothing && box.takeReady() == nil)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `whatever is sent and read, order is kept and the bounds hold`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let box = Outbox(id: 1, waker: Waker(), limit: (messages: 8, bytes: 64))
        var waiting: [String] = []
        var isClosed = false
        for step in 0..<2_000 where !isClosed {
            if Int.random(in: 0..<100, using: &random) < 45 {
                let text = "\(step) " + String(repeating: "đ", count: Int.random(in: 0...10, using: &random))
                let fits = waiting.count < 8 && waiting.reduce(text.utf8.count) { $0 + $1.utf8.count } <= 64
                #expect(box.send(text) == fits)
                if fits { waiting.append(text) } else { isClosed = true }
            } else {
                #expect(box.takeNext() == (waiting.isEmpty ? .nothing : .message(waiting.removeFirst())))
            }
        }
        if isClosed { #expect(box.takeNext() == .close(Outbox.Closing(code: 1013, reason: "too slow"))) }
    }
}

struct WakerTests {
    @Test func `one wake is enough for all that come before the thread looks`() {
        let waker = Waker()
        let wakes = Mutex(0)
        waker.wake(1)
        waker.attach { wakes.withLock { $0 += 1 } }
        #expect(waker.take().ids == [1])
        for id in [2, 3, 2, 4] as [UInt64] { waker.wake(id) }
        #expect(wakes.withLock { $0 } == 1 && waker.take().ids == [2, 3, 4] && waker.take().ids.isEmpty)
        waker.reload()
        waker.stop()
        #expect(wakes.withLock { $0 } == 3 && waker.isStopping)
        #expect(waker.take().reload && !waker.take().reload)
        // Detached it still remembers, and calls nobody.
        waker.attach(nil)
        waker.wake(9)
        #expect(wakes.withLock { $0 } == 3 && waker.take().ids == [9])
    }
}

struct ConnectionBoundsConversationTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `whoever comes, proves itself and goes, no bound is passed and nobody who is busy is asked to go`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bounds = ConnectionBounds(limit: 64, perAddress: 8, unprovenPerAddress: 4, perMachine: 12)
        var open: [UInt64: (address: String, state: ConnectionBounds.State)] = [:]
        var next: UInt64 = 0
        for _ in 0..<3_000 {
            let roll = Int.random(in: 0..<100, using: &random)
            if roll < 55 {
                let isMachine = Int.random(in: 0..<5, using: &random) == 0
                let address = isMachine ? "127.0.0.1" : "203.0.113.\(Int.random(in: 0..<12, using: &random))"
                guard case .take(let leaving) = bounds.ask(address, isMachine ? .machine : .stranger) else { continue }
                if let leaving { #expect(open.removeValue(forKey: leaving).map { $0.state != .busy } == true) }
                next += 1
                bounds.add(next, address)
                open[next] = (address, .unproven)
            } else if let id = open.keys.sorted().randomElement(using: &random) {
                if roll < 85 {
                    let state: ConnectionBounds.State = Bool.random(using: &random) ? .busy : .idle
                    bounds.set(id, state)
                    open[id]?.state = state
                } else {
                    bounds.remove(id)
                    open[id] = nil
                }
            }
            #expect(bounds.count == open.count && bounds.count <= 64)
            for (address, all) in Dictionary(grouping: open.values, by: \.address) {
                #expect(bounds.count(of: address) == all.count && all.count <= (address == "127.0.0.1" ? 12 : 8))
                #expect(all.count { $0.state == .unproven } <= 4)
            }
        }
        for id in open.keys { bounds.remove(id) }
        #expect(bounds.count == 0 && bounds.count(of: "127.0.0.1") == 0)
    }
}
