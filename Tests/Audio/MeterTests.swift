import TestSupport
import Testing

@testable import Audio

struct MeterTests {
    @Test(arguments: [(32_767.0, -3), (3_276.7, -23), (0, -127)])
    func `the level of a tone is its root mean square below overload`(amplitude: Double, decibels: Int) {
        #expect(AudioLevel.decibels(of: Sounds.tone(1_000, amplitude: amplitude).span) == decibels)
    }

    @Test func `the header extension carries the level without its sign`() {
        for level in -127...0 { #expect(AudioLevel.decibels(extensionValue: AudioLevel.extensionValue(decibels: level)) == level) }
        #expect(AudioLevel.decibels(extensionValue: 0x80 | 20) == -20)
        #expect(AudioLevel.extensionValue(decibels: -500) == 127 && AudioLevel.extensionValue(decibels: 5) == 0)
    }

    @Test(arguments: [110.0, 440, 445, 999, 1_000, 3_333, 12_000])
    func `the dominant frequency is found to a hertz, beside noise and weaker tones`(hertz: Double) throws {
        var random = SeededGenerator(seed: 1)
        let noise = Sounds.noise(300, samples: 4_800, using: &random)
        let other = Sounds.tone(2_100, amplitude: 1_000, samples: 4_800)
        let pcm = zip(zip(Sounds.tone(hertz, samples: 4_800), other), noise).map { $0.0 + $0.1 + $1 }
        var spectrum = Spectrum()
        let found = spectrum.dominantFrequency(of: pcm.span)
        #expect(abs(try #require(found) - hertz) < 1.5)
    }

    @Test func `silence has no dominant frequency`() {
        var spectrum = Spectrum()
        let (silence, short) = ([Int16](repeating: 0, count: 4_096), Sounds.tone(440, samples: 100))
        let found = (spectrum.dominantFrequency(of: silence.span), spectrum.dominantFrequency(of: short.span))
        #expect(found.0 == nil && found.1 == nil)
    }

    @Test func `a tone is measured beside one 40 dB louder`() {
        let pcm = zip(Sounds.tone(440, amplitude: 20_000, samples: 4_800), Sounds.tone(660, amplitude: 200, samples: 4_800)).map { $0 + $1 }
        #expect(abs(ToneMeter.level(of: 440, in: pcm.span) - -4.3) < 0.2)
        #expect(abs(ToneMeter.level(of: 660, in: pcm.span) - -44.3) < 1)
        #expect(ToneMeter.level(of: 880, in: pcm.span) < -70)
    }
}
