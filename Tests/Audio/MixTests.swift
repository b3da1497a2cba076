import TestSupport
import Testing

@testable import Audio

struct MixTests {
    func mix(_ voices: [[Int16]], without own: Int?, _ limiter: inout Limiter) -> [Int16] {
        var bus = MixBus()
        bus.clear()
        for voice in voices { bus.add(voice.span) }
        var output = [Int16](repeating: 0, count: 960)
        var room = output.mutableSpan
        if let own {
            let voice = voices[own]
            bus.write(without: voice.span, limitedBy: &limiter, into: &room)
        } else {
            bus.write(limitedBy: &limiter, into: &room)
        }
        return output
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `the mix without oneself is the sum of the others`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let voices = (0..<Int.random(in: 1...5, using: &random)).map { _ in Sounds.noise(5_000, using: &random) }
        for own in voices.indices {
            var limiter = Limiter()
            let others = (0..<960).map { i in voices.indices.reduce(0) { $1 == own ? $0 : $0 + Int(voices[$1][i]) } }
            #expect(mix(voices, without: own, &limiter).map(Int.init) == others)
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `the limiter never clips and never turns the wave over`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var limiter = Limiter()
        for _ in 0..<30 {
            let loud = Int16.random(in: 100...Int16.max, using: &random)
            let voices = (0..<7).map { _ in Sounds.noise(loud, using: &random) }
            let output = mix(voices, without: nil, &limiter)
            for i in 0..<960 {
                let sum = voices.reduce(0) { $0 + Int($1[i]) }
                // With the gain at hand every sample fits, so none was cut off: it is never louder than the sum and has its sign.
                #expect(
                    abs(Int(output[i])) <= max(abs(sum), 1) && (sum == 0 || output[i] == 0 || (sum > 0) == (output[i] > 0) || abs(sum) < 4))
                #expect(output[i] > -32_768 && output[i] <= 32_767)
            }
        }
    }

    @Test func `loud tones are turned down without flat tops, steps or a hum beside them`() {
        var limiter = Limiter()
        var heard: [Int16] = []
        for tick in 0..<50 {
            let amplitude = tick < 10 ? 5_000.0 : 30_000
            let voice = Sounds.tone(500, amplitude: amplitude, from: tick * 960)
            heard += mix([voice, voice, voice], without: nil, &limiter)
        }
        let steady = heard[30 * 960..<40 * 960]
        #expect((steady.max() ?? 0) <= Int16(Limiter.ceiling))
        #expect(ToneMeter.level(of: 500, in: steady.span) > -2)
        #expect(ToneMeter.level(of: 1_500, in: steady.span) < -50)  // what clipping would make
        #expect(Sounds.largestStep(Array(steady)) < 2_000)
        #expect(!zip(heard, heard.dropFirst()).contains { $0 == 32_767 && $1 == 32_767 })
    }

    @Test func `after loudness the gain comes back within half a second and is exactly one again`() {
        var limiter = Limiter()
        let loud = Sounds.tone(500, amplitude: 30_000)
        _ = mix([loud, loud], without: nil, &limiter)
        #expect(limiter.gain < 0.6)
        let soft = Sounds.tone(500, amplitude: 3_000)
        for _ in 0..<25 { _ = mix([soft], without: nil, &limiter) }
        #expect(limiter.gain == 1)
        #expect(mix([soft], without: nil, &limiter) == soft)
    }

    @Test func `one voice more than the bus takes is refused`() {
        var bus = MixBus()
        let voice = Sounds.tone(400)
        for _ in 0..<MixBus.mostVoices { bus.add(voice.span) }
        let isTaken = bus.add(voice.span)
        let voices = bus.voices
        #expect(!isTaken && voices == MixBus.mostVoices)
    }

    @Test func `muting ends in silence without a click, and comes back`() {
        var ramp = MuteRamp()
        var heard: [Int16] = []
        for tick in 0..<6 {
            ramp.isMuted = (2..<4).contains(tick)
            var voice = Sounds.tone(300, from: tick * 960)
            var room = voice.mutableSpan
            ramp.apply(to: &room)
            heard += voice
            #expect(ramp.isSilent == (2..<4).contains(tick))
        }
        #expect(heard[(2 * 960 + 480)..<4 * 960].allSatisfy { $0 == 0 })
        #expect(Sounds.largestStep(heard) < 450)
        #expect(Array(heard[5 * 960..<6 * 960]) == Sounds.tone(300, from: 5 * 960))
    }
}
