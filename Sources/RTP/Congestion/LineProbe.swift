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
    private static let (first, leastStep) = (1.15, 15_000.0)
    /// The steps after that. Who has a moving picture has something to lose: what is too much for half a second delays sound for ten.
    private static let (bold, careful) = (1.8, 1.4)
    /// The first step where the line was seen to carry more than it was sent lately.
    private static let fromLately = 1.5
    private static let (shortestWait, longestWait, longestContentWait) = (Duration.seconds(4), Duration.seconds(14), Duration.seconds(40))
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

    /// What is known of the line when a demand is made.
    package struct Line: Sendable {
        /// What it is known to carry, bit/s.
        var bits: Double
        /// The part of that which was seen lately; a run begins there.
        var lately: Double
        /// Nothing queues and nothing more than usual is lost, for a second or more.
        var isCalm: Bool
        /// Nothing that is sent can queue.
        var isFast: Bool
        /// Of the newest packets, ms beyond what the gauge wavers by.
        var queue: Double
        /// Packets arrive in waves, by which the first and the last arrival of a run are too near or too far to tell a rate.
        var isWavering: Bool
        /// How long ago those packets left of which feedback tells.
        var lag: Duration
        /// Of what was sent in the last seconds, 0 … 1: so much more is sent than shall arrive.
        var loss: Double
        /// Of the last second or two.
        var latestLoss: Double
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

    /// What arrived of what left during the last run, padding or not.
    package struct Tally: Sendable {
        var from = Instant.distantFuture
        var until = Instant.distantFuture
        private var bytes = 0
        private var firstBytes = 0
        private var first = Instant.distantFuture
        private var last = Instant.start

        package mutating func add(_ delivery: SentPackets.Delivery, bytes count: Int) {
            guard delivery.sent >= from, delivery.sent <= until else { return }
            bytes += count
            last = max(last, delivery.arrival)
            if delivery.arrival < first { (first, firstBytes) = (delivery.arrival, count) }
        }

        /// From the first arrival to the last: jitter counts at both ends only, and a queue or what it drops makes it the line's own rate.
        var bitsPerSecond: Double { last > first ? Double((bytes - firstBytes) * 8) / (last - first).seconds : 0 }
    }

    package var tally = Tally()
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
    /// What a run must have proven of what it tried: what arrives is known to a few percent, and where some is lost not as well. So much less is almost it.
    private static func proof(_ loss: Double) -> Double { 0.94 - min(0.08, loss * 0.8) }
    private static let (almost, clearly) = (0.08, 0.03)
    /// On a thinner line each run costs more than a wait.
    private static let repeatAbove = 150_000.0
    private var isRepeated = false
    private static let mostLoss = 0.2
    /// What was lost before the last run, and how much more of it a line without a queue to see makes of too much: among some forty packets a part wavers.
    private var lossBefore = 0.0
    private static func tooMuch(_ before: Double) -> Double { before * 1.25 + 0.08 }
    /// And the queue that it may have left, in milliseconds: a few for any line, and the time that a packet of sound or padding itself takes on this one, where
    /// the shortest ones set the measure.
    private static func mostQueue(_ bits: Double) -> Double { 18 + 300 * 8 * 1_000 / max(bits, 30_000) }
    /// Of the last call.
    private var picture: TierID?
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
    ///   - enough: what the next better picture needs; nil where there is no better one.
    ///   - picture: the present one; nil for sound alone.
    ///   - sent: bytes so far, headers included.
    package mutating func demand(_ line: Line, enough: Double?, picture: TierID?, sent: Int64, now: Instant) -> Demand {
        if run != nil || tried != nil { worst = max(worst, line.queue) }
        (mostWait, lag) = (picture.map { $0 <= .medium } ?? false ? Self.longestContentWait : Self.longestWait, line.lag)
        guard let enough, !line.isFast, line.bits < enough else {
            run = nil
            return .nothing
        }
        if picture != self.picture {
            // Another picture began: whether it fits is to be seen first. What was still running has shown what it was for.
            (goesWell, self.picture) = (false, picture)
            (run, tried) = (nil, nil)
            nextRun = max(nextRun ?? now, now + Self.settling)
        }
        if run != nil || tried != nil, line.latestLoss > Self.tooMuch(lossBefore) {
            fail(now: now)
            return .nothing
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
        guard line.isCalm else { return .nothing }
        if trainsLeft == 0, let trainsAgain, now >= trainsAgain { trainsLeft = Self.trains }
        if trainsLeft > 0 {
            guard now >= nextTrain ?? now else { return .nothing }
            trainsLeft -= 1
            nextTrain = now + Self.trainPause
            if trainsLeft == 0 { (nextRun, trainsAgain) = (now + Self.pause + lag, now + .seconds(60)) }
            return .train(packets: Self.trainPackets)
        }
        guard now >= nextRun ?? now else { return .nothing }
        let proven = line.isWavering ? max(line.lately, tally.bitsPerSecond) : tally.bitsPerSecond
        if let last = tried, proven < last * Self.proof(lossBefore) || worst > Self.mostQueue(line.bits) {
            // It was cut off by the line, or did not arrive at all, or waited more and more. A little less without a queue may be chance: once more.
            if !isRepeated, line.bits > Self.repeatAbove, proven >= last * (Self.proof(lossBefore) - Self.almost),
                worst <= Self.mostQueue(line.bits)
            {
                (tried, isRepeated, nextRun) = (nil, true, now + Self.pause)
            } else {
                fail(now: now)
            }
            return .nothing
        }
        if let last = tried {
            isRepeated = false
            // What was only just proven is near to what the line carries: the next step is a small one too.
            goesWell = line.isWavering || proven >= last * (Self.proof(lossBefore) + Self.clearly)
        }
        (worst, lossBefore) = (0, line.loss)
        // What little sound leaves is known too coarsely for a seventh of it to show.
        let factor = picture.map { $0 <= .low } ?? false ? Self.careful : Self.bold
        let next = goesWell ? line.lately * factor : min(line.bits * Self.first, line.lately * Self.fromLately)
        let target = min(max(next, line.lately + Self.leastStep), enough * 1.08)
        run = Run(
            target: target, rate: target / (1 - min(line.loss, Self.mostLoss)), began: now,
            until: now + (line.bits < Self.longBelow ? Self.longDuration : Self.duration), sentBefore: sent)
        tally = Tally()
        tally.from = now
        return .nothing
    }

    private mutating func end(now: Instant) {
        tried = run?.target
        run = nil
        tally.until = now
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
