import RTP
import Testing

@testable import MCU

struct HelpGaugeTests {
    private func gauge(_ work: [Int], interval: Int = 40, _ gauge: HelpGauge = HelpGauge()) -> HelpGauge {
        var gauge = gauge
        for one in work { gauge.note(.milliseconds(one), interval: .milliseconds(interval)) }
        return gauge
    }

    @Test func `one thread does a small meeting`() { #expect(!gauge(Array(repeating: 18, count: 1_000)).isNeeded) }

    @Test func `a large one has help before its pictures are late`() { #expect(gauge(Array(repeating: 36, count: 4)).isNeeded) }

    @Test func `one slow picture calls nobody`() { #expect(!gauge(Array(repeating: 8, count: 50) + [50]).isNeeded) }

    @Test func `what wavers about the limit does not change to and fro`() {
        var (one, changes) = (gauge(Array(repeating: 30, count: 20)), 0)
        for number in 0..<500 {
            let before = one.isNeeded
            one.note(.milliseconds(number % 2 == 0 ? 17 : 23), interval: .milliseconds(40))
            changes += before == one.isNeeded ? 0 : 1
        }
        #expect(changes == 0)
        #expect(!gauge(Array(repeating: 10, count: 20), one).isNeeded)
    }

    @Test func `where pictures are fewer there is more time for each`() {
        #expect(gauge(Array(repeating: 30, count: 50), interval: 40).isNeeded)
        #expect(!gauge(Array(repeating: 30, count: 50), interval: 100).isNeeded)
    }
}
