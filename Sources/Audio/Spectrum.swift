import Foundation

/// Finds the loudest frequency of 4 096 samples (85 ms). For measuring, not for the way of a packet.
package struct Spectrum: ~Copyable {
    package static let length = 4_096
    private var real = [Float](repeating: 0, count: Spectrum.length)
    private var imaginary = [Float](repeating: 0, count: Spectrum.length)
    private let window: [Float]
    private let cosines: [Float]
    private let sines: [Float]

    package init() {
        let turn = 2 * Float.pi / Float(Self.length)
        window = (0..<Self.length).map { 0.5 - 0.5 * cos(turn * Float($0)) }
        cosines = (0..<Self.length / 2).map { cos(turn * Float($0)) }
        sines = (0..<Self.length / 2).map { -sin(turn * Float($0)) }
    }

    /// - Parameter pcm: 48 kHz; the last 4 096 samples are taken.
    /// - Returns: Hz, to about 1 Hz for a clean tone; nil for silence (below −70 dBFS) or too few samples.
    package mutating func dominantFrequency(of pcm: Span<Int16>) -> Double? {
        guard pcm.count >= Self.length else { return nil }
        let offset = pcm.count - Self.length
        for i in 0..<Self.length { (real[i], imaginary[i]) = (Float(pcm[offset + i]) * window[i], 0) }
        transform()
        return peak()
    }

    private func power(_ bin: Int) -> Float { real[bin] * real[bin] + imaginary[bin] * imaginary[bin] }

    private func peak() -> Double? {
        var best = 3
        for bin in 3..<Self.length / 2 - 1 where power(bin) > power(best) { best = bin }
        let amplitude = power(best).squareRoot() * 4 / Float(Self.length)
        guard amplitude > 10 else { return nil }
        // A parabola through the logarithms of the peak and its neighbours finds the place between bins (11.7 Hz apart).
        let (left, middle, right) = (log(power(best - 1) + 1), log(power(best) + 1), log(power(best + 1) + 1))
        let curve = left - 2 * middle + right
        let shift = curve == 0 ? 0 : 0.5 * (left - right) / curve
        return Double(Float(best) + shift) * Double(AudioFormat.sampleRate) / Double(Self.length)
    }

    /// The radix-2 Fourier transform in place.
    private mutating func transform() {
        var reversed = 0
        for i in 1..<Self.length {
            var bit = Self.length >> 1
            while reversed & bit != 0 {
                reversed ^= bit
                bit >>= 1
            }
            reversed |= bit
            if i < reversed {
                real.swapAt(i, reversed)
                imaginary.swapAt(i, reversed)
            }
        }
        var half = 1
        while half < Self.length {
            let stride = Self.length / (2 * half)
            for base in Swift.stride(from: 0, to: Self.length, by: 2 * half) {
                for k in 0..<half { butterfly(base + k, base + k + half, cosines[k * stride], sines[k * stride]) }
            }
            half *= 2
        }
    }

    private mutating func butterfly(_ a: Int, _ b: Int, _ cosine: Float, _ sine: Float) {
        let turnedReal = real[b] * cosine - imaginary[b] * sine
        let turnedImaginary = real[b] * sine + imaginary[b] * cosine
        (real[b], imaginary[b]) = (real[a] - turnedReal, imaginary[a] - turnedImaginary)
        (real[a], imaginary[a]) = (real[a] + turnedReal, imaginary[a] + turnedImaginary)
    }
}
