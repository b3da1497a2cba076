/// What a sender without transport-wide feedback is told that it may send (REMB): the loss-based controller of draft-ietf-rmcat-gcc-02 §6, kept near what
/// really comes in, so that a sender which paused does not come back at a rate that nobody has tried.
package struct ReceiveSideEstimate: Sendable {
    /// Room for sound and the least picture of a browser; more than what asks for a pause of the picture (`VideoWish`).
    package static let least = 70_000
    private static let growth = 1.08
    private let most: Double
    private var rate: Double

    package var bitsPerSecond: Int { Int(rate) }

    /// - Parameter mostBitsPerSecond: the receiver's own wish; also where it begins.
    package init(mostBitsPerSecond: Int) { (most, rate) = (Double(mostBitsPerSecond), Double(mostBitsPerSecond)) }

    /// The sender does not keep to it: half of it, from which it grows again.
    package mutating func lower() { rate = max(Double(Self.least), rate / 2) }

    /// - Parameters:
    ///   - loss: of the last interval, 0 … 1.
    ///   - bytes: received in it, RTP headers included.
    package mutating func evaluate(loss: Double, bytes: Int, in interval: Duration) {
        guard interval > .zero else { return }
        let received = Double(bytes) * 8 / interval.seconds
        if loss > 0.1 {
            rate = min(rate, max(received, Double(Self.least))) * (1 - loss / 2)
        } else if loss < 0.02 {
            rate = max(rate, min(rate * Self.growth, received * 1.5 + 10_000))
        }
        rate = min(most, max(Double(Self.least), rate))
    }
}
