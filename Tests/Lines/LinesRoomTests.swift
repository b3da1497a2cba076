import Testing

@testable import Lines

struct LineQualityTests {
    @Test(arguments: [
        (0.0, 0.0, 10.0, LineVerdict.good), (0.01, 5, 60, .good), (0.05, 10, 80, .fair), (0.0, 10, 600, .fair), (0.25, 30, 100, .poor),
        (0.02, 80, 900, .poor), (1, 0, 10, .poor),
    ])
    func `what the line loses and delays decides its verdict`(loss: Double, jitter: Double, roundTrip: Double, expected: LineVerdict) {
        #expect(LineQuality(loss: loss, jitterMilliseconds: jitter, roundTripMilliseconds: roundTrip).verdict == expected)
    }

    @Test func `a line without a round trip is unknown, and so is one whose figures are no numbers`() {
        #expect(LineQuality(loss: 0, jitterMilliseconds: 0, roundTripMilliseconds: nil).verdict == .unknown)
        #expect(LineQuality(loss: .nan, jitterMilliseconds: 0, roundTripMilliseconds: 1).verdict == .unknown)
        #expect(LineQuality(loss: 0, jitterMilliseconds: .infinity, roundTripMilliseconds: 1).verdict == .unknown)
    }

    @Test(arguments: 0..<100)
    func `more loss, jitter or delay never makes a line better`(step: Int) {
        func rating(_ loss: Int, _ jitter: Int, _ trip: Int) -> Double {
            LineQuality(loss: Double(loss) / 100, jitterMilliseconds: Double(jitter), roundTripMilliseconds: Double(trip)).rating
        }
        #expect(rating(step, 10, 100) >= rating(step + 1, 10, 100))
        #expect(rating(2, step * 3, 100) >= rating(2, step * 3 + 3, 100))
        #expect(rating(2, 10, step * 20) >= rating(2, 10, step * 20 + 20))
    }

    @Test func `figures outside their range are taken at its edge`() {
        let wild = LineQuality(loss: 7, jitterMilliseconds: -5, roundTripMilliseconds: -1)
        #expect(wild.rating >= 0 && wild.verdict == .poor)
        #expect(LineQuality(loss: -1, jitterMilliseconds: 0, roundTripMilliseconds: 0).verdict == .good)
    }
}
