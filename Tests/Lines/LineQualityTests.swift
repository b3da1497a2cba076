import Testing

@testable import Lines

struct LineQualityTests {
    @Test(
        arguments: [(0, 1, 20, "good"), (0.005, 5, 60, "good"), (0.04, 10, 80, "fair"), (0.2, 10, 80, "poor"), (0, 5, 900, "poor")]
            as [(Double, Double, Double, String)])
    func `a line is judged as people would`(loss: Double, jitter: Double, roundTrip: Double, verdict: String) {
        #expect(LineQuality(loss: loss, jitterMilliseconds: jitter, roundTripMilliseconds: roundTrip).verdict.rawValue == verdict)
    }

    @Test func `more loss, jitter or delay never makes a line better`() {
        var last = 100.0
        for step in 0..<50 {
            let rating = LineQuality(loss: Double(step) / 100, jitterMilliseconds: Double(step), roundTripMilliseconds: Double(step * 10))
                .rating
            #expect(rating <= last)
            last = rating
        }
    }

    @Test func `without a round trip nothing is claimed`() {
        #expect(LineQuality(loss: 0, jitterMilliseconds: 0, roundTripMilliseconds: nil).verdict == .unknown)
        #expect(LineQuality(loss: .nan, jitterMilliseconds: 0, roundTripMilliseconds: 1).verdict == .unknown)
    }
}
