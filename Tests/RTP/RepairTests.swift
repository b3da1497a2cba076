import Base
import RTP
import TestSupport
import Testing

struct RepairBudgetTests {
    private let start = Instant(sinceStart: .seconds(5))

    @Test(arguments: [0, 300_000, 1_500_000, 6_000_000])
    func `however much is asked for, a quarter of what is sent goes again, or 100 kbit a second`(bitsPerSecond: Int) {
        var budget = RepairBudget(now: start)
        var (sent, repaired): (UInt64, UInt64) = (0, 0)
        for millisecond in 1...20_000 {
            let now = start + .milliseconds(millisecond)
            sent += UInt64(bitsPerSecond / 8_000)
            // Ten a millisecond: a hundred megabit.
            for _ in 0..<10 where budget.take(1_250, sent: sent, now: now) {
                // What goes may be a little smaller than it was reckoned.
                sent += 1_200
                repaired += 1_200
            }
        }
        let burst = 64.0 * 1_216
        let allowed = max(Double(bitsPerSecond) / 4, 100_000) * 20 / 8 + burst
        #expect(Double(repaired) <= allowed + 1_250 && Double(repaired) >= allowed * 0.85)
        if bitsPerSecond >= 1_500_000 { #expect(Double(sent) <= 1.5 * Double(bitsPerSecond) * 20 / 8) }
    }
}

struct PacketHistoryTests {
    private let start = Instant(sinceStart: .seconds(5))

    private func history(first: UInt16) -> PacketHistory {
        var history = PacketHistory()
        var pool = PacketisedFramePool()
        let frame = pool.make(Array(repeating: 7, count: 5_000).span, isKeyFrame: true, timestamp: 1, captured: start)
        history.add(frame, first: first)
        return history
    }

    private func isRepeated(_ answer: PacketHistory.Answer) -> Bool { if case .repeated = answer { true } else { false } }
    private func isUnderWay(_ answer: PacketHistory.Answer) -> Bool { if case .underWay = answer { true } else { false } }
    private func isExhausted(_ answer: PacketHistory.Answer) -> Bool { if case .exhausted = answer { true } else { false } }

    @Test(arguments: [0, 1, 65_533, 65_535] as [UInt16])
    func `a packet is repeated three times at the most, and once within a round trip of at least twenty milliseconds`(first: UInt16) {
        var history = history(first: first)
        var times: [Int] = []
        for millisecond in 0..<1_000 {
            let answer = history.take(first &+ 2, roundTrip: .zero, now: start + .milliseconds(millisecond))
            if isRepeated(answer) {
                times.append(millisecond)
            } else {
                #expect(millisecond < 60 ? isUnderWay(answer) : isExhausted(answer))
            }
        }
        #expect(times == [0, 20, 40])
        // Its neighbours are none the worse for it.
        let neighbour = history.take(first &+ 1, roundTrip: .zero, now: start + .milliseconds(500))
        #expect(isRepeated(neighbour))
    }
}
