import Base
import RTP
import TestSupport
import Testing

/// A speaker with pauses, the line, and a mixer that takes 20 ms of sound each 20 ms, in virtual time and over both wraps.
private struct SoundConversation {
    struct Packet {
        var number: Int
        var sequence: UInt16
        var timestamp: UInt32
    }

    var line: SimulatedLink<Packet>
    var buffer = JitterBuffer()
    private var random: SeededGenerator
    private var now = Instant(sinceStart: .seconds(1))
    private var room = [UInt8](repeating: 0, count: 1_500)
    private let firstSequence: UInt16
    private let firstTimestamp: UInt32
    private var tick = 0
    private var spurt = 20
    private var isSpeaking = true
    private(set) var sent: [Instant] = []
    private(set) var arrived = 0
    /// Numbers of what was played, and how long after it was sent.
    private(set) var played: [(number: Int, age: Duration)] = []
    private(set) var answers: [JitterBuffer.Next] = []

    init(seed: UInt64, loss: Int, duplication: Int, jitter: Duration) {
        random = SeededGenerator(seed: seed)
        line = SimulatedLink(seed: seed &+ 500, loss: loss, duplication: duplication, delay: .milliseconds(30), jitter: jitter)
        firstSequence = UInt16(65_535 - Int.random(in: 0...300, using: &random))
        firstTimestamp = UInt32.max - UInt32.random(in: 0...600_000, using: &random)
    }

    mutating func run(ticks: Int, isSilent: Bool = false, pauses: Bool = true) {
        for _ in 0..<ticks {
            speak(isSilent: isSilent, pauses: pauses)
            // The mixer's ticks and the speaker's are not in step.
            let turn = now + .milliseconds(7)
            while let next = line.nextArrival, next <= turn { for packet in line.arrivals(now: next) { arrive(packet, at: next) } }
            listen(at: turn)
            now += .milliseconds(20)
            tick += 1
        }
    }

    private mutating func speak(isSilent: Bool, pauses: Bool) {
        spurt -= 1
        if spurt <= 0, pauses {
            isSpeaking.toggle()
            spurt = Int.random(in: isSpeaking ? 5...120 : 10...60, using: &random)
        }
        guard isSpeaking, !isSilent else { return }
        let packet = Packet(
            number: sent.count, sequence: firstSequence &+ UInt16(truncatingIfNeeded: sent.count),
            timestamp: firstTimestamp &+ UInt32(960 * tick))
        sent.append(now)
        line.send(packet, now: now)
    }

    private mutating func arrive(_ packet: Packet, at time: Instant) {
        arrived += 1
        let payload = [UInt8(packet.number >> 8), UInt8(packet.number & 255), 0xfc]
        buffer.insert(payload.span, ssrc: 9, sequenceNumber: packet.sequence, timestamp: packet.timestamp, now: time)
    }

    private mutating func listen(at time: Instant) {
        // As a decoder that makes its sound shorter by a packet, at most each fourth tick: it asks for one more.
        if buffer.excess >= 960, tick % 4 == 0 {
            buffer.shortened(by: 960)
            ask(at: time)
        }
        ask(at: time)
    }

    private mutating func ask(at time: Instant) {
        var payload = room
        var span = payload.mutableSpan
        let answer = buffer.next(now: time, into: &span)
        room = payload
        answers.append(answer)
        guard case .packet = answer else { return }
        let number = Int(room[0]) << 8 | Int(room[1])
        played.append((number, time - sent[number]))
    }
}

struct SoundConversationTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func `whatever the line does, each packet is played once and in order, or its end is counted`(seed: UInt64) {
        var talk = SoundConversation(
            seed: seed, loss: Int(seed % 4) * 5, duplication: Int(seed % 3) * 10, jitter: .milliseconds(Int(seed % 5) * 15))
        talk.run(ticks: 1_500)
        talk.run(ticks: 60, isSilent: true)
        #expect(zip(talk.played, talk.played.dropFirst()).allSatisfy { $0.number < $1.number })
        let counted = talk.buffer.statistics
        #expect(counted.received == UInt64(talk.arrived) && talk.arrived == talk.sent.count - talk.line.lost + talk.line.doubled)
        // Played, there already, too late, or left out for the delay: nothing goes without a trace.
        #expect(counted.received == UInt64(talk.played.count) + counted.duplicate + counted.late + counted.discarded)
        #expect(talk.played.count > talk.sent.count * 7 / 10)
        // Half the way of the line and its jitter twice, and what a pause may leave: never seconds.
        #expect(talk.played.allSatisfy { $0.age <= .milliseconds(330) })
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `at the end nothing waits`(seed: UInt64) {
        var talk = SoundConversation(seed: seed, loss: 10, duplication: 10, jitter: .milliseconds(60))
        talk.run(ticks: 800)
        talk.run(ticks: 60, isSilent: true)
        #expect(talk.answers.last == .nothing && talk.line.nextArrival == nil)
        let waits = talk.buffer.skipTick(now: Instant(sinceStart: .seconds(60)))
        #expect(!waits)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `on a line that only delays nothing is lost, left out or made up while somebody speaks`(seed: UInt64) {
        var talk = SoundConversation(seed: seed, loss: 0, duplication: 0, jitter: .zero)
        talk.run(ticks: 1_000, pauses: false)
        let counted = talk.buffer.statistics
        #expect(counted.lost + counted.late + counted.discarded + counted.duplicate == 0)
        #expect(talk.played.map(\.number) == Array(0..<talk.played.count) && talk.played.count >= 990)
        #expect(talk.played.allSatisfy { $0.age <= .milliseconds(100) })
    }
}
