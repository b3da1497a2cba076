import Base

/// What the line to a receiver carries, headers included: as much as was seen to arrive without a queue, and where a queue stands, what then comes out of it.
///
/// It does not grow by itself and does not shrink by itself. A sender that has little to send learns nothing of the line, and a line is not thin because little
/// goes over it; more is proven by a probe (`LineProbe`). Like draft-ietf-rmcat-gcc-02 it rests on delay and on what arrives, unlike it on the least delay of
/// 300 ms instead of a gradient: jitter makes some packets late, a queue all of them, and tiers need no finer answer than this.
package struct LineEstimate: Sendable {
    package static let least = 20_000.0
    /// More is never needed: what comes above is as good as anything.
    package static let most = 5_000_000.0
    /// Before anything is known.
    package static let start = 300_000.0
    /// Of what comes out of a queue: the rest empties it, and is room for what an encoder sends too much.
    private static let share = 0.93
    /// A queue of so many milliseconds is one where the gauge is calm.
    private static let threshold = 30.0
    private static let mostThreshold = 140.0
    private static let mark = Duration.milliseconds(200)
    /// A queue that does not shrink for so long though less is sent is none of ours.
    private static let patience = Duration.milliseconds(1_500)

    /// Bits a second.
    package private(set) var bitsPerSecond: Double
    /// Something was measured.
    package private(set) var isKnown = false
    /// A queue stands since then.
    package private(set) var congestedSince: Instant?
    /// The last time that it began, or that it ended.
    package private(set) var lastQueue: Instant?
    /// Times that a queue began.
    package private(set) var episodes = 0
    package var isCongested: Bool { congestedSince != nil }
    /// The most that was seen to get through in this span of time and in the one before.
    private var (most, mostBefore) = (0.0, 0.0)
    private var spanBegan: Instant?
    private static let span = Duration.seconds(6)
    /// What came out of the queue.
    private var capacity = 0.0
    /// The same when the queue began.
    private var capacityAtFirst = 0.0
    private var marked: (time: Instant, queue: Double)?
    private var rising = 0.0
    /// The smallest queue of this episode, and when that was.
    private var smallest: (queue: Double, time: Instant) = (0, .start)

    /// - Parameter start: what is taken for granted before anything is known, bit/s.
    package init(start: Double = Self.start) { bitsPerSecond = min(Self.most, max(Self.least, start)) }

    /// What was seen to get through in the last six to twelve seconds: of a line that was sent less for longer nobody knows whether it still carries
    /// `bitsPerSecond`.
    package var lately: Double { min(bitsPerSecond, max(most, mostBefore)) }

    private mutating func see(_ bits: Double, now: Instant) {
        let began = spanBegan ?? now
        spanBegan = began
        if now - began > Self.span { (most, mostBefore, spanBegan) = (0, most, now) }
        most = max(most, bits)
    }

    /// From so many milliseconds on a queue is one. A line that wavers all the time reaches twice what it does as a rule, now and then.
    package static func limit(_ gauge: QueueGauge) -> Double {
        min(mostThreshold, threshold + gauge.unrest * (gauge.isWavering ? 2 : 1))
    }
    /// The same for the queue of the newest packets.
    package static func latestLimit(_ gauge: QueueGauge) -> Double { min(mostThreshold, threshold + gauge.latestUnrest) }

    /// After each feedback.
    /// - Parameters:
    ///   - delivered: what arrived over the last half second, bit/s.
    ///   - busy: the same over the last 200 ms.
    ///   - left: what of it left in the time of which feedback tells, bit/s.
    ///   - loses: more is lost than the line does by itself.
    ///   - isFast: what leaves together arrives together. Then nothing of ours waits, whatever is late.
    package mutating func update(
        _ gauge: inout QueueGauge, delivered: Double?, busy: Double?, left: Double?, loses: Bool, isFast: Bool, now: Instant
    ) {
        let queue = gauge.milliseconds
        // What jitter brings closer together did not get through any faster than it left.
        let carried = delivered.flatMap { delivered in left.map { min(delivered, $0) } }
        see(carried ?? 0, now: now)
        if let marked, now - marked.time < Self.mark {
        } else {
            rising = queue - (marked?.queue ?? queue)
            gauge.learnUnrest(isCongested ? .zero : min(.seconds(1), now - (marked?.time ?? now)))
            marked = (now, queue)
        }
        let limit = Self.limit(gauge)
        guard let since = congestedSince else {
            if !isFast, queue > limit, rising > 3 || queue > limit * 2 {
                return begin(queue, [busy, delivered].compactMap { $0 }.max(), now: now)
            }
            if let carried, queue < limit {
                isKnown = true
                bitsPerSecond = min(Self.most, max(bitsPerSecond, carried))
            }
            return
        }
        if queue < max(15, limit / 2) {
            (congestedSince, lastQueue) = (nil, now)
            return
        }
        // All of the last 300 ms waited: what arrives is what the line carries, unless it is no more than what leaves. Then nothing of ours waits.
        if queue > limit, let busy {
            let arriving = max(busy, delivered ?? 0)
            if arriving > capacity {
                settle(on: arriving)
            } else if (left ?? 0) > arriving * 1.05 {
                // Of a thin line a few packets are all that there is to count: what is a little less may be chance.
                settle(on: arriving > capacity * 0.75 ? (arriving + capacity) / 2 : arriving)
            }
        }
        if queue < smallest.queue * 0.9 { smallest = (queue, now) }
        guard now - smallest.time > Self.patience, now - since > Self.patience else { return }
        // A queue that is full stays as it is too, but then it loses.
        if !loses, let left, left < max(capacity, capacityAtFirst) * 0.85 {
            gauge.rebase()
            (congestedSince, lastQueue) = (nil, now)
        } else {
            smallest = (queue, now)
        }
    }

    private mutating func begin(_ queue: Double, _ arriving: Double?, now: Instant) {
        congestedSince = now
        lastQueue = now
        episodes += 1
        smallest = (queue, now)
        capacity = bitsPerSecond
        if let arriving { settle(on: arriving) }
        capacityAtFirst = capacity
    }

    private mutating func settle(on arriving: Double) {
        isKnown = true
        capacity = min(Self.most, max(Self.least, arriving))
        bitsPerSecond = max(Self.least, capacity * Self.share)
    }

    /// What may leave while a queue is emptied; nil while there is none to speak of.
    /// - Parameter queue: milliseconds.
    package func draining(_ queue: Double) -> Double? { isCongested && queue > 60 ? capacity * 0.7 : nil }

    /// Sets it to what was found in another way.
    package mutating func set(_ bits: Double) {
        isKnown = true
        bitsPerSecond = min(Self.most, max(Self.least, bits))
    }

    /// The line was silent: a queue is not there any more, or is another one.
    package mutating func forgetQueue() { (congestedSince, marked, rising) = (nil, nil, 0) }
}
