import Base
import RTP
import Testing

@testable import MCU

/// A machine simulated: each picture takes so long, one at a time, and at most two wait.
struct FramePaceTests {
    /// - Parameter cost: of a picture at a time.
    /// - Returns: the beats of the pictures made, and the rate at the end.
    private func run(_ pace: inout FramePace, from start: Int, seconds: Int, cost: (_ now: Duration, _ level: Int) -> Duration)
        -> [Duration]
    {
        var made: [Duration] = []
        var busyUntil = Instant.start
        var waiting: [Instant] = []
        for tick in start * 50..<(start + seconds) * 50 {
            let now = Instant(sinceStart: .milliseconds(tick * 20))
            while let beat = waiting.first, busyUntil <= now {
                waiting.removeFirst()
                busyUntil = busyUntil + cost(.milliseconds(tick * 20), pace.level)
                pace.finished(after: busyUntil - beat, now: busyUntil)
                made.append(beat - .start)
            }
            guard pace.isDue(now) else { continue }
            if busyUntil <= now {
                busyUntil = now + cost(.milliseconds(tick * 20), pace.level)
                pace.finished(after: busyUntil - now, now: busyUntil)
                made.append(now - .start)
            } else if waiting.count < 2 {
                waiting.append(now)
            } else {
                pace.missed(now: now)
            }
        }
        return made
    }

    private func gaps(_ beats: [Duration]) -> Set<Duration> { Set(zip(beats, beats.dropFirst()).map { $1 - $0 }) }

    @Test func `a machine that keeps up has twenty-five pictures a second, and one slow picture changes nothing`() {
        var pace = FramePace()
        let made = run(&pace, from: 1, seconds: 10) { now, _ in now == .seconds(3) ? .milliseconds(70) : .milliseconds(25) }
        #expect(pace.level == 0 && made.count >= 249)
    }

    @Test func `a machine that is too slow has fewer pictures, evenly spaced`() {
        for (cost, interval) in [(50, 60), (80, 100), (300, 100)] {
            var pace = FramePace()
            _ = run(&pace, from: 1, seconds: 9) { _, _ in .milliseconds(cost) }
            let made = run(&pace, from: 10, seconds: 4) { _, _ in .milliseconds(cost) }
            #expect(pace.interval == .milliseconds(interval))
            if cost < interval { #expect(gaps(made) == [.milliseconds(interval)]) }
        }
    }

    @Test func `with time again the rate rises step by step, and attempts that fail become rarer`() {
        var pace = FramePace()
        _ = run(&pace, from: 1, seconds: 9) { _, _ in .milliseconds(80) }
        #expect(pace.level == 2)
        _ = run(&pace, from: 10, seconds: 12) { _, _ in .milliseconds(10) }
        #expect(pace.level == 0)
        // Too slow for 25 a second alone, where the smaller pictures of 16.7 a second look as if there were time.
        var levels: [Int] = []
        for second in 22..<142 {
            _ = run(&pace, from: second, seconds: 1) { _, level in level == 0 ? .milliseconds(60) : .milliseconds(15) }
            levels.append(pace.level)
        }
        let rises = zip(levels, levels.dropFirst()).count { $0 > $1 }
        #expect(rises <= 5 && levels.filter { $0 == 0 }.count < 20)
    }

    @Test func `sources become smaller before pictures become fewer`() {
        var pace = FramePace()
        var order: [[Int]] = []
        for tick in 0..<400 {
            pace.missed(now: Instant(sinceStart: .milliseconds(tick * 40)))
            if order.last != [pace.thrift, pace.level] { order.append([pace.thrift, pace.level]) }
        }
        #expect(order == [[0, 0], [1, 0], [2, 0], [2, 1], [2, 2]])
    }

    @Test func `where smaller sources are enough every picture is made, and ten seconds after the load all is as it was`() {
        var pace = FramePace()
        func cost(_ thrift: Int) -> Duration { [.milliseconds(60), .milliseconds(34), .milliseconds(25)][thrift] }
        // What a picture costs follows what was asked for, half a second later.
        for second in 1..<20 {
            let thrift = pace.thrift
            _ = run(&pace, from: second, seconds: 1) { _, _ in cost(thrift) }
        }
        #expect(pace.thrift >= 1 && pace.level == 0)
        _ = run(&pace, from: 20, seconds: 10) { _, _ in .milliseconds(8) }
        #expect(!pace.isShort)
        // And from the bottom.
        var slow = FramePace()
        _ = run(&slow, from: 1, seconds: 12) { _, _ in .milliseconds(300) }
        #expect(slow.thrift == 2 && slow.level == 2)
        _ = run(&slow, from: 13, seconds: 10) { _, _ in .milliseconds(8) }
        #expect(!slow.isShort)
    }

    @Test func `a picture that takes long now and then does not keep what was given up`() {
        var pace = FramePace()
        while !pace.isShort { pace.missed(now: .start) }
        var number = 0
        _ = run(&pace, from: 1, seconds: 5) { _, _ in
            number += 1
            return number % 40 == 0 ? .milliseconds(30) : .milliseconds(8)
        }
        #expect(!pace.isShort)
        // Where every fifth does, there is no time for more.
        while !pace.isShort { pace.missed(now: Instant(sinceStart: .seconds(6))) }
        _ = run(&pace, from: 6, seconds: 20) { _, _ in
            number += 1
            return number % 5 == 0 ? .milliseconds(30) : .milliseconds(8)
        }
        #expect(pace.isShort)
    }
}
