/// The sum of everybody's sound in one tick (960 samples, 20 ms at 48 kHz), and from it each speaker's mix without itself.
///
/// At most `mostVoices` are added in a tick: the limiter computes in 32 bits.
package struct MixBus: ~Copyable {
    package static let mostVoices = 7
    private var sum = [Int32](repeating: 0, count: AudioFormat.samplesPerTick)
    private var scratch = [Int32](repeating: 0, count: AudioFormat.samplesPerTick)
    /// How many voices the sum has.
    package private(set) var voices = 0

    package init() {}

    /// Begins a tick.
    package mutating func clear() {
        voices = 0
        var sum = sum.mutableSpan
        for i in sum.indices { sum[i] = 0 }
    }

    /// - Returns: false where the bus is full; the voice is then not in the mix.
    @discardableResult
    package mutating func add(_ voice: Span<Int16>) -> Bool {
        guard voice.count == sum.count, voices < Self.mostVoices else { return false }
        voices += 1
        var sum = sum.mutableSpan
        for i in voice.indices { sum[i] &+= Int32(voice[i]) }
        return true
    }

    /// Writes everybody, for those who only listen.
    package func write(limitedBy limiter: inout Limiter, into output: inout MutableSpan<Int16>) { limiter.limit(sum.span, into: &output) }

    /// Writes the mix without `voice`, which must be what was added: the difference is exact, so a speaker never hears a remainder of itself.
    package mutating func write(without voice: Span<Int16>, limitedBy limiter: inout Limiter, into output: inout MutableSpan<Int16>) {
        precondition(voice.count == sum.count)
        // Out of `self` and back, because the compiler does not lend two of its arrays at once. An empty array is no allocation.
        var others: [Int32] = []
        swap(&others, &scratch)
        defer { swap(&others, &scratch) }
        Self.subtract(voice, from: sum.span, into: &others)
        limiter.limit(others.span, into: &output)
    }

    private static func subtract(_ voice: Span<Int16>, from sum: Span<Int32>, into difference: inout [Int32]) {
        var difference = difference.mutableSpan
        for i in voice.indices { difference[i] = sum[i] &- Int32(voice[i]) }
    }
}
