import Base
import RTP
import TestSupport
import Testing

@testable import ICE

/// Both agents in virtual time, with a line between them that loses.
struct ICEConversation {
    let server = TransportAddress(ipv4: 0xc000_0201, port: 5_000)
    let client = TransportAddress(ipv4: 0xc000_0202, port: 6_000)
    var now = Instant(sinceStart: .seconds(1))
    var lite: ICELiteAgent
    var full: ICEControllingAgent
    var random: SeededGenerator
    var lossPercent = 0
    var requests = 0

    init(seed: UInt64, candidates: [TransportAddress]? = nil) {
        random = SeededGenerator(seed: seed)
        let ours = ICECredentials.random(using: &random)
        let theirs = ICECredentials.random(using: &random)
        lite = ICELiteAgent(local: theirs, remoteUfrag: ours.ufrag, now: now)
        full = ICEControllingAgent(local: ours, seed: seed, now: now)
        full.setRemote(theirs, candidates: candidates ?? [server], now: now)
    }

    mutating func run(for duration: Duration) {
        let end = now + duration
        var question: [UInt8] = []
        var answer: [UInt8] = []
        while let deadline = full.deadline, max(deadline, now) <= end {
            now = max(deadline, now)
            while let address = full.poll(now: now, into: &question) {
                requests += 1
                guard address == server, Int.random(in: 0..<100, using: &random) >= lossPercent else { continue }
                if case .dropped = lite.handle(question.span.bytes, from: client, now: now, answer: &answer) { continue }
                guard Int.random(in: 0..<100, using: &random) >= lossPercent else { continue }
                _ = full.handle(answer.span.bytes, from: server, now: now + .milliseconds(20), answer: &question)
            }
            now += .milliseconds(1)
        }
        now = end
    }
}

struct ICEControllingAgentTests {
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `the agents connect over a line that loses a tenth, and stay connected`(seed: UInt64) {
        var talk = ICEConversation(seed: seed)
        talk.lossPercent = 10
        talk.run(for: .seconds(30))
        #expect(talk.full.state == .connected(talk.server) && talk.lite.selected == talk.client)
        talk.run(for: .seconds(120))
        #expect(talk.full.state == .connected(talk.server) && talk.lite.hasConsent(now: talk.now))
        #expect(talk.requests > 22 && talk.requests < 60)
    }

    @Test func `a dead line ends consent after thirty seconds`() {
        var talk = ICEConversation(seed: 1)
        talk.run(for: .seconds(2))
        #expect(talk.full.state == .connected(talk.server))
        talk.lossPercent = 100
        talk.run(for: .seconds(27))
        #expect(talk.full.state == .connected(talk.server))
        talk.run(for: .seconds(10))
        #expect(talk.full.state == .failed && talk.full.deadline == nil && !talk.lite.hasConsent(now: talk.now))
    }

    @Test func `of several candidates the one that answers is taken, and none is failure`() {
        let dead = TransportAddress(ipv4: 0x0a00_0001, port: 9)
        var talk = ICEConversation(seed: 2, candidates: [dead, ICEConversation(seed: 2).server])
        talk.run(for: .seconds(2))
        #expect(talk.full.selected == talk.server)
        var deaf = ICEConversation(seed: 3, candidates: [dead])
        deaf.run(for: .seconds(60))
        #expect(deaf.full.state == .failed && deaf.requests == ICEControllingAgent.maximumRequests)
    }

    @Test func `a restart goes on with the old pair until the new one is nominated`() {
        var talk = ICEConversation(seed: 4)
        talk.run(for: .seconds(2))
        let ours = ICECredentials.random(using: &talk.random)
        let theirs = ICECredentials.random(using: &talk.random)
        talk.full.restart(local: ours, now: talk.now)
        talk.lite.restart(local: theirs, remoteUfrag: ours.ufrag)
        #expect(talk.full.selected == talk.server && talk.lite.selected == talk.client)
        talk.full.setRemote(theirs, candidates: [talk.server], now: talk.now)
        talk.run(for: .seconds(2))
        #expect(talk.full.state == .connected(talk.server) && !talk.lite.isRestarting && talk.lite.selected == talk.client)
    }

    @Test func `a role conflict with another full agent leaves one in control`() throws {
        var random = SeededGenerator(seed: 5)
        let names = (ICECredentials.random(using: &random), ICECredentials.random(using: &random))
        let places = (TransportAddress(ipv4: 1, port: 1), TransportAddress(ipv4: 2, port: 2))
        var now = Instant(sinceStart: .seconds(1))
        var first = ICEControllingAgent(local: names.0, seed: 10, now: now)
        var second = ICEControllingAgent(local: names.1, seed: 20, now: now)
        first.setRemote(names.1, candidates: [places.1], now: now)
        second.setRemote(names.0, candidates: [places.0], now: now)
        var (question, answer, unused): ([UInt8], [UInt8], [UInt8]) = ([], [], [])
        for _ in 0..<100 {
            while first.poll(now: now, into: &question) != nil {
                guard second.handle(question.span.bytes, from: places.0, now: now, answer: &answer) == .answered else { continue }
                _ = first.handle(answer.span.bytes, from: places.1, now: now, answer: &unused)
            }
            while second.poll(now: now, into: &question) != nil {
                guard first.handle(question.span.bytes, from: places.1, now: now, answer: &answer) == .answered else { continue }
                _ = second.handle(answer.span.bytes, from: places.0, now: now, answer: &unused)
            }
            now += .milliseconds(100)
        }
        #expect(first.isControlling != second.isControlling)
        #expect(first.state == .connected(places.1) && second.state == .connected(places.0))
    }
}
