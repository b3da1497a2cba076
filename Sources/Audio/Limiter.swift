/// Keeps the sum of voices within 16 bits by turning it down for a moment, instead of cutting its peaks off. One for each output, since each hears another sum.
///
/// Without look-ahead beyond the tick at hand: the tick is cut into blocks of 2.5 ms, and the gain moves linearly between their borders. It falls within
/// a block and rises by a tenth of the way a block (−60 dB of the way in about 160 ms), so that speech does not pump.
package struct Limiter: Sendable {
    /// Peaks are brought to −1 dBFS; what is above that for the first samples of a sudden attack still has room up to full scale.
    package static let ceiling: Int32 = 29_204
    static let blockLength = 120
    private static let blocks = AudioFormat.samplesPerTick / blockLength
    private static let release: Float = 0.1
    /// Gains are Q13: 7 voices × 2^15 × 2^13 < 2^31.
    private static let unity: Int32 = 1 << 13

    /// At the end of the last tick, 0 … 1.
    package private(set) var gain: Float = 1
    private var targets = [Float](repeating: 1, count: Limiter.blocks)

    package init() {}

    /// - Parameters:
    ///   - sum: 960 samples, each within ±7 × 32 768.
    ///   - output: 960 samples, never beyond ±32 767.
    package mutating func limit(_ sum: Span<Int32>, into output: inout MutableSpan<Int16>) {
        precondition(sum.count == AudioFormat.samplesPerTick && output.count == AudioFormat.samplesPerTick)
        let peak = Self.peak(of: sum, in: 0..<sum.count)
        if gain == 1, peak <= Self.ceiling { return Self.copy(sum, into: &output) }
        for block in 0..<Self.blocks { targets[block] = Self.target(forPeak: Self.peak(of: sum, in: Self.range(of: block))) }
        for block in 0..<Self.blocks { writeBlock(block, sum, into: &output) }
    }

    private mutating func writeBlock(_ block: Int, _ sum: Span<Int32>, into output: inout MutableSpan<Int16>) {
        // The border after this block is also the start of the next one, which may need less gain.
        let next = block + 1 < Self.blocks ? targets[block + 1] : 1
        let allowed = min(targets[block], next)
        let end = allowed < gain ? allowed : min(allowed, gain + (1 - gain) * Self.release)
        // Only the first block of a tick can begin too loud; its start is let down to where full scale is just kept.
        let most = targets[block] * (32_767 / Float(Self.ceiling))
        let start = targets[block] < 1 ? min(gain, most) : gain
        Self.ramp(sum, in: Self.range(of: block), from: start, to: end, into: &output)
        gain = end > 0.999 ? 1 : end
    }

    private static func range(of block: Int) -> Range<Int> { block * blockLength..<(block + 1) * blockLength }

    private static func target(forPeak peak: Int32) -> Float { peak <= ceiling ? 1 : Float(ceiling) / Float(peak) }

    private static func peak(of sum: Span<Int32>, in range: Range<Int>) -> Int32 {
        var peak: Int32 = 0
        for i in range { peak = max(peak, sum[i] < 0 ? 0 &- sum[i] : sum[i]) }
        return peak
    }

    private static func copy(_ sum: Span<Int32>, into output: inout MutableSpan<Int16>) {
        for i in sum.indices { output[i] = Int16(truncatingIfNeeded: sum[i]) }  // the peak was checked
    }

    private static func ramp(_ sum: Span<Int32>, in range: Range<Int>, from: Float, to: Float, into output: inout MutableSpan<Int16>) {
        // Q24 for the ramp, so that its small steps add up; Q13 for the product.
        let first = Int32(from * Float(unity << 11))
        let step = (Int32(to * Float(unity << 11)) &- first) / Int32(blockLength)
        let base = range.lowerBound
        for i in 0..<blockLength {
            let gain = (first &+ step &* Int32(truncatingIfNeeded: i)) >> 11
            output[base &+ i] = Int16(clamping: (sum[base &+ i] &* gain) >> 13)
        }
    }
}
