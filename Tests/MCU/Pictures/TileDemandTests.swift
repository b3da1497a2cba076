import Base
import Testing

@testable import MCU

struct TileDemandTests {
    private typealias Tile = TileSizes.Tile
    private var demand = TileDemand()

    private func at(_ milliseconds: Int) -> Instant { Instant(sinceStart: .milliseconds(milliseconds)) }

    private mutating func show(_ lines: Int?, in view: ViewID = .programme, fits: Bool = true, thrift: Int = 0, at time: Int)
        -> TileDemand.Change
    {
        demand.show(
            lines.map { Tile(width: $0 * 16 / 9, height: $0) }, in: view, fits: fits, isSending: true, thrift: thrift, now: at(time))
    }

    @Test mutating func `the largest tile of all views counts, until its view is gone`() throws {
        let wall = try #require(ViewID(number: 1))
        #expect(show(138, at: 0) == TileDemand.Change(layer: 138, isWish: true) && demand.wanted == 144)
        #expect(show(356, in: wall, at: 40) == TileDemand.Change(layer: 356, isWish: true) && demand.wanted == 360)
        #expect(show(138, at: 80) == TileDemand.Change())
        demand.keep(.programme)
        // The layer follows at once, the wish after its while.
        #expect(show(138, at: 120) == TileDemand.Change(layer: 138, isWish: false) && demand.wanted == 360)
        #expect(show(138, at: 2_120) == TileDemand.Change(layer: nil, isWish: true) && demand.wanted == 144)
    }

    @Test mutating func `nobody is asked before it sends, and nobody for fewer lines of a screen`() {
        let tile = Tile(width: 1_280, height: 720)
        #expect(demand.show(tile, in: .programme, fits: true, isSending: false, thrift: 0, now: at(0)) == TileDemand.Change())
        #expect(show(720, fits: false, at: 40) == TileDemand.Change(layer: 720, isWish: false) && demand.wanted == nil)
    }

    @Test mutating func `a view waits for lines that are on their way, and not for ever`() {
        _ = show(138, at: 0)
        demand.arrived(720)
        // It sends 144 lines and is to be large: it is asked at once.
        let asked = demand.grow(to: 720, from: 144, thrift: 0, now: at(40))
        #expect(asked == TileDemand.Change(layer: 720, isWish: true) && demand.wanted == 720)
        #expect(demand.grow(to: 720, from: 144, thrift: 0, now: at(80)) == TileDemand.Change(), "still on the way, and said")
        // The small tile that it keeps meanwhile takes nothing back.
        #expect(show(138, at: 80) == TileDemand.Change())
        #expect(demand.grow(to: 720, from: 700, thrift: 0, now: at(120)) == nil, "as good as there")
        let patience = Int(TileDemand.growthPatience.seconds * 1_000)
        #expect(demand.grow(to: 720, from: 144, thrift: 0, now: at(40 + patience)) == nil, "it had its time")
        // It never got the tile: what it was asked for is forgotten in the end.
        #expect(show(138, at: 41 + 2 * patience) == TileDemand.Change(layer: 138, isWish: false))
    }

    @Test mutating func `nobody is waited for who has never sent more`() {
        _ = show(138, at: 0)
        demand.arrived(144)
        #expect(demand.grow(to: 720, from: 144, thrift: 0, now: at(40)) == nil)
    }

    @Test mutating func `a machine that is short takes a lower layer too`() {
        #expect(show(356, thrift: 1, at: 0) == TileDemand.Change(layer: 240, isWish: true) && demand.wanted == 240)
        #expect(show(356, thrift: 0, at: 40) == TileDemand.Change(layer: 356, isWish: true) && demand.wanted == 360)
    }
}
