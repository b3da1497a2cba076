import Base
import RTP
import Testing

@testable import MCU

struct WantedLinesTests {
    private func at(_ milliseconds: Int) -> Instant { Instant(sinceStart: .milliseconds(milliseconds)) }

    @Test(arguments: [(100, 108), (138, 144), (144, 144), (145, 180), (234, 240), (356, 360), (720, 720), (1_080, 720)])
    func `a tile is filled, by a picture that is hardly larger`(tile: Int, lines: Int) {
        var wanted = WantedLines()
        #expect(wanted.follow(tile: tile, thrift: 0, now: at(0)) == lines && wanted.told == lines)
        #expect(wanted.follow(tile: tile, thrift: 0, now: at(40)) == nil, "said once")
    }

    @Test func `more lines at once, fewer after a while`() {
        var wanted = WantedLines()
        _ = wanted.follow(tile: 138, thrift: 0, now: at(0))
        #expect(wanted.follow(tile: 720, thrift: 0, now: at(40)) == 720)
        #expect(wanted.follow(tile: 138, thrift: 0, now: at(80)) == nil)
        // Large again for a moment: the while begins anew.
        #expect(wanted.follow(tile: 720, thrift: 0, now: at(1_900)) == nil)
        for time in stride(from: 1_940, to: 3_940, by: 40) { #expect(wanted.follow(tile: 138, thrift: 0, now: at(time)) == nil) }
        #expect(wanted.follow(tile: 138, thrift: 0, now: at(3_940)) == 144)
    }

    @Test func `a machine that is short asks for fewer at once, and for what the tile needs when it is not`() {
        var wanted = WantedLines()
        #expect(wanted.follow(tile: 234, thrift: 0, now: at(0)) == 240)
        #expect(wanted.follow(tile: 234, thrift: 1, now: at(40)) == 180)
        #expect(wanted.follow(tile: 234, thrift: 2, now: at(80)) == 144)
        #expect(wanted.follow(tile: 234, thrift: 0, now: at(120)) == 240)
        #expect(WantedLines.rung(for: 90, thrift: 2) == WantedLines.rungs[0], "never less than the least")
    }
}
