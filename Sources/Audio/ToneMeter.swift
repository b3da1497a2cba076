import Foundation

/// How much of a given tone is in a piece of sound (Goertzel's algorithm under a Hann window). For measuring, not for the way of a packet.
package enum ToneMeter {
    /// The level that is returned for none at all.
    package static let nothing = -160.0

    /// - Parameter pcm: 48 kHz; 4 800 samples (100 ms) tell tones 40 Hz apart.
    /// - Returns: dB relative to a sine of full scale.
    package static func level(of hertz: Double, in pcm: Span<Int16>) -> Double {
        guard pcm.count > 1, hertz > 0, hertz < 24_000 else { return nothing }
        let coefficient = 2 * cos(2 * .pi * hertz / Double(AudioFormat.sampleRate))
        let turn = 2 * .pi / Double(pcm.count)
        var (last, beforeLast) = (0.0, 0.0)
        for i in pcm.indices {
            let window = 0.5 - 0.5 * cos(turn * Double(i))
            (last, beforeLast) = (Double(pcm[i]) * window + coefficient * last - beforeLast, last)
        }
        let power = last * last + beforeLast * beforeLast - coefficient * last * beforeLast
        // A sine of amplitude A gives |X| = A · n/2 · 1/2 (the window's mean).
        let amplitude = max(power, 0).squareRoot() * 4 / Double(pcm.count)
        return amplitude > 0 ? max(nothing, 20 * log10(amplitude / 32_767)) : nothing
    }
}
