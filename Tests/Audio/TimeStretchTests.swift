import Foundation
import TestSupport
import Testing

@testable import Audio

struct TimeStretchTests {
    private static let room = TimeStretch.window + TimeStretch.longest

    /// 20 ms out of the middle of a sound, each made shorter or longer, and put back.
    private func stretched(_ sound: [Int16], shorter: Bool) -> (sound: [Int16], changed: Int, refused: Int) {
        let every = 3_840
        var stretch = TimeStretch()
        var (heard, changed, refused): ([Int16], Int, Int) = ([], 0, 0)
        var at = 0
        while at + every <= sound.count {
            heard += sound[at..<at + every - 960]
            var piece = Array(sound[at + every - 960..<at + every]) + [Int16](repeating: 0, count: TimeStretch.longest)
            let period = shorter ? stretch.shorten(&piece, most: 720) : stretch.lengthen(&piece)
            heard += piece[..<(shorter ? 960 - period : 960 + period)]
            changed += period
            if period == 0 { refused += 1 }
            at += every
        }
        return (heard, changed, refused)
    }

    @Test(arguments: [70.0, 110, 180, 243.7, 400, 1_000, 2_345], [true, false])
    func `a tone stays the same tone without a step, in less time or more`(hertz: Double, shorter: Bool) {
        let tone = Sounds.tone(hertz, samples: 96_000)
        let (heard, changed, refused) = stretched(tone, shorter: shorter)
        #expect(refused == 0 && changed >= 25 * 120 && heard.count == tone.count - (shorter ? changed : -changed))
        let step = 10_000 * 2 * Double.pi * hertz / 48_000
        #expect(Double(Sounds.largestStep(heard)) <= step * 1.05 + 2, "\(Sounds.largestStep(heard)) \(step)")
        // No new tone, and no hole: each 10 ms are as loud as they were.
        for start in stride(from: 0, to: heard.count - 4_800, by: 4_800) {
            let piece = Array(heard[start..<start + 4_800])
            #expect(ToneMeter.level(of: hertz, in: piece.span) > -11.5)
        }
        for start in stride(from: 0, to: heard.count - 960, by: 480) {
            let piece = Array(heard[start..<start + 960])
            #expect(abs(AudioLevel.decibels(of: piece.span) + 13) <= 1)
        }
    }

    /// A voice: pulses at a gliding pitch, heard through two resonances.
    private func voice(_ samples: Int, pitch: (Int) -> Double) -> [Int16] {
        var phase = 0.0
        var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
        return (0..<samples).map { index in
            phase += pitch(index) / 48_000
            let pulse = phase >= 1 ? 9_000.0 : 0
            if phase >= 1 { phase -= 1 }
            (a, b) = (pulse + 1.93 * a - 0.94 * b, a)
            (c, d) = (0.1 * a + 1.87 * c - 0.93 * d, c)
            return Int16(max(-32_000, min(32_000, c / 4)))
        }
    }

    @Test(arguments: [85.0, 120, 210], [true, false])
    func `of a voice whole periods are taken, so its pitch stays`(hertz: Double, shorter: Bool) {
        let sound = voice(144_000) { hertz * (1 + 0.1 * sin(Double($0) / 30_000)) }
        let (heard, changed, refused) = stretched(sound, shorter: shorter)
        #expect(refused <= 3 && changed > 0)
        // Each cut is a multiple of the period at its place, within what the pitch glides in a window.
        #expect(Sounds.largestStep(heard) <= Sounds.largestStep(sound) * 11 / 10)
        let crossings = { (pcm: [Int16]) in Double(zip(pcm, pcm.dropFirst()).count { $0 < 0 && $1 >= 0 }) / Double(pcm.count) }
        #expect(abs(crossings(heard) / crossings(sound) - 1) < 0.04)
    }

    @Test func `noise is left alone at first and cut at last, and silence is cut freely`() {
        var random = SeededGenerator(seed: 3)
        var stretch = TimeStretch()
        var answers: [Int] = []
        for _ in 0..<100 {
            var piece = Sounds.noise(3_000, samples: Self.room, using: &random)
            answers.append(stretch.shorten(&piece, most: 5_000))
        }
        #expect(answers[..<30].allSatisfy { $0 == 0 } && answers.contains { $0 > 0 })
        var quiet = Sounds.noise(50, samples: Self.room, using: &random)
        #expect(stretch.shorten(&quiet, most: 700) == 700 && stretch.wasQuiet)
        var silence = [Int16](repeating: 0, count: Self.room)
        #expect(stretch.shorten(&silence, most: 5_000) == TimeStretch.longest && stretch.lengthen(&silence) == TimeStretch.longest)
        #expect(silence.allSatisfy { $0 == 0 })
    }

    @Test func `never more is taken than may be, and nothing where that is less than a period`() {
        var stretch = TimeStretch()
        var piece = Sounds.tone(100, samples: Self.room)
        #expect(stretch.shorten(&piece, most: 400) == 0 && piece == Sounds.tone(100, samples: Self.room))
        #expect(abs(stretch.shorten(&piece, most: 500) - 480) <= 4)
        #expect(stretch.shorten(&piece, most: 100) == 0 && stretch.shorten(&piece, most: -5) == 0)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `whatever the sound, what comes out is no louder and as long as is said`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var stretch = TimeStretch()
        for _ in 0..<20 {
            let amplitude = Int16.random(in: 0...32_767, using: &random)
            let sound = Sounds.noise(amplitude, samples: Self.room, using: &random)
            var (shorter, longer) = (sound, sound)
            let taken = stretch.shorten(&shorter, most: Int.random(in: 0...2_000, using: &random))
            let added = stretch.lengthen(&longer)
            #expect(taken <= 720 && added <= 720 && taken >= 0 && added >= 0)
            #expect(shorter[0..<960 - taken].allSatisfy { abs(Int($0)) <= Int(amplitude) })
            #expect(longer[0..<960 + added].allSatisfy { abs(Int($0)) <= Int(amplitude) })
        }
    }
}
