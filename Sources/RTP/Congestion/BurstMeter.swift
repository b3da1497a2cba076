import Base

/// Whether a line is so fast that it needs no care: packets that left together arrive together. Three of them are 1/10 of a picture, which says more of a line
/// in a millisecond than seconds of padding.
package struct BurstMeter: Sendable {
    /// A line that carries this passes a whole key frame within the time between two pictures.
    package static let fastBitsPerSecond = 10_000_000.0
    /// Packets of one burst, the first of which starts the clock.
    private static let least = 3
    private static let together = Duration.microseconds(500)
    /// Later than this, ms, the first of a burst was held up by something, and those behind it came out with it however fast the line is.
    private static let prompt = 10.0
    /// Bursts in a row that must have been fast.
    private static let proof = 3

    private var began: Delivery?
    private var earliest: Instant = .start
    private var latest: Instant = .start
    private var bytes = 0
    private var packets = 0
    private var fast = 0
    /// When the last fast one left.
    private var lastFast: Instant?
    private static let fresh = Duration.milliseconds(300)

    private typealias Delivery = (number: Int64, sent: Instant)

    package init() {}

    package var isFast: Bool { fast >= Self.proof }

    /// It was so a moment ago.
    package func isFast(at sent: Instant) -> Bool { isFast && lastFast.map { sent - $0 < Self.fresh } ?? false }

    /// A line that was found to queue is not fast, whatever its bursts say.
    package mutating func doubt() { self = BurstMeter() }

    /// - Parameter late: ms beyond what the empty line takes.
    package mutating func add(_ delivery: SentPackets.Delivery, late: Double) {
        if let began, delivery.sent - began.sent < Self.together, delivery.number == began.number + Int64(packets) {
            packets += 1
            bytes += delivery.bytes
            // Where packets overtake each other, the first may be the last to arrive.
            (earliest, latest) = (min(earliest, delivery.arrival), max(latest, delivery.arrival))
            return
        }
        finish()
        guard late <= Self.prompt else { return began = nil }
        began = (delivery.number, delivery.sent)
        (earliest, latest) = (delivery.arrival, delivery.arrival)
        (packets, bytes) = (1, 0)
    }

    private mutating func finish() {
        guard let began, packets >= Self.least else { return }
        // Arrivals are told in steps of 250 µs.
        let span = max(0.000_25, (latest - earliest).seconds)
        let rate = Double(bytes * 8) / span
        // So few bytes within one step say no more than the step does.
        guard rate >= Self.fastBitsPerSecond || span > 0.000_5 else { return }
        if rate >= Self.fastBitsPerSecond { lastFast = began.sent }
        fast = rate >= Self.fastBitsPerSecond ? min(fast + 1, Self.proof * 2) : max(0, fast - 2)
    }
}
