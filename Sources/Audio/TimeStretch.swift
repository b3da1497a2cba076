import Foundation

/// Makes 20 ms of sound shorter or longer by one period of it, so that nobody hears a seam: WSOLA (Verhelst and Roelands, 1993), as one cut at a time.
///
/// The period is where the sound is most like itself, by normalised cross-correlation: over the sound at a quarter of its rate first, then sample by sample.
/// Nothing is allocated after the start.
struct TimeStretch: ~Copyable {
    /// Samples that are looked at: one tick.
    static let window = AudioFormat.samplesPerTick
    /// 2.5 … 15 ms: 400 … 67 Hz and multiples of higher voices.
    static let shortest = 120
    static let longest = 720
    /// Samples over which the two sides are compared and cross-faded at most, 10 ms.
    private static let overlap = 480
    /// Likeness, 0 … 1, from which a cut is not heard; each sound that had none lowers it, down to that of noise, whose seams are not heard either.
    private static let likeness: Float = 0.9
    private static let leastLikeness: Float = 0.1
    private static let impatience: Float = 0.02
    /// A longer period is taken for so much less likeness.
    private static let tolerance: Float = 0.03
    /// Mean square of what is silence, −55 dBov: there any cut will do.
    private static let quiet: Float = 3_400

    private var coarse = [Float](repeating: 0, count: window / 4)
    private var energy = [Float](repeating: 0, count: window / 4 + 1)
    private var fine = [Float](repeating: 0, count: window)
    private var likenesses = [Float](repeating: 0, count: longest / 4 + 1)
    /// The rising half of a raised cosine.
    private let rise = (0..<overlap).map { Float(0.5 - 0.5 * cos(Double.pi * (Double($0) + 0.5) / Double(overlap))) }
    private var asked = TimeStretch.likeness

    /// Whether the last sound that was looked at was silence.
    private(set) var wasQuiet = false

    /// Takes one period out of the first `window` samples.
    /// - Parameters:
    ///   - pcm: at least `window` samples; what is left of them stands at its beginning.
    ///   - most: samples that may be taken.
    /// - Returns: the samples taken, 0 where the sound has no period that short.
    mutating func shorten(_ pcm: inout [Int16], most: Int) -> Int {
        guard pcm.count >= Self.window, most >= Self.shortest, let period = period(of: pcm, most: min(most, Self.longest)) else { return 0 }
        let length = min(Self.overlap, Self.window - period)
        for index in 0..<length { fade(&pcm, from: index, to: index &+ period, at: index, index, of: length) }
        for index in length..<(Self.window - period) { pcm[index] = pcm[index &+ period] }
        return period
    }

    /// Says one period of the first `window` samples twice.
    /// - Parameter pcm: room for `window + longest` samples.
    /// - Returns: the samples added, 0 where the sound has no period that short.
    mutating func lengthen(_ pcm: inout [Int16]) -> Int {
        guard pcm.count >= Self.window + Self.longest, let period = period(of: pcm, most: Self.longest) else { return 0 }
        let length = min(Self.overlap, Self.window - period)
        for index in stride(from: Self.window - 1, through: length, by: -1) { pcm[index &+ period] = pcm[index] }
        for index in 0..<length {
            let next = Float(pcm[index &+ period])
            fine[index] = next + (Float(pcm[index]) - next) * rise[index &* Self.overlap / length]
        }
        for index in 0..<length { pcm[index &+ period] = Int16(fine[index].rounded()) }
        return period
    }

    private func fade(_ pcm: inout [Int16], from one: Int, to other: Int, at place: Int, _ step: Int, of length: Int) {
        let before = Float(pcm[one])
        pcm[place] = Int16((before + (Float(pcm[other]) - before) * rise[step &* Self.overlap / length]).rounded())
    }

    // MARK: The period

    private mutating func period(of pcm: [Int16], most: Int) -> Int? {
        decimate(pcm)
        let isQuiet = energy[Self.window / 4] / Float(Self.window / 4) < Self.quiet
        wasQuiet = isQuiet
        if isQuiet { return most }
        guard let lag = coarseLag(most: most / 4) else { return nil }
        let (period, found) = refine(lag, pcm, most: most)
        guard found >= asked else {
            // Where little may be taken, a longer period may be the good one, and there is no haste.
            if most == Self.longest { asked = max(Self.leastLikeness, asked - Self.impatience) }
            return nil
        }
        asked = Self.likeness
        return period
    }

    private mutating func decimate(_ pcm: [Int16]) {
        var sum: Float = 0
        for index in coarse.indices {
            let at = 4 &* index
            let mean = Int32(pcm[at]) &+ Int32(pcm[at &+ 1]) &+ Int32(pcm[at &+ 2]) &+ Int32(pcm[at &+ 3])
            coarse[index] = Float(mean) / 4
            sum += coarse[index] * coarse[index]
            energy[index &+ 1] = sum
        }
        for index in fine.indices { fine[index] = Float(pcm[index]) }
    }

    /// In samples of the coarse sound; the longest of those that are nearly the best.
    private mutating func coarseLag(most: Int) -> Int? {
        let (least, count) = (Self.shortest / 4, coarse.count)
        guard most >= least else { return nil }
        var best: Float = -1
        for lag in least...most {
            let width = min(Self.overlap / 4, count &- lag)
            var sum: Float = 0
            for index in 0..<width { sum += coarse[index] * coarse[index &+ lag] }
            let power = energy[width] * (energy[lag &+ width] - energy[lag])
            likenesses[lag] = power > 0 ? sum / power.squareRoot() : 0
            best = max(best, likenesses[lag])
        }
        return (least...most).last { lag in
            likenesses[lag] >= best - Self.tolerance && (lag == most || likenesses[lag] >= likenesses[lag + 1])
                && (lag == least || likenesses[lag] >= likenesses[lag - 1])
        }
    }

    private func refine(_ lag: Int, _ pcm: [Int16], most: Int) -> (period: Int, likeness: Float) {
        var best = (period: 0, likeness: Float(-1))
        for period in max(Self.shortest, 4 * lag - 4)...max(Self.shortest, min(most, 4 * lag + 4)) {
            let width = min(Self.overlap, Self.window &- period)
            var (product, one, other): (Float, Float, Float) = (0, 0, 0)
            for index in 0..<width {
                product += fine[index] * fine[index &+ period]
                one += fine[index] * fine[index]
                other += fine[index &+ period] * fine[index &+ period]
            }
            let likeness = one * other > 0 ? product / (one * other).squareRoot() : 0
            if likeness > best.likeness { best = (period, likeness) }
        }
        return best
    }
}
