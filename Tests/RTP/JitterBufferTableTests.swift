import Base
import RTP
import Testing

/// Packets in and what is to be played out. Each tick is 20 ms; in each the packets named come, then the mixer asks once.
struct JitterBufferTableTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// Packets by tick; a minus takes nothing from the tick.
        var packets: [[Int]]
        /// What is answered in each tick: a number is played, `r` recovers from the successor, `c` conceals, `-` is nothing.
        var answers: String
        /// At the end.
        var late: UInt64 = 0
        var duplicate: UInt64 = 0
        var lost: UInt64 = 0
    }

    static let rows = [
        Row(testDescription: "in order, a packet behind", packets: [[0], [1], [2], [3], []], answers: "- 0 1 2 3"),
        Row(testDescription: "nothing ever", packets: [[], [], []], answers: "- - -"),
        Row(
            testDescription: "one packet, and silence after five concealed", packets: [[0], [], [], [], [], [], [], []],
            answers: "- 0 c c c c c -"),
        Row(testDescription: "two in one tick", packets: [[0, 1], [2], [3], []], answers: "0 1 2 3"),
        Row(testDescription: "the second comes first", packets: [[1], [0], [2], [3], []], answers: "- - 0 1 2"),
        Row(testDescription: "swapped in time", packets: [[0], [2, 1], [3], []], answers: "- 0 1 2", late: 0),
        Row(testDescription: "lost, and recovered from the next", packets: [[0], [1], [3], [4], [5], []], answers: "- 0 1 r 3 4", lost: 1),
        Row(
            testDescription: "two lost: concealed, then recovered", packets: [[0], [1, 4], [5], [6], [], []], answers: "- 0 1 c r 4",
            lost: 2),
        Row(testDescription: "twice: once is enough", packets: [[0, 0], [1, 1], [2], []], answers: "- 0 1 2", duplicate: 2),
        Row(testDescription: "after its turn", packets: [[0], [1], [2], [0], [3], []], answers: "- 0 1 2 3 c", late: 1),
    ]

    @Test(arguments: rows, [0, 3, 32_766, 65_533, 65_535] as [UInt16])
    func `what came is played so`(row: Row, first: UInt16) {
        var buffer = JitterBuffer()
        var said: [String] = []
        let start = Instant(sinceStart: .seconds(2))
        for (tick, packets) in row.packets.enumerated() {
            let now = start + .milliseconds(20 * tick)
            for number in packets {
                // The timestamp goes round with the number.
                let timestamp = UInt32.max - 1_000 &+ UInt32(960 * number)
                buffer.insert([UInt8(number), 9].span, ssrc: 1, sequenceNumber: first &+ UInt16(number), timestamp: timestamp, now: now)
            }
            var room = [UInt8](repeating: 0, count: 1_500)
            var span = room.mutableSpan
            switch buffer.next(now: now + .milliseconds(1), into: &span) {
            case .packet: said.append("\(room[0])")
            case .recover: said.append("r")
            case .conceal: said.append("c")
            case .nothing: said.append("-")
            }
        }
        #expect(said.joined(separator: " ") == row.answers)
        let counted = buffer.statistics
        #expect(counted.late == row.late && counted.duplicate == row.duplicate && counted.lost == row.lost)
    }
}
