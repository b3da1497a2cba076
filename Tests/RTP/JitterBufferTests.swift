import Base
import TestSupport
import Testing

@testable import RTP

struct JitterBufferTests {
    private var payload = [UInt8](repeating: 0, count: 1_500)
    private let start = Instant(sinceStart: .seconds(10))

    private func insert(_ index: Int, into buffer: inout JitterBuffer, first: UInt16 = 0, at milliseconds: Double, timestamp: UInt32? = nil)
    {
        buffer.insert(
            [UInt8(truncatingIfNeeded: index), 1].span, sequenceNumber: first &+ UInt16(truncatingIfNeeded: index),
            timestamp: timestamp ?? UInt32(truncatingIfNeeded: index * 960), now: start + .microseconds(Int64(milliseconds * 1_000)))
    }

    private mutating func next(_ buffer: inout JitterBuffer, at milliseconds: Double) -> JitterBuffer.Next {
        var room = payload
        var span = room.mutableSpan
        let answer = buffer.next(now: start + .microseconds(Int64(milliseconds * 1_000)), into: &span)
        payload = room
        return answer
    }

    @Test(arguments: firstNumbers)
    mutating func `on a clean line every packet is played in order, at most 30 ms after it came`(first: UInt16) {
        var buffer = JitterBuffer()
        var played: [UInt8] = []
        for tick in 0..<200 {
            insert(tick, into: &buffer, first: first, at: Double(tick) * 20 + 3)
            if case .packet = next(&buffer, at: Double(tick) * 20 + 10) { played.append(payload[0]) }
        }
        // Of 200 that came, at most two wait.
        #expect(played == (0..<played.count).map { UInt8(truncatingIfNeeded: $0) } && played.count >= 198)
        #expect(buffer.statistics.discarded == 0 && buffer.statistics.targetMilliseconds <= 30)
    }

    @Test mutating func `a lost packet is recovered from its successor, which is then played itself`() {
        var buffer = JitterBuffer()
        var answers: [JitterBuffer.Next] = []
        for tick in 0..<50 {
            if tick != 20 { insert(tick, into: &buffer, at: Double(tick) * 20) }
            if tick > 1 { answers.append(next(&buffer, at: Double(tick) * 20 + 1)) }
        }
        let place = answers.firstIndex(of: .recover(length: 2))
        #expect(place != nil && answers.filter { $0 == .recover(length: 2) }.count == 1)
        if let place { #expect(answers[place + 1] == .packet(length: 2)) }
        #expect(buffer.statistics.lost == 1 && buffer.statistics.recovered == 1)
    }

    @Test mutating func `a sender that stops is concealed five times, then there is silence, and it is heard again`() {
        var buffer = JitterBuffer()
        for tick in 0..<30 {
            insert(tick, into: &buffer, at: Double(tick) * 20)
            _ = next(&buffer, at: Double(tick) * 20 + 1)
        }
        var answers: [JitterBuffer.Next] = []
        for tick in 30..<60 { answers.append(next(&buffer, at: Double(tick) * 20 + 1)) }
        #expect(answers.filter { $0 == .conceal }.count == 5 && answers.last == .nothing)
        var heard = 0
        for tick in 60..<80 {
            insert(tick - 30, into: &buffer, at: Double(tick) * 20, timestamp: UInt32(tick * 960))
            if case .packet = next(&buffer, at: Double(tick) * 20 + 1) { heard += 1 }
        }
        #expect(heard >= 17)
    }

    @Test mutating func `a burst after a standstill does not stay as delay`() {
        var buffer = JitterBuffer()
        for tick in 0..<50 {
            insert(tick, into: &buffer, at: Double(tick) * 20)
            _ = next(&buffer, at: Double(tick) * 20 + 1)
        }
        for index in 50..<90 { insert(index, into: &buffer, at: 1_800) }
        var waiting = 0
        for tick in 90..<1_500 {
            insert(tick, into: &buffer, at: Double(tick) * 20)
            // As a decoder that makes its sound shorter by a packet: it asks for the next one.
            if buffer.excess >= 960 {
                buffer.shortened(by: 960)
                _ = next(&buffer, at: Double(tick) * 20 + 1)
            }
            if case .packet = next(&buffer, at: Double(tick) * 20 + 1) { waiting = tick - Int(payload[0]) & 0xff }
        }
        #expect(buffer.statistics.discarded >= 20 && waiting & 0xff <= 14)
    }

    @Test mutating func `another SSRC begins anew, and a played number that comes again is not played again`() {
        var buffer = JitterBuffer()
        for tick in 0..<20 {
            insert(tick, into: &buffer, at: Double(tick) * 20)
            _ = next(&buffer, at: Double(tick) * 20 + 1)
        }
        for index in 10..<18 { insert(index, into: &buffer, at: 420) }
        #expect(buffer.statistics.late == 8)
        buffer.insert([77].span, ssrc: 5, sequenceNumber: 40_000, timestamp: 3, now: start + .milliseconds(440))
        buffer.insert([78].span, ssrc: 5, sequenceNumber: 40_001, timestamp: 963, now: start + .milliseconds(460))
        #expect(next(&buffer, at: 480) == .packet(length: 1) && payload[0] == 77)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    mutating func `whatever the line does, order is kept and most of what comes is heard`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var buffer = JitterBuffer()
        var arrivals: [(at: Double, index: Int)] = []
        for index in 0..<1_000 where Int.random(in: 0..<100, using: &random) >= 5 {
            arrivals.append((Double(index) * 20 + Double.random(in: 0..<60, using: &random), index))
        }
        arrivals.sort { $0.at < $1.at }
        var played: [Int] = []
        var place = 0
        for tick in 0..<1_010 {
            let now = Double(tick) * 20
            while place < arrivals.count, arrivals[place].at <= now {
                insert(arrivals[place].index, into: &buffer, at: arrivals[place].at)
                place += 1
            }
            for _ in 0..<2 {
                let answer = next(&buffer, at: now)
                if case .recover = answer { continue }
                if case .packet = answer { played.append(Int(payload[0])) }
                break
            }
        }
        for (one, other) in zip(played, played.dropFirst()) { #expect((other - one) & 0xff < 128) }
        #expect(played.count > arrivals.count * 85 / 100)
    }
}
