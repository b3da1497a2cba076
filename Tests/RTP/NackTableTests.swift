import Base
import RTP
import Testing

/// Packets in and what is asked for out, in the order of time (milliseconds). The round trip is 40 ms, so a number is asked for again after 50.
struct NackTableTests {
    enum Step {
        case came(Int64, at: Int)
        /// The numbers that are asked for now.
        case asks([UInt16], at: Int)
        /// Whether something was given up since the last look.
        case gaveUp(Bool)
        /// When there is something to ask next; nil: nothing is missing.
        case waits(until: Int?)
    }

    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var steps: [Step]

        init(_ what: String, _ steps: Step...) {
            testDescription = what
            self.steps = steps
        }
    }

    static let rows = [
        Row("in order: nothing", .came(1, at: 0), .came(2, at: 20), .came(3, at: 40), .waits(until: nil), .asks([], at: 100)),
        Row("the first says nothing of what was before it", .came(500, at: 0), .waits(until: nil), .asks([], at: 100)),
        Row(
            "overtaken by less than eight milliseconds", .came(1, at: 0), .came(3, at: 5), .came(2, at: 12), .asks([], at: 13),
            .waits(until: nil)),
        Row("lost: asked after eight", .came(1, at: 0), .came(3, at: 5), .waits(until: 13), .asks([], at: 12), .asks([2], at: 13)),
        Row(
            "asked again after a round trip and a quarter", .came(1, at: 0), .came(3, at: 0), .asks([2], at: 8), .asks([], at: 57),
            .asks([2], at: 58), .came(2, at: 60), .asks([], at: 200), .waits(until: nil)),
        Row("twice over", .came(1, at: 0), .came(1, at: 1), .came(3, at: 2), .came(3, at: 3), .asks([2], at: 10), .asks([], at: 11)),
        Row("a late double of a mended one", .came(1, at: 0), .came(3, at: 0), .came(2, at: 1), .came(2, at: 2), .asks([], at: 50)),
        Row("a whole run", .came(10, at: 0), .came(14, at: 0), .asks([11, 12, 13], at: 8), .came(12, at: 9), .asks([11, 13], at: 60)),
        Row("over the wrap", .came(65_534, at: 0), .came(65_538, at: 0), .asks([65_535, 0, 1], at: 8)),
        Row(
            "two holes of two times", .came(1, at: 0), .came(3, at: 0), .came(5, at: 6), .asks([2], at: 8), .asks([4], at: 14),
            .asks([2], at: 58)),
        Row("200 missing are asked for", .came(1, at: 0), .came(202, at: 0), .gaveUp(false), .waits(until: 8)),
        Row("201 are not", .came(1, at: 0), .came(203, at: 0), .gaveUp(true), .gaveUp(false), .waits(until: nil), .asks([], at: 100)),
        Row(
            "200 in two holes, then one more", .came(1, at: 0), .came(102, at: 0), .came(203, at: 1), .gaveUp(false), .came(205, at: 2),
            .gaveUp(true), .waits(until: nil)),
        Row(
            "after giving up the next hole counts anew", .came(1, at: 0), .came(900, at: 0), .gaveUp(true), .came(902, at: 1),
            .asks([901], at: 9),
            .gaveUp(false)),
        Row(
            "after 600 milliseconds without it", .came(1, at: 0), .came(3, at: 0), .asks([2], at: 8), .asks([2], at: 590), .gaveUp(false),
            .asks([], at: 641), .gaveUp(true), .waits(until: nil)),
        Row(
            "after eight times without it", .came(1, at: 0), .came(3, at: 0), .asks([2], at: 8), .asks([2], at: 58), .asks([2], at: 108),
            .asks([2], at: 158), .asks([2], at: 208), .asks([2], at: 258), .asks([2], at: 308), .asks([2], at: 358), .gaveUp(false),
            .asks([], at: 408), .gaveUp(true)),
        Row("what comes after it was given up is no news", .came(1, at: 0), .came(900, at: 0), .came(450, at: 5), .asks([], at: 50)),
    ]

    @Test(arguments: rows)
    func `what came is answered so`(row: Row) {
        var generator = NackGenerator()
        func time(_ milliseconds: Int) -> Instant { Instant(sinceStart: .seconds(3) + .milliseconds(milliseconds)) }
        for (place, step) in row.steps.enumerated() {
            switch step {
            case .came(let number, let at): generator.received(number, now: time(at))
            case .asks(let expected, let at):
                var asked: [UInt16] = []
                generator.collect(now: time(at), roundTrip: .milliseconds(40), into: &asked)
                #expect(asked == expected, "step \(place)")
            case .gaveUp(let expected):
                let gaveUp = generator.takeGivenUp()
                #expect(gaveUp == expected, "step \(place)")
            case .waits(let until): #expect(generator.deadline == until.map(time), "step \(place)")
            }
        }
    }
}
