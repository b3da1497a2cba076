import RTP
import Testing
import Video

@testable import MCU

struct TierEncoderTests {
    @Test func `however many ask, a tier has at most one key frame a second`() throws {
        let encoder = try #require(TierEncoder(.low))
        let picture = Picture(width: Tier.low.width, height: Tier.low.height)
        var keys: [Instant] = []
        for beat in 0..<250 {
            let now = Instant(sinceStart: .seconds(5) + .milliseconds(40 * beat))
            picture.fill(Rectangle(x: beat % 200, y: 0, width: 40, height: 100), with: YUVColour(rgb: 0x30_8030))
            let frame = try #require(encoder.encode(picture, forceKey: encoder.mayForceKey(now: now), captured: now, now: now))
            if frame.isKeyFrame { keys.append(now) }
        }
        #expect(keys.count == 10)
        #expect(zip(keys, keys.dropFirst()).allSatisfy { $1 - $0 >= Composer.keyFrameInterval })
    }

    @Test func `frames come in the order of their time, and are made again when nobody holds them`() throws {
        let encoder = try #require(TierEncoder(.low))
        let picture = Picture(width: Tier.low.width, height: Tier.low.height)
        var seen: Set<ObjectIdentifier> = []
        var last: UInt32 = 0
        for beat in 0..<300 {
            let now = Instant(sinceStart: .seconds(5) + .milliseconds(40 * beat))
            let frame = try #require(encoder.encode(picture, forceKey: false, captured: now, now: now))
            #expect(beat == 0 || frame.timestamp &- last == 3_600)
            last = frame.timestamp
            seen.insert(ObjectIdentifier(frame))
        }
        #expect(seen.count <= 2)
    }
}
