import Base
import Foundation
import Testing

@testable import Net

struct MediaClockTests {
    @Test func `NTP time counts from 1900, and the loop's clock from where it says`() {
        let now = MediaClock.now()
        let seconds = Double(MediaClock.ntpAtStart()) / 4_294_967_296 + Double(now.nanoseconds) / 1e9
        // A minute is far less than what a wrong epoch or a swapped half would give, and more than clocks drift apart in a test.
        #expect(abs(seconds - (Date().timeIntervalSince1970 + 2_208_988_800)) < 60)
    }
}
