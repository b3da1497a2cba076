import Audio
import Foundation
import Testing

@testable import MCU

/// What receivers say of the sound that they take (RFC 7587 §6.1, §7) holds.
struct SoundClassTests {
    private static let vectors = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Vectors")
    private static let media = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Sources/Endpoint/media")

    private static func speech() throws -> [[UInt8]] {
        let bytes = [UInt8](try Data(contentsOf: media.appending(path: "speech-vi-chair.ogg")))
        let file = try OggOpusFile(parsing: bytes.span.bytes)
        return (0..<file.packetCount).map { Array(file[$0]) }
    }

    private static func offer(_ parameters: String) throws -> String {
        let text = try String(contentsOf: vectors.appending(path: "small-average-bitrate.sdp"), encoding: .utf8)
        return text.replacingOccurrences(of: "maxplaybackrate=16000;maxaveragebitrate=12000", with: parameters)
    }

    @Test(arguments: [
        (Int.max, Int.max, 0), (510_000, 48_000, 0), (40_000, 48_000, 1), (32_000, 48_000, 1), (31_999, 48_000, 2), (48_000, 24_000, 2),
        (64_000, 16_000, 3), (23_999, 48_000, 4), (12_000, 16_000, 5), (12_000, 8_000, 6), (64_000, 12_000, 6), (11_999, 48_000, 7),
        (6_000, 48_000, 8), (1, 48_000, 8), (0, 0, 8),
    ])
    func `the best row that keeps to the limits is taken`(bits: Int, rate: Int, row: Int) {
        #expect(SoundClass(bitsPerSecond: bits, playbackRate: rate).index == row)
    }

    /// Speech for 12 s and more, to one who only listens and to one who speaks, over lines that lose packets and others.
    @Test(
        arguments: [
            ("maxplaybackrate=16000;maxaveragebitrate=12000", 12_000, 8_000), ("maxaveragebitrate=12000", 12_000, 8_000),
            ("maxaveragebitrate=6000", 6_000, 4_000), ("maxaveragebitrate=9000;maxplaybackrate=8000", 9_000, 4_000),
            ("maxaveragebitrate=20000", 20_000, 8_000), ("maxaveragebitrate=32000", 32_000, 20_000),
            ("maxplaybackrate=8000", 40_000, 4_000),
        ], [false, true])
    func `averages keep to what the receiver said, and so does the highest sound`(
        of: (words: String, bits: Int, hertz: Double), repairs: Bool
    ) throws {
        let meeting = try MixerMeeting(1)
        meeting.sounds[0] = try Self.speech()
        let listener = try meeting.add(offer: Self.offer(of.words))
        let speaker = try meeting.add(offer: Self.offer(of.words))
        for person in [listener, speaker] { person.soundTier = repairs ? .repairing : .clean }
        let levels = [0: -20, 2: -22]
        meeting.run(50, levels: levels)
        for (place, packets) in zip([1, 2], meeting.heard(by: [1, 2], ticks: 600, levels: levels)) {
            #expect(packets.allSatisfy { !$0.isEmpty })
            let bits = Double(packets.reduce(0) { $0 + $1.count } * 8) / 12
            #expect(bits <= Double(of.bits) && bits > Double(min(of.bits, 12_000)) / 3)
            let heard = try MixerMeeting.sound(of: packets)
            #expect(ToneMeter.level(of: 440, in: Array(heard.suffix(9_600)).span) > -40 || place == 2)
            #expect(Self.level(of: heard, above: of.hertz * 1.1) < -55)
        }
    }

    /// dBov of what is above a frequency, by differences of a low pass of 257 taps.
    private static func level(of pcm: [Int16], above hertz: Double) -> Double {
        guard hertz < 23_000 else { return -127 }
        let half = 128
        let cut = 2 * hertz / 48_000
        let taps = (-half...half).map { index -> Double in
            let at = Double(index)
            let window = 0.42 + 0.5 * cos(.pi * at / Double(half)) + 0.08 * cos(2 * .pi * at / Double(half))
            return window * (index == 0 ? cut : sin(.pi * cut * at) / (.pi * at))
        }
        var energy = 0.0
        var count = 0
        for center in stride(from: half, to: pcm.count - half, by: 211) {
            var low = 0.0
            for index in -half...half { low += taps[index + half] * Double(pcm[center + index]) }
            let high = Double(pcm[center]) - low
            energy += high * high
            count += 1
        }
        return 10 * log10(energy / Double(count) / (32_768 * 32_768) + 1e-13)
    }

    @Test func `a class is encoded once for all who take it, and only while somebody does`() throws {
        let meeting = try MixerMeeting(5)
        meeting.run(100, levels: [0: -20])
        #expect(meeting.cost(100, levels: [0: -20]).encoded == 200)
        for _ in 0..<3 { try meeting.add(offer: Self.offer("maxaveragebitrate=12000")) }
        meeting.run(100, levels: [0: -20])
        #expect(meeting.cost(100, levels: [0: -20]).encoded == 300)
        for person in meeting.people[5...] { meeting.bridge.remove(person, reason: .left) }
        meeting.people.removeSubrange(5...)
        meeting.run(100, levels: [0: -20])
        #expect(meeting.cost(100, levels: [0: -20]).encoded == 200)
    }
}
