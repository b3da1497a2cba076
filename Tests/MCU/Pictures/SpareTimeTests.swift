import Base
import RTP
import TestSupport
import Testing

@testable import MCU

/// A meeting's picture on one thread, as `Composer` takes its beats: one in work, two that wait.
private struct SimulatedComposer {
    var pace = FramePace()
    var spare = SpareTime()
    /// Whether a better picture is made where there is time to spare.
    let isGoverned: Bool
    /// Milliseconds that the steps cost.
    let steps: [Double]
    private var free = Instant.start
    private var waiting: [Instant] = []
    var missed = 0
    /// The level with which each picture was made.
    var levels: [Int] = []

    init(steps: [Double], isGoverned: Bool = true) {
        self.steps = steps
        self.isGoverned = isGoverned
    }

    var changes: Int { zip(levels, levels.dropFirst()).count(where: { $0 != $1 }) }

    /// - Parameter work: milliseconds for a picture made as it always is.
    mutating func beat(_ now: Instant, work: Double) {
        guard pace.isDue(now) else { return }
        waiting.append(now)
        while let beat = waiting.first, max(free, beat) <= now {
            let level = pace.level > 0 || !isGoverned ? 0 : spare.level
            let taken = Duration.microseconds(Int64((work + (level > 0 ? steps[level - 1] : 0)) * 1_000))
            free = max(free, beat) + taken
            waiting.removeFirst()
            levels.append(level)
            spare.note(max(taken, free - beat), pace: pace, now: free)
            pace.finished(after: free - beat, now: free)
        }
        if waiting.count > 2 {
            waiting.removeLast()
            pace.missed(now: now)
            missed += 1
        }
    }

    /// - Parameter work: by the number of the beat, 25 a second.
    mutating func run(seconds: Int, work: (Int) -> Double) {
        for number in 0..<50 * seconds { beat(Instant(sinceStart: .seconds(1) + .milliseconds(20 * number)), work: work(number / 2)) }
    }
}

struct SpareTimeTests {
    /// A little more than the steps cost where they were measured, milliseconds (docs/decisions/picture-quality.md).
    private let usualSteps = [0.4, 1.5]

    @Test func `a small meeting's picture becomes better step by step, and stays so`() {
        var meeting = SimulatedComposer(steps: usualSteps)
        meeting.run(seconds: 60) { _ in 6 }
        #expect(meeting.levels.prefix(50).allSatisfy { $0 == 0 })
        #expect(meeting.changes == 2 && meeting.levels.last == 2)
    }

    @Test func `where half of the time is needed nothing is spent`() {
        var meeting = SimulatedComposer(steps: usualSteps)
        meeting.run(seconds: 60) { _ in 18 }
        #expect(meeting.levels.allSatisfy { $0 == 0 })
    }

    @Test func `time between plenty and scarce changes nothing either way`() {
        var meeting = SimulatedComposer(steps: usualSteps)
        meeting.run(seconds: 30) { _ in 11 }
        #expect(meeting.changes == 0)
        meeting = SimulatedComposer(steps: usualSteps)
        meeting.run(seconds: 60) { $0 < 500 ? 6 : 11 }
        #expect(meeting.changes == 2 && meeting.levels.last == 2)
    }

    @Test func `when others come the steps are given back before pictures are late`() throws {
        var meeting = SimulatedComposer(steps: usualSteps)
        meeting.run(seconds: 40) { $0 < 500 ? 6 : 20 }
        let given = try #require(meeting.levels.indices.first { $0 >= 500 && meeting.levels[$0] == 0 })
        #expect(given <= 512)
        #expect(meeting.levels[given...].allSatisfy { $0 == 0 } && meeting.missed == 0)
    }

    @Test func `one picture that takes its whole interval ends it`() {
        var meeting = SimulatedComposer(steps: usualSteps)
        meeting.run(seconds: 22) { $0 == 500 ? 41 : 6 }
        #expect(meeting.levels[500] == 2 && meeting.levels[501] == 0 && meeting.levels[540] == 0)
    }

    @Test func `a step that is too dear here is tried ever more seldom`() {
        var meeting = SimulatedComposer(steps: [1, 9])
        meeting.run(seconds: 600) { _ in 8 }
        let attempts = zip(meeting.levels, meeting.levels.dropFirst()).count(where: { $0 < 2 && $1 == 2 })
        #expect((2...14).contains(attempts))
        #expect(meeting.levels.count(where: { $0 == 2 }) < meeting.levels.count / 20 && meeting.missed == 0)
        #expect(meeting.levels.suffix(1_000).count(where: { $0 == 1 }) > 900)
    }

    @Test func `where pictures are fewer than they should be there is nothing to spare`() {
        var (pace, spare) = (FramePace(), SpareTime())
        for number in 0..<500 { spare.note(.milliseconds(5), pace: pace, now: Instant(sinceStart: .milliseconds(40 * number))) }
        #expect(spare.level == 2)
        while !pace.isShort { pace.missed(now: Instant(sinceStart: .seconds(20))) }
        spare.note(.milliseconds(5), pace: pace, now: Instant(sinceStart: .seconds(20)))
        #expect(spare.level == 0)
    }

    /// Steps that would be too much for half of the loads.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `however the work wanders, no picture is left out for a better one`(seed: UInt64) {
        func run(isGoverned: Bool) -> SimulatedComposer {
            var random = SeededGenerator(seed: seed)
            var meeting = SimulatedComposer(steps: [1, 8], isGoverned: isGoverned)
            var (work, aim) = (6.0, 6.0)
            meeting.run(seconds: 120) { number in
                if number > 150, Int.random(in: 0..<200, using: &random) == 0 { aim = Double.random(in: 3...37, using: &random) }
                work += (aim - work) * 0.2
                return work + Double.random(in: 0...2, using: &random)
            }
            return meeting
        }
        let (governed, plain) = (run(isGoverned: true), run(isGoverned: false))
        #expect(governed.missed == 0 && plain.missed == 0)
        #expect(governed.levels.allSatisfy { (0...SpareTime.mostLevel).contains($0) })
        #expect(plain.levels.allSatisfy { $0 == 0 } && governed.levels.contains { $0 > 0 })
        #expect(governed.changes < 40)
    }
}
