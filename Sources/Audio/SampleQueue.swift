/// Samples waiting to be taken in ticks. Bounded: what does not fit pushes the oldest out and is counted.
struct SampleQueue: ~Copyable {
    /// Two packets of the longest kind.
    static let capacity = 2 * AudioFormat.mostSamplesPerPacket
    private var storage = [Int16](repeating: 0, count: SampleQueue.capacity)
    private var start = 0
    private(set) var count = 0
    private(set) var dropped: UInt64 = 0

    /// - Parameter wanted: how many from the front of `samples`.
    mutating func append(_ samples: [Int16], count wanted: Int) {
        let taken = min(wanted, samples.count, Self.capacity)
        let excess = max(0, count + taken - Self.capacity)
        skip(excess)
        dropped &+= UInt64(excess)
        Self.put(samples.span, count: taken, at: (start + count) % Self.capacity, into: &storage)
        count += taken
    }

    /// Fills `output` from the queue.
    /// - Returns: how many samples there were; what is behind them is untouched.
    mutating func take(into output: inout MutableSpan<Int16>) -> Int {
        let taken = min(count, output.count)
        Self.get(storage.span, count: taken, at: start, into: &output)
        skip(taken)
        return taken
    }

    /// Takes the last samples off the queue, into the beginning of `samples`.
    /// - Returns: false where there are not so many; nothing is taken then.
    mutating func takeLast(_ wanted: Int, into samples: inout [Int16]) -> Bool {
        guard wanted <= count, wanted <= samples.count else { return false }
        var output = samples.mutableSpan
        count -= wanted
        Self.get(storage.span, count: wanted, at: (start + count) % Self.capacity, into: &output)
        return true
    }

    private mutating func skip(_ samples: Int) {
        start = (start + samples) % Self.capacity
        count -= samples
    }

    private static func put(_ samples: Span<Int16>, count: Int, at start: Int, into storage: inout [Int16]) {
        var storage = storage.mutableSpan
        var place = start
        for i in 0..<count {
            storage[place] = samples[i]
            place = place + 1 == capacity ? 0 : place + 1
        }
    }

    private static func get(_ storage: Span<Int16>, count: Int, at start: Int, into output: inout MutableSpan<Int16>) {
        var place = start
        for i in 0..<count {
            output[i] = storage[place]
            place = place + 1 == capacity ? 0 : place + 1
        }
    }
}
