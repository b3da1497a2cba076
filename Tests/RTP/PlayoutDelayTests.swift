import Base
import TestSupport
import Testing

@testable import RTP

/// A speaker who never pauses, a line whose delay is a function of time, and a mixer with a decoder that cuts and repeats periods of 8 ms, as `VoiceDecoder`
/// does: how late sound is, over minutes and hours of virtual time.
private struct Playout {
    struct Packet { var arrival, sent: Double }

    var buffer = JitterBuffer()
    /// Of the sender's clock against ours.
    var partsPerMillion = 0.0
    var packetSamples = 960
    /// In ms: what a packet sent then takes, nil where it is lost.
    var way: (_ at: Double, _ number: Int) -> Double? = { _, _ in 30 }
    var copies = false
    private(set) var delays: [(at: Double, delay: Double)] = []
    private(set) var played = 0
    private var held = 0
    private var sinceStretch = 0
    private var underWay: [(arrival: Double, number: Int)] = []
    private var sent: [Double] = []
    private var now = 1_000.0
    private var room = [UInt8](repeating: 0, count: 1_500)

    /// - Parameter late: by how many ms the mixer's tick is late, by its number.
    mutating func run(seconds: Double, late: (Int) -> Double = { _ in 0 }) {
        let end = now + seconds * 1_000
        while now < end {
            send(until: now)
            let tick = now + 7 + late(Int(now / 20))
            let here = underWay.filter { $0.arrival <= tick }.sorted { $0.arrival < $1.arrival }
            underWay.removeAll { $0.arrival <= tick }
            for packet in here { arrive(packet.number, at: packet.arrival) }
            pull(at: tick)
            now += 20
        }
    }

    private var period: Double { Double(packetSamples) / 48 * (1 - partsPerMillion / 1e6) }

    private mutating func send(until time: Double) {
        while 1_000 + Double(sent.count) * period <= time {
            let at = 1_000 + Double(sent.count) * period
            if let takes = way(at - 1_000, sent.count) {
                underWay.append((at + takes, sent.count))
                if copies { underWay.append((at + takes + 70, sent.count)) }
            }
            sent.append(at)
        }
    }

    private mutating func arrive(_ number: Int, at time: Double) {
        let payload = [UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)]
        buffer.insert(
            payload.span, ssrc: 3, sequenceNumber: 60_000 &+ UInt16(truncatingIfNeeded: number),
            timestamp: 4_000_000_000 &+ UInt32(truncatingIfNeeded: number * packetSamples), now: Self.instant(time))
    }

    private static func instant(_ milliseconds: Double) -> Instant { Instant(nanoseconds: Int64(milliseconds * 1e6)) }

    private mutating func pull(at time: Double) {
        while held < 960 {
            let before = held
            switch ask(at: time) {
            case .packet:
                let number = Int(room[0]) << 16 | Int(room[1]) << 8 | Int(room[2])
                delays.append((time - 1_000, time + Double(before) / 48 - sent[number]))
                played += 1
                held += packetSamples
                stretch()
            case .recover, .conceal: held += packetSamples
            case .nothing:
                held = 0
                return
            }
        }
        held -= 960
    }

    private mutating func ask(at time: Double) -> JitterBuffer.Next {
        var payload = room
        var span = payload.mutableSpan
        let answer = buffer.next(now: Self.instant(time), held: held, into: &span)
        room = payload
        return answer
    }

    private mutating func stretch() {
        sinceStretch += packetSamples
        guard buffer.excess != 0, sinceStretch >= (buffer.excess > 0 && buffer.excess < 4_800 ? 3_840 : 1_920) else { return }
        let shorter = buffer.excess > 0 ? min(buffer.excess, 384) : -384
        buffer.shortened(by: shorter)
        (held, sinceStretch) = (held - shorter, 0)
    }

    /// The most and the least delay beyond the way's 30 ms between two moments, in s.
    func spread(_ from: Double, _ to: Double) -> (least: Double, most: Double) {
        let some = delays.lazy.filter { $0.at >= from * 1_000 && $0.at < to * 1_000 }.map { $0.delay - 30 }
        return (some.min() ?? .infinity, some.max() ?? .infinity)
    }
}

struct PlayoutDelayTests {
    @Test(arguments: [0, 3, 6.5, 9, 12.9, 13.1, 16, 19.9])
    func `on a clean line nothing is concealed, left out or late, whatever the ticks' phase, and sound waits 48 ms at most`(phase: Double) {
        var playout = Playout()
        playout.way = { _, _ in 30 + phase }
        // A tick of the mixer is late now and then.
        playout.run(seconds: 120) { $0 % 50 == 3 ? 9 : 0 }
        let counted = playout.buffer.statistics
        #expect(counted.concealed + counted.lost + counted.late + counted.discarded + counted.duplicate == 0)
        #expect(counted.samplesLengthened == 0 && counted.samplesShortened <= 960)
        let spread = playout.spread(2, 120)
        #expect(spread.least >= 20 && spread.most <= 48 + phase)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `ten seconds after a storm of half a second the delay is what it was`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var playout = Playout()
        var last = 0.0
        let storm = (0..<1_100).map { _ in Double.random(in: 0...500, using: &random) }
        playout.way = { at, number in
            guard at >= 20_000, at < 30_000 else { return 30 }
            // Nothing overtakes.
            last = max(last, at + 30 + storm[number % 1_100])
            return last - at
        }
        playout.run(seconds: 31)
        let during = playout.buffer.statistics.discarded
        playout.run(seconds: 29)
        let before = playout.spread(10, 20)
        #expect(before.most < 50)
        #expect(playout.spread(25, 30).most > 200)
        let after = playout.spread(40, 60)
        #expect(after.most <= before.most + 5, "\(after) \(before)")
        // Not a packet was left out to get there; in the storm itself standstills are longer than anybody waits.
        #expect(playout.buffer.statistics.samplesShortened > 48 * 150 && playout.buffer.statistics.discarded == during && during < 60)
    }

    @Test(arguments: [(-200.0, 25.0, 3_600.0), (200, 25, 3_600), (-50, 0, 900), (50, 0, 900), (-200, 0, 900), (200, 0, 900)])
    func `a sender's clock is followed for an hour without a hole, and sound is never later or sooner than it should be`(
        partsPerMillion: Double, jitter: Double, seconds: Double
    ) {
        var random = SeededGenerator(seed: 11)
        var playout = Playout()
        playout.partsPerMillion = partsPerMillion
        let noise = (0..<997).map { _ in Double.random(in: 0...jitter, using: &random) }
        var last = 0.0
        playout.way = { at, number in
            last = max(last, at + 30 + noise[number % 997])
            return last - at
        }
        playout.run(seconds: seconds)
        let counted = playout.buffer.statistics
        #expect(counted.concealed <= 2 && counted.lost + counted.late + counted.discarded == 0, "\(counted)")
        let spread = playout.spread(20, seconds)
        #expect(spread.least >= jitter && spread.most <= jitter + 70, "\(spread)")
        // What the clocks moved apart, and little to and fro besides.
        let drift = abs(partsPerMillion) * seconds * 48_000 / 1e6
        let net = Double(counted.samplesShortened) - Double(counted.samplesLengthened)
        #expect(abs(abs(net) - drift) < 4_000)
        #expect(Double(counted.samplesShortened + counted.samplesLengthened) < drift + 20_000, "\(counted)")
    }

    @Test(arguments: 0..<10 as Range<UInt64>, [(30.0, true), (80, true), (80, false)])
    func `jitter and reordering cost nothing once they are known, and no more delay than they demand`(
        seed: UInt64, line: (jitter: Double, overtakes: Bool)
    ) {
        var random = SeededGenerator(seed: seed)
        var playout = Playout()
        let noise = (0..<2_100).map { _ in Double.random(in: 0...line.jitter, using: &random) }
        var last = 0.0
        playout.way = { at, number in
            let arrival = at + 30 + noise[number % 2_100]
            last = line.overtakes ? arrival : max(last, arrival)
            return last - at
        }
        playout.run(seconds: 5)
        let learnt = playout.buffer.statistics
        playout.run(seconds: 35)
        let counted = playout.buffer.statistics
        #expect(counted.concealed - learnt.concealed <= 1 && counted.late - learnt.late + counted.discarded <= 1, "\(counted)")
        #expect(learnt.concealed + learnt.late < 25, "\(learnt)")
        #expect(playout.spread(10, 40).most <= line.jitter + 40)
    }

    @Test func `copies and packets that are a second late change nothing`() {
        var playout = Playout()
        playout.copies = true
        playout.way = { _, number in number % 400 == 399 ? 930 : 30 }
        playout.run(seconds: 60)
        let counted = playout.buffer.statistics
        #expect(counted.discarded == 0 && counted.lost == 7 && playout.spread(2, 60).most <= 60, "\(counted) \(playout.spread(2, 60))")
    }

    @Test(arguments: [0.1, 0.2])
    func `packets lost in bursts leave the delay as it is`(loss: Double) {
        var random = SeededGenerator(seed: 5)
        var playout = Playout()
        var left = 0
        playout.way = { _, _ in
            if left == 0, Double.random(in: 0..<1, using: &random) < loss / 3 { left = 3 }
            guard left > 0 else { return 30 }
            left -= 1
            return nil
        }
        playout.run(seconds: 60)
        let counted = playout.buffer.statistics
        #expect(playout.spread(2, 60).most <= 50 && playout.spread(2, 60).least >= 20 && counted.discarded == 0)
        // The last of three is taken from its successor.
        #expect(counted.recovered * 4 > counted.lost, "\(counted)")
    }

    @Test(arguments: [480, 1_920, 2_880])
    func `packets of other lengths are played as well`(samples: Int) {
        var playout = Playout()
        playout.packetSamples = samples
        playout.partsPerMillion = 200
        playout.run(seconds: 300)
        let counted = playout.buffer.statistics
        #expect(counted.concealed + counted.lost + counted.late + counted.discarded == 0, "\(counted)")
        #expect(playout.spread(5, 300).most <= 70, "\(playout.spread(5, 300))")
    }

    @Test(arguments: [-40_000_000, -480_000, 480_000, 40_000_000])
    func `a sender whose timestamps jump is heard on within a quarter of a second`(jump: Int) {
        var buffer = JitterBuffer()
        var room = [UInt8](repeating: 0, count: 1_500)
        var answers: [Bool] = []
        for tick in 0..<500 {
            let now = Instant(sinceStart: .seconds(100) + .milliseconds(20 * tick))
            let timestamp = 960 * tick + (tick < 250 ? 0 : jump)
            buffer.insert([1, 2].span, sequenceNumber: UInt16(tick), timestamp: UInt32(truncatingIfNeeded: timestamp), now: now)
            var span = room.mutableSpan
            if case .packet = buffer.next(now: now + .milliseconds(3), into: &span) { answers.append(true) } else { answers.append(false) }
        }
        #expect(answers[5..<250].allSatisfy { $0 } && answers[262...].allSatisfy { $0 })
        #expect(buffer.statistics.delayMilliseconds < 60)
    }
}

struct ArrivalWindowsTests {
    /// A packet each 20 ms, so many ms late.
    private func note(_ windows: inout ArrivalWindows, from: Double, seconds: Double, late: (Int) -> Double = { _ in 0 }) {
        for number in 0..<Int(seconds * 50) {
            let at = from * 1e9 + Double(number) * 20e6
            windows.note(5e9 + late(number) * 1e6, arrival: at + late(number) * 1e6)
        }
    }

    @Test func `lateness is remembered for four seconds at least and six at most`() {
        var windows = ArrivalWindows()
        note(&windows, from: 0, seconds: 3) { $0 == 100 ? 90 : Double($0 % 3) }
        #expect(windows.least == 5e9 && windows.most == 5.09e9)
        note(&windows, from: 3, seconds: 2.9)
        #expect(windows.most == 5.09e9)
        note(&windows, from: 5.9, seconds: 2.5)
        #expect(windows.most == 5e9)
    }

    @Test func `a way's jitter outlives a pause, and a storm does not though speech pauses all the time`() {
        var windows = ArrivalWindows()
        note(&windows, from: 0, seconds: 3) { $0 % 10 == 0 ? 40 : 0 }
        windows.forgetClock()
        #expect(!windows.least.isFinite)
        windows.note(9e9, arrival: 90e9)
        #expect(windows.least == 9e9 && windows.most == 9.04e9)
        var stormy = ArrivalWindows()
        note(&stormy, from: 0, seconds: 2) { Double($0 % 10 * 35) }
        for spurt in 1..<12 {
            stormy.forgetClock()
            note(&stormy, from: Double(spurt) * 3, seconds: 1)
        }
        #expect(stormy.most == stormy.least)
    }

    @Test func `what comes too late for everybody is no lateness, and a clock that jumps is believed the third time`() {
        var windows = ArrivalWindows()
        note(&windows, from: 0, seconds: 1)
        windows.note(5.5e9, arrival: 1.5e9)
        #expect(windows.most == 5e9 && windows.least == 5e9)
        for _ in 0..<2 { windows.note(900e9, arrival: 2e9) }
        #expect(windows.least == 5e9)
        windows.note(900e9, arrival: 2.1e9)
        #expect(windows.least == 900e9 && windows.most == 900e9)
        for _ in 0..<3 { windows.note(-40e9, arrival: 2.2e9) }
        #expect(windows.least == -40e9 && windows.most == -40e9)
    }
}
