import Base
import RTP
import TestSupport
import Testing

@testable import ICE

struct ICELiteAgentTests {
    let local = ICECredentials(ufrag: "serverUf", password: "serverPasswordOf24Letter")
    let here = Instant(sinceStart: .seconds(1))
    let home = TransportAddress(ipv4: 0xc000_0201, port: 5_000)
    let other = TransportAddress(ipv4: 0xc000_0202, port: 6_000)
    var agent: ICELiteAgent
    var answer: [UInt8] = []

    init() { agent = ICELiteAgent(local: local, remoteUfrag: "peer", now: here) }

    func check(
        _ name: String = "serverUf:peer", password: String = "serverPasswordOf24Letter", nominates: Bool = false, controlling: Bool = true,
        priority: UInt32 = 100, unknown: Bool = false
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        let writer = STUNWriter(.request, transaction: TransactionID(high: 1, low: 2), into: &bytes)
        writer.username(Array(name.utf8), into: &bytes)
        writer.priority(priority, into: &bytes)
        writer.role(isControlling: controlling, tieBreaker: 5, into: &bytes)
        if unknown { bytes += [0x7f, 0x00, 0, 0] }
        if nominates { writer.useCandidate(into: &bytes) }
        writer.finish(key: Array(password.utf8), into: &bytes)
        return bytes
    }

    mutating func receive(_ bytes: [UInt8], from source: TransportAddress? = nil, at now: Instant? = nil) -> ICELiteAgent.Outcome {
        agent.handle(bytes.span.bytes, from: source ?? home, now: now ?? here, answer: &answer)
    }

    @Test mutating func `a proven check is answered with the address that it came from`() throws {
        #expect(receive(check()) == .answered)
        let message = try STUNMessage(answer)
        #expect(message.messageClass == .success && message.mappedAddress == home && message.transaction.low == 2)
        #expect(message.isIntact(answer, key: Array(local.password.utf8)))
        #expect(agent.selected == nil && agent.sendAddress == home && agent.isProven(home, now: here))
    }

    @Test mutating func `what is not proven gets nothing and is counted by its reason`() throws {
        #expect(receive(check(password: "wrongPasswordOf24Letters")) == .dropped(.wrongIntegrity) && answer.isEmpty)
        #expect(receive(check("someone:peer")) == .dropped(.foreignUsername) && answer.isEmpty)
        #expect(receive([1, 2, 3]) == .dropped(.malformed) && answer.isEmpty)
        var bare: [UInt8] = []
        STUNWriter(.request, transaction: TransactionID(high: 1, low: 2), into: &bare).username(Array("serverUf:peer".utf8), into: &bare)
        bare[3] = UInt8(bare.count - 20)
        #expect(receive(bare) == .dropped(.missingIntegrity) && answer.isEmpty)
        #expect(agent.sendAddress == nil && !agent.isProven(home, now: here))
    }

    @Test mutating func `an answer is never larger than the question of an unproven address`() {
        var bytes: [UInt8] = []
        let writer = STUNWriter(.request, transaction: TransactionID(high: 1, low: 2), into: &bytes)
        writer.username(Array("serverUf:peer".utf8), into: &bytes)
        writer.finish(key: Array(local.password.utf8), into: &bytes)
        let six = TransportAddress(ipv6High: 0x2001_0db8_0000_0000, low: 1, port: 9)
        #expect(receive(bytes, from: six) == .dropped(.wouldAmplify) && answer.isEmpty)
        for (name, source) in [("serverUf:peer", home), ("serverUf:peer", six)] {
            let question = check(name)
            #expect(receive(question, from: source) == .answered && answer.count <= question.count)
        }
    }

    @Test mutating func `a peer that claims to be controlled is told of the conflict`() throws {
        #expect(receive(check(nominates: true, controlling: false)) == .answered)
        #expect(try STUNMessage(answer).errorCode == 487)
        #expect(agent.selected == nil)
    }

    @Test mutating func `an attribute that must be understood and is not gets 420`() throws {
        #expect(receive(check(nominates: true, unknown: true)) == .answered)
        #expect(try STUNMessage(answer).errorCode == 420)
        #expect(agent.selected == nil)
    }

    @Test mutating func `nomination selects, a lower priority waits until the first is silent`() {
        #expect(receive(check(nominates: true, priority: 100)) == .nominated(home))
        #expect(receive(check(nominates: true, priority: 50), from: other, at: here + .seconds(1)) == .answered)
        #expect(agent.selected == home)
        #expect(receive(check(nominates: true, priority: 50), from: other, at: here + .seconds(8)) == .nominated(other))
        #expect(receive(check(nominates: true, priority: 100), from: home, at: here + .seconds(9)) == .nominated(home))
    }

    @Test mutating func `consent ends thirty seconds after the last proven check`() {
        #expect(receive(check(nominates: true), at: here + .seconds(5)) == .nominated(home))
        _ = receive(check(password: "wrongPasswordOf24Letters"), at: here + .seconds(20))
        #expect(agent.deadline == here + .seconds(35))
        #expect(agent.hasConsent(now: here + .seconds(34)) && !agent.hasConsent(now: here + .seconds(35)))
    }

    @Test mutating func `a restart keeps the old pair until the new credentials nominate`() {
        _ = receive(check(nominates: true))
        agent.restart(local: ICECredentials(ufrag: "fresh", password: "freshPasswordOf24Letters"), remoteUfrag: "peer2")
        #expect(agent.selected == home && agent.isRestarting && agent.localCredentials.ufrag == "fresh")
        #expect(receive(check(nominates: true, priority: 200), from: other) == .answered && agent.selected == home)
        let fresh = check("fresh:peer2", password: "freshPasswordOf24Letters", nominates: true, priority: 1)
        #expect(receive(fresh, from: other) == .nominated(other) && !agent.isRestarting)
        #expect(receive(check()) == .dropped(.foreignUsername))
    }
}
