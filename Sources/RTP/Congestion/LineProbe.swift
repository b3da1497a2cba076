import Base

/// Proves that a line carries more than it is sent, by padding: a train of a few packets first, which tells a fast line in a millisecond; then half a second of
/// a seventh more, and while that goes well, almost twice as much. Ends at once where a queue shows, and the next one waits.
package struct LineProbe: Sendable {
    private static let duration = Duration.milliseconds(550)
    /// Where sound goes alone feedback comes each 250 ms, and all of what is measured over half a second must lie within the run.
    private static let (longDuration, longBelow) = (Duration.milliseconds(850), 50_000.0)
    /// Between the steps of a climb that goes well: what arrived last must be known.
    private static let pause = Duration.milliseconds(400)
    /// After a change of tier.
    private static let settling = Duration.milliseconds(1_000)
    private static let (first, factor, leastStep) = (1.15, 1.8, 15_000.0)
    private static let (shortestWait, longestWait, longestContentWait) = (Duration.seconds(4), Duration.seconds(20), Duration.seconds(40))
    /// Trains in a row, and packets of each.
    private static let (trains, trainPackets, trainPause) = (5, 5, Duration.milliseconds(120))

    /// What to send now.
    package enum Demand: Equatable, Sendable {
        case nothing
        /// So many packets at once, of `trainPayload` bytes.
        case train(packets: Int)
        /// So many bytes, headers included, in packets of any size.
        case padding(bytes: Int)
    }

    private struct Run: Sendable {
        /// What shall arrive, and what is sent for that.
        var target: Double
        var rate: Double
        var began: Instant
        var until: Instant
        /// What had been sent when it began.
        var sentBefore: Int64
    }

    private var run: Run?
    private var trainsLeft = trains
    private var nextTrain: Instant?
    private var nextRun: Instant?
    private var wait = shortestWait
    /// Who has a good picture asks for a better one more seldom.
    private var mostWait = longestWait
    /// How old news is when it comes.
    private var lag = Duration.zero
    private var goesWell = false
    /// The longest queue of the last run, ms beyond what the gauge wavers by.
    private var worst = 0.0
    /// What a run must have proven of what it tried: what arrives is known to a few percent.
    private static let (proof, almost) = (0.88, 0.75)
    /// On a thinner line each run costs more than a wait.
    private static let repeatAbove = 150_000.0
    private var isRepeated = false
    private static let mostLoss = 0.2
    /// And the queue that it may have left, in milliseconds: a few for any line, and the time that a packet of sound or padding itself takes on this one, where
    /// the shortest ones set the measure.
    private static func mostQueue(_ bits: Double) -> Double { 18 + 300 * 8 * 1_000 / max(bits, 30_000) }
    /// What the last call wanted to reach.
    private var goal: Double?
    /// What the last run tried; nil once it was compared with what it proved.
    private var tried: Double?
    /// When a line that was found wanting is asked by trains again.
    private var trainsAgain: Instant?

    package init() {}

    package var isRunning: Bool { run != nil }

    /// When to ask for a demand next; nil while nothing is planned.
    package func deadline(now: Instant) -> Instant? {
        if run != nil { return now + .milliseconds(10) }
        guard trainsLeft > 0, trainsLeft < Self.trains, let nextTrain else { return nil }
        // One that is due waits for a calm line.
        return max(nextTrain, now + .milliseconds(20))
    }

    /// - Parameters:
    ///   - bits: what the line is known to carry.
    ///   - enough: what the next better picture needs; nil where there is no better one.
    ///   - isCalm: nothing queues and nothing more than usual is lost, for a second or more.
    ///   - queue: of the newest packets, ms beyond what the gauge wavers by.
    ///   - isContent: the present picture is a good one.
    ///   - lag: how long ago those packets left of which feedback tells.
    ///   - loss: of what was sent lately, 0 … 1: so much more is sent than shall arrive.
    ///   - sent: bytes so far, headers included.
    package mutating func demand(
        bits: Double, enough: Double?, isCalm: Bool, isFast: Bool, queue: Double, isContent: Bool, lag: Duration, loss: Double, sent: Int64,
        now: Instant
    ) -> Demand {
        if run != nil || tried != nil { worst = max(worst, queue) }
        (mostWait, self.lag) = (isContent ? Self.longestContentWait : Self.longestWait, lag)
        guard let enough, !isFast, bits < enough else {
            run = nil
            return .nothing
        }
        if enough != goal {
            // A better picture began: whether it fits is to be seen first. What was still running has shown what it was for.
            (goesWell, goal) = (false, enough)
            (run, tried) = (nil, nil)
            nextRun = max(nextRun ?? now, now + Self.settling)
        }
        if let present = run {
            guard now < present.until else {
                end(now: now)
                return .nothing
            }
            let due = Int64(present.rate / 8 * (now - present.began).seconds)
            // A thread that was late does not make up for it all at once.
            let missing = min(Int64(present.rate / 8 * 0.04), due - (sent - present.sentBefore))
            return missing > 100 ? .padding(bytes: Int(missing)) : .nothing
        }
        guard isCalm else { return .nothing }
        if trainsLeft == 0, let trainsAgain, now >= trainsAgain { trainsLeft = Self.trains }
        if trainsLeft > 0 {
            guard now >= nextTrain ?? now else { return .nothing }
            trainsLeft -= 1
            nextTrain = now + Self.trainPause
            if trainsLeft == 0 { (nextRun, trainsAgain) = (now + Self.pause + lag, now + .seconds(60)) }
            return .train(packets: Self.trainPackets)
        }
        guard now >= nextRun ?? now else { return .nothing }
        if let last = tried, bits < last * Self.proof || worst > Self.mostQueue(bits) {
            // It was cut off by the line, or did not arrive at all, or waited more and more. A little less without a queue may be chance: once more.
            if !isRepeated, bits > Self.repeatAbove, bits >= last * Self.almost, worst <= Self.mostQueue(bits) {
                (tried, isRepeated, nextRun) = (nil, true, now + Self.pause)
            } else {
                fail(now: now)
            }
            return .nothing
        }
        if tried != nil { isRepeated = false }
        worst = 0
        // What little sound leaves is known too coarsely for a seventh of it to show.
        let target = min(max(bits * (goesWell ? Self.factor : Self.first), bits + Self.leastStep), enough * 1.08)
        run = Run(
            target: target, rate: target / (1 - min(loss, Self.mostLoss)), began: now,
            until: now + (bits < Self.longBelow ? Self.longDuration : Self.duration), sentBefore: sent)
        return .nothing
    }

    private mutating func end(now: Instant) {
        tried = run?.target
        run = nil
        goesWell = true
        nextRun = now + Self.pause + lag
    }

    /// A queue shows, or packets are lost: what runs ends, and the next run waits.
    package mutating func fail(now: Instant) {
        nextRun = max(nextRun ?? now, now + min(wait, mostWait))
        if run != nil || tried != nil {
            wait = min(mostWait, wait + wait)
        }
        (run, tried, goesWell) = (nil, nil, false)
        isRepeated = false
        (trainsLeft, trainsAgain) = (0, max(trainsAgain ?? now, now + .seconds(60)))
    }

    /// A better picture stood for a while: the next run need not wait as long.
    package mutating func succeed() { wait = Self.shortestWait }
}
