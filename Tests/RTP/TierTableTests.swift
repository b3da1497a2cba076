import Base
import RTP
import Testing

struct TierTableTests {
    private func row(_ index: Int, needs: Int, least: Int, content: Tier.Content = .moving) -> Tier {
        Tier(
            id: TierID(index: index), name: "t\(index)", width: 320, height: 180, picturesPerSecond: 25, bitsPerSecond: needs * 8 / 10,
            neededBitsPerSecond: needs, leastTIAS: least, content: content)
    }

    @Test(
        arguments: [
            (nil, 0), (2_000_000, 0), (1_400_000, 0), (1_399_999, 1), (450_000, 1), (449_999, 2), (80_000, 2), (79_999, 3), (39_999, 4),
            (0, 4),
        ] as [(Int?, Int)])
    func `what a receiver says that it takes chooses its first tier`(bits: Int?, row: Int) {
        #expect(TierTable.usual.best(within: bits).index == row)
    }

    @Test func `a table without rows, with too many, out of order or with holes is none`() {
        let good = [row(0, needs: 900_000, least: 800_000), row(1, needs: 300_000, least: 0)]
        #expect(TierTable(good)?.least == TierID(index: 1))
        #expect(TierTable([]) == nil && TierTable(good.reversed()) == nil)
        #expect(TierTable([good[0], row(2, needs: 300_000, least: 0)]) == nil)
        #expect(TierTable([good[0], row(1, needs: 900_000, least: 0)]) == nil)
        #expect(TierTable((0..<9).map { row($0, needs: 9_000 - $0, least: 0) }) == nil)
    }

    @Test func `a line that carries nothing but slides ends at slides, however many rows are above`() throws {
        let table = try #require(
            TierTable([
                row(0, needs: 1_700_000, least: 1_400_000), row(1, needs: 620_000, least: 450_000), row(2, needs: 230_000, least: 100_000),
                row(3, needs: 60_000, least: 0, content: .slides),
            ]))
        var selector = TierSelector(table: table)
        for second in 0..<30 {
            selector.evaluate(.init(limitBitsPerSecond: 50_000), now: Instant(sinceStart: .seconds(1 + second)))
        }
        #expect(table[selector.tier].content == .slides && selector.tier == table.least)
        for second in 30..<600 {
            selector.evaluate(.init(limitBitsPerSecond: selector.need * 3 / 2), now: Instant(sinceStart: .seconds(1 + second)))
        }
        #expect(selector.tier == table.best)
    }
}
