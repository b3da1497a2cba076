import Base
import RTP
import TestSupport
import Testing

@testable import ICE

/// A server's and an endpoint's agent, and a line that loses, doubles, delays and reorders, in virtual time. Between them the endpoint's address may change,
/// as behind a box that translates addresses.
private struct ICELine {
    struct Datagram {
        var bytes: [UInt8]
        var source: TransportAddress
        var target: TransportAddress
    }

    static let server = TransportAddress(ipv4: 0xc000_0201, port: 5_000)
    static let dead = TransportAddress(ipv4: 0x0a00_0001, port: 9)
    static let stranger = TransportAddress(ipv4: 0xcb00_7103, port: 1_234)

    var now = Instant(sinceStart: .seconds(1))
    var random: SeededGenerator
    var lite: ICELiteAgent
    var full: ICEControllingAgent
    /// The endpoint's address as the server sees it.
    var home = TransportAddress(ipv4: 0xc633_6402, port: 40_000)
    var up: SimulatedLink<Datagram>
    var down: SimulatedLink<Datagram>
    var hasStranger = false
    private(set) var requests = 0
    private var steps = 0
    /// What a stranger got an answer to, or changed.
    private(set) var fooled = 0
    /// Moments after the first selection in which one side had none.
    private(set) var withoutPair = 0

    init(seed: UInt64, loss: Int) {
        random = SeededGenerator(seed: seed)
        let ours = ICECredentials.random(using: &random)
        let theirs = ICECredentials.random(using: &random)
        lite = ICELiteAgent(local: theirs, remoteUfrag: ours.ufrag, now: now)
        full = ICEControllingAgent(local: ours, seed: seed, now: now)
        full.setRemote(theirs, candidates: [Self.dead, Self.server], now: now)
        up = SimulatedLink(seed: seed &+ 100, loss: loss, duplication: 20, delay: .milliseconds(30), jitter: .milliseconds(200))
        down = SimulatedLink(seed: seed &+ 200, loss: loss, duplication: 20, delay: .milliseconds(30), jitter: .milliseconds(200))
    }

    mutating func run(for duration: Duration) {
        let end = now + duration
        while let next = [full.deadline, up.nextArrival, down.nextArrival].compactMap({ $0 }).min(), next <= end {
            // A deadline that stays in the past must fail a test, not hang it.
            steps += 1
            guard steps < 20_000 else {
                Issue.record("a deadline does not move on")
                return
            }
            now = max(now, next)
            for datagram in up.arrivals(now: now) { arriveAtServer(datagram) }
            for datagram in down.arrivals(now: now) { arriveAtEndpoint(datagram) }
            var question: [UInt8] = []
            while let address = full.poll(now: now, into: &question) {
                requests += 1
                up.send(Datagram(bytes: question, source: home, target: address), now: now)
            }
            if full.selected == nil || lite.selected == nil { withoutPair += 1 }
        }
        now = end
    }

    private mutating func arriveAtServer(_ datagram: Datagram) {
        guard datagram.target == Self.server else { return }
        if hasStranger { forge(datagram, toServer: true) }
        var answer: [UInt8] = []
        if case .dropped = lite.handle(datagram.bytes.span.bytes, from: datagram.source, now: now, answer: &answer) { return }
        down.send(Datagram(bytes: answer, source: Self.server, target: datagram.source), now: now)
    }

    private mutating func arriveAtEndpoint(_ datagram: Datagram) {
        guard datagram.target == home else { return }
        if hasStranger { forge(datagram, toServer: false) }
        var unused: [UInt8] = []
        _ = full.handle(datagram.bytes.span.bytes, from: datagram.source, now: now, answer: &unused)
    }

    /// Somebody who reads along alters a bit and sends it on from the same address or from his own.
    private mutating func forge(_ datagram: Datagram, toServer: Bool) {
        var bytes = datagram.bytes
        bytes[Int.random(in: 0..<(bytes.count - 8), using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        let source = Bool.random(using: &random) ? Self.stranger : datagram.source
        let before = (lite.selected, full.selected, full.state)
        var answer: [UInt8] = []
        if toServer {
            if case .dropped = lite.handle(bytes.span.bytes, from: source, now: now, answer: &answer) {} else { fooled += 1 }
        } else {
            _ = full.handle(bytes.span.bytes, from: source, now: now, answer: &answer)
        }
        if !answer.isEmpty || before != (lite.selected, full.selected, full.state) { fooled += 1 }
    }
}

struct ICELineTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `over a bad line the agents agree on one pair, keep it, and ask no more than they must`(seed: UInt64) {
        var line = ICELine(seed: seed, loss: Int(seed % 3) * 5)
        line.hasStranger = true
        line.run(for: .seconds(20))
        #expect(line.full.state == .connected(ICELine.server) && line.lite.selected == line.home)
        // Two candidates twice a second until one answers, its nomination, and what was asked for consent.
        #expect(line.requests <= 21 + 5)
        let requests = line.requests
        line.run(for: .seconds(120))
        #expect(line.full.state == .connected(ICELine.server) && line.lite.hasConsent(now: line.now))
        #expect(line.requests - requests >= 20 && line.requests - requests <= 30 && line.fooled == 0)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `an endpoint whose address changes is followed, and what comes late from the old one does not bring it back`(seed: UInt64) {
        var line = ICELine(seed: seed, loss: Int(seed % 3) * 5)
        line.run(for: .seconds(20))
        for port in [50_001, 50_002] as [UInt16] {
            line.home = TransportAddress(ipv4: 0xc633_6402, port: port)
            // The next question for consent moves it, six seconds later at most; where that got lost, the one after it.
            line.run(for: .milliseconds(6_300))
            if seed % 3 == 0 { #expect(line.lite.selected == line.home) }
            line.run(for: .seconds(22))
            #expect(line.lite.selected == line.home && line.lite.isProven(line.home, now: line.now))
            #expect(line.full.state == .connected(ICELine.server))
        }
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `through three restarts there is a pair at any moment, and at the end one name that counts`(seed: UInt64) {
        var line = ICELine(seed: seed, loss: Int(seed % 3) * 5)
        line.run(for: .seconds(20))
        let before = line
        for _ in 0..<3 {
            let ours = ICECredentials.random(using: &line.random)
            let theirs = ICECredentials.random(using: &line.random)
            line.full.restart(local: ours, now: line.now)
            // The offer and its answer take their time; checks and their answers of before are still under way.
            line.run(for: .milliseconds(Int.random(in: 20...400, using: &line.random)))
            line.lite.restart(local: theirs, remoteUfrag: ours.ufrag)
            line.run(for: .milliseconds(Int.random(in: 20...400, using: &line.random)))
            line.full.setRemote(theirs, candidates: [ICELine.server], now: line.now)
            line.run(for: .seconds(20))
            #expect(line.full.state == .connected(ICELine.server) && !line.lite.isRestarting)
            #expect(line.lite.localFragments == [theirs.ufrag] && line.lite.selected == line.home)
        }
        #expect(line.withoutPair == before.withoutPair)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `after a cut both sides end within consent's lifetime and ask nothing more`(seed: UInt64) {
        var line = ICELine(seed: seed, loss: 5)
        line.run(for: .seconds(20))
        let cut = line.now
        (line.up.loss, line.down.loss) = (100, 100)
        line.run(for: .seconds(31))
        #expect(line.full.state == .failed && line.full.deadline == nil && !line.lite.hasConsent(now: line.now))
        #expect(line.lite.deadline <= cut + ICELiteAgent.consentLifetime + .milliseconds(300))
        let requests = line.requests
        line.run(for: .seconds(60))
        #expect(line.requests == requests && line.up.nextArrival == nil && line.down.nextArrival == nil)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `a line that loses 40 percent each way does not end consent in an hour`(seed: UInt64) {
        var line = ICELine(seed: seed, loss: 0)
        line.run(for: .seconds(20))
        (line.up.loss, line.down.loss) = (40, 40)
        for _ in 0..<60 { line.run(for: .seconds(60)) }
        #expect(line.full.state == .connected(ICELine.server) && line.lite.hasConsent(now: line.now))
        // Each five seconds, and each one while three of them are unanswered: no more than twice as many.
        #expect(line.requests <= 3_600 / 5 * 2)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `an endpoint that takes itself to be controlled is told by the server, and connects`(seed: UInt64) {
        var line = ICELine(seed: seed, loss: Int(seed % 3) * 5)
        line.full.isControlling = false
        line.run(for: .seconds(30))
        #expect(line.full.isControlling && line.full.state == .connected(ICELine.server) && line.lite.selected == line.home)
    }

    @Test func `a silent candidate is asked twice a second for half a minute, and given up eight seconds after that`() {
        let start = Instant(sinceStart: .seconds(1))
        var random = SeededGenerator(seed: 1)
        var agent = ICEControllingAgent(local: .random(using: &random), seed: 1, now: start)
        agent.setRemote(.random(using: &random), candidates: [ICELine.dead], now: start)
        var times: [Duration] = []
        var now = start
        for _ in 0..<100 {
            guard let next = agent.deadline else { break }
            now = max(now, next)
            var question: [UInt8] = []
            while agent.poll(now: now, into: &question) != nil { times.append(now - start) }
        }
        #expect(times == (0..<60).map { .milliseconds($0 * 500) })
        #expect(agent.state == .failed && now - start == .milliseconds(37_500) && agent.deadline == nil)
    }

    @Test func `many silent candidates are asked no more often than one each 50 ms`() {
        let start = Instant(sinceStart: .seconds(1))
        var random = SeededGenerator(seed: 2)
        var agent = ICEControllingAgent(local: .random(using: &random), seed: 2, now: start)
        let places = (0..<16).map { TransportAddress(ipv4: 0x0a00_0001 + UInt32($0), port: 9) }
        agent.setRemote(.random(using: &random), candidates: places, now: start)
        var (now, requests) = (start, 0)
        while let next = agent.deadline, max(now, next) < start + .seconds(20) {
            now = max(now, next)
            var question: [UInt8] = []
            while agent.poll(now: now, into: &question) != nil { requests += 1 }
        }
        #expect((320...401).contains(requests), "\(requests)")
    }

    /// What a line takes from both ways: an endpoint used to ask seven times in all.
    @Test func `over lines that lose three of ten each way the agents have a pair within ten seconds`() {
        var slowest = Duration.zero
        for seed in 0..<200 as Range<UInt64> {
            var line = ICELine(seed: seed, loss: 30)
            let start = line.now
            while line.full.selected == nil, line.now - start < .seconds(30) { line.run(for: .milliseconds(100)) }
            slowest = max(slowest, line.now - start)
        }
        #expect(slowest < .seconds(10), "\(slowest)")
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `two full agents that both want to control agree over a bad line who does`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let names = [ICECredentials.random(using: &random), ICECredentials.random(using: &random)]
        let places = [TransportAddress(ipv4: 1, port: 1), TransportAddress(ipv4: 2, port: 2)]
        var now = Instant(sinceStart: .seconds(1))
        var agents = [0, 1].map { ICEControllingAgent(local: names[$0], seed: random.next(), now: now) }
        for side in [0, 1] { agents[side].setRemote(names[1 - side], candidates: [places[1 - side]], now: now) }
        var lines = [0, 1].map {
            SimulatedLink<[UInt8]>(
                seed: seed &+ 300 &+ UInt64($0), loss: Int(seed % 3) * 5, duplication: 20, delay: .milliseconds(20),
                jitter: .milliseconds(80))
        }
        let end = now + .seconds(60)
        var steps = 0
        while let next = (agents.map(\.deadline) + lines.map(\.nextArrival)).compactMap({ $0 }).min(), next <= end {
            steps += 1
            guard steps < 20_000 else {
                Issue.record("a deadline does not move on")
                return
            }
            now = max(now, next)
            for side in [0, 1] {
                for datagram in lines[side].arrivals(now: now) {
                    var answer: [UInt8] = []
                    let outcome = agents[side].handle(datagram.span.bytes, from: places[1 - side], now: now, answer: &answer)
                    if outcome == .answered { lines[1 - side].send(answer, now: now) }
                }
                var question: [UInt8] = []
                while agents[side].poll(now: now, into: &question) != nil { lines[1 - side].send(question, now: now) }
            }
        }
        #expect(agents[0].isControlling != agents[1].isControlling)
        #expect(agents[0].state == .connected(places[1]) && agents[1].state == .connected(places[0]))
    }
}
