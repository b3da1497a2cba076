import Base
import RTP
import TestSupport
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

    @Test(arguments: TierTable.usual.tiers)
    func `a tier's frames are in the bit stream of its setting`(tier: Tier) throws {
        let picture = Picture(width: tier.width, height: tier.height)
        func versions(_ encoder: TierEncoder) throws -> [UInt8] {
            try (0..<3).map { beat in
                let now = Instant(sinceStart: .seconds(5) + .milliseconds(40 * beat))
                let frame = try #require(encoder.encode(picture, forceKey: false, captured: now, now: now))
                // After the descriptor's one byte: RFC 6386, section 9.1.
                return frame.withPayload(0) { $0[1] >> 1 & 7 }
            }
        }
        let usual = UInt8(TierEncoder.Setting.usual(tier).manner.version)
        #expect(try versions(#require(TierEncoder(tier))) == [usual, usual, usual])
        let light = TierEncoder.Setting(manner: .light, speed: 12)
        #expect(try versions(#require(TierEncoder(tier, setting: light))) == [2, 2, 2])
    }

    @Test func `haste takes the effort down, time to spare takes it up, and no further than it goes`() {
        typealias Effort = TierEncoder.Setting.Effort
        let spare = [Effort(speed: 8, unseenError: 250), Effort(speed: 6, unseenError: 100)]
        let setting = TierEncoder.Setting(manner: VP8Encoder.Manner(version: 0, unseenError: 500), speed: 10, spare: spare)
        #expect([-3, -2, -1, 0, 1, 2, 3].map { setting.effort(haste: $0).speed } == [6, 6, 8, 10, 14, 16, 16])
        #expect([-3, -2, -1, 0, 1, 2, 3].map { setting.effort(haste: $0).unseenError } == [100, 100, 250, 500, 500, 500, 500])
        let without = TierEncoder.Setting(manner: .sharp, speed: 8)
        #expect([-2, -1, 0, 1].map { without.effort(haste: $0).speed } == [8, 8, 8, 14])
    }

    @Test(arguments: TierTable.usual.tiers)
    func `no step of a tier is more work than the one before it, and tier high has one for each level`(tier: Tier) {
        let setting = TierEncoder.Setting.usual(tier)
        let efforts = (-SpareTime.mostLevel...2).map { setting.effort(haste: $0) }
        #expect(efforts.map(\.speed) == efforts.map(\.speed).sorted())
        #expect(efforts.map(\.unseenError) == efforts.map(\.unseenError).sorted())
        #expect(tier != .high || zip(efforts, efforts.dropFirst()).allSatisfy { $0 != $1 })
    }

    /// 3 600 patches of their own colour, of which a few change from picture to picture: dearer than faces.
    private func busy(_ tier: Tier, _ generator: inout SeededGenerator, _ picture: Picture, patches: Int) {
        for _ in 0..<patches {
            let colour = YUVColour(rgb: UInt32.random(in: 0...0xff_ffff, using: &generator))
            let patch = Rectangle(
                x: Int.random(in: 0..<tier.width / 8, using: &generator) * 8, y: Int.random(in: 0..<tier.height / 8, using: &generator) * 8,
                width: 8, height: 8)
            picture.fill(patch, with: colour)
        }
    }

    @Test(arguments: [TierID.lower, .slides])
    func `on a thin line no key frame takes long, and the rate is kept`(id: TierID) throws {
        let tier = TierTable.usual[id]
        let encoder = try #require(TierEncoder(tier))
        let picture = Picture(width: tier.width, height: tier.height)
        var generator = SeededGenerator(seed: 4)
        busy(tier, &generator, picture, patches: 600)
        var sizes: [Int] = []
        for beat in 0..<30 {
            let now = Instant(sinceStart: .seconds(5) + tier.interval * beat)
            let frame = try #require(encoder.encode(picture, forceKey: false, captured: now, now: now))
            sizes.append(frame.encodedBytes)
            busy(tier, &generator, picture, patches: 4)
        }
        let share = Double(tier.bitsPerSecond) / 8 * tier.interval.seconds
        // Two seconds of what slides have; of the other, a second.
        #expect(Double(sizes[0]) < share * (id == .slides ? 2 : 7), "\(sizes)")
        #expect(Double(sizes.reduce(0, +)) < share * 30 * 1.3, "\(sizes)")
    }
}
