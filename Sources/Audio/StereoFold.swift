/// Two channels as one. Half the sum as a rule; but a sender whose channels are opposite (a balanced plug in a stereo socket) cancels itself there, so then the
/// louder channel alone is taken. Which of them it is shows in the energies of the half sum and the half difference, looked at every 10 ms.
struct StereoFold: Sendable {
    /// 10 ms, which is also how long the way from one form to another takes: a jump is a click.
    static let blockLength = 480
    /// Gains are Q15; the other channel has what is left to `full`.
    private static let (full, half) = (Int32(1) << 15, Int32(1) << 14)
    private static let step = half / Int32(blockLength) + 1
    /// Below this mean square, some −65 dBov, nothing is decided.
    private static let least: Float = 340

    private enum Form { case sum, left, right }
    private var form = Form.sum
    /// Of the left channel at this moment.
    private var gain = StereoFold.half
    // Mean squares, smoothed over some 80 ms.
    private var (left, right, mid, side): (Float, Float, Float, Float) = (0, 0, 0, 0)

    /// - Parameters:
    ///   - pairs: left and right in turn, `2 * count` of them.
    ///   - decides: false for sound that was made up for a lost packet.
    mutating func fold(_ pairs: [Int16], count: Int, decides: Bool, into pcm: inout MutableSpan<Int16>) {
        precondition(count * 2 <= pairs.count && count <= pcm.count)
        var start = 0
        while start < count {
            let end = min(count, start + Self.blockLength)
            if decides {
                measure(pairs, start..<end)
                decide()
            }
            write(pairs, start..<end, into: &pcm)
            start = end
        }
    }

    private mutating func measure(_ pairs: [Int16], _ range: Range<Int>) {
        var (ll, rr, lr): (Int64, Int64, Int64) = (0, 0, 0)
        for index in range {
            let (one, other) = (Int32(pairs[2 &* index]), Int32(pairs[2 &* index &+ 1]))
            ll &+= Int64(one &* one)
            rr &+= Int64(other &* other)
            lr &+= Int64(one &* other)
        }
        let share = 0.125 / Float(range.count)
        left += share * Float(ll) - 0.125 * left
        right += share * Float(rr) - 0.125 * right
        mid += share * Float(ll &+ rr &+ 2 &* lr) / 4 - 0.125 * mid
        side += share * Float(ll &+ rr &- 2 &* lr) / 4 - 0.125 * side
    }

    private mutating func decide() {
        guard max(left, right) > Self.least else { return }
        switch form {
        case .sum: if side > 3 * mid { form = left >= right ? .left : .right }
        case .left: form = side < 1.5 * mid ? .sum : (right > 4 * left ? .right : .left)
        case .right: form = side < 1.5 * mid ? .sum : (left > 4 * right ? .left : .right)
        }
    }

    private mutating func write(_ pairs: [Int16], _ range: Range<Int>, into pcm: inout MutableSpan<Int16>) {
        let target = form == .sum ? Self.half : (form == .left ? Self.full : 0)
        var gain = gain
        for index in range {
            gain = gain < target ? min(target, gain &+ Self.step) : max(target, gain &- Self.step)
            let sum = Int32(pairs[2 &* index]) &* gain &+ Int32(pairs[2 &* index &+ 1]) &* (Self.full &- gain)
            pcm[index] = Int16(truncatingIfNeeded: sum >> 15)
        }
        self.gain = gain
    }
}
