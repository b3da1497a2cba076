import Foundation

/// Whether a sender is as loud as it says (RFC 6464), as far as it is decoded. The lower of what it says and what was measured counts; one that was found
/// lying, in either direction, is not believed any more.
package struct LevelCheck: Sendable {
    /// Ticks of 20 ms that are looked back upon: half a second, for what is held against something else that is later or earlier by up to `lag`.
    private static let window = 25
    /// Sound comes out of the jitter buffer later than its level is told, by a quarter of a second at most.
    private static let lag = 13
    /// Ticks after which what was measured counts.
    private static let enough = 18
    /// Louder than it was measured by so much, in dB, a sender may say it is: levels are told of single packets, and speech wavers.
    private static let allowance: Float = 3
    /// Saying something else by more than this, in dB, is a lie once it was so in `patience` ticks; channels that are mixed down and lost packets make less.
    private static let (margin, patience): (Float, Int) = (10, 5)
    /// dBov below which nobody cares what is said.
    private static let quiet: Float = -50
    /// Ticks for which a level holds until the next packet: the longest has 120 ms.
    private static let longestPacket = 6

    // Mean squares of the last `window + lag` ticks, relative to full scale, and their sums.
    private var said = InlineArray<38, Double>(repeating: 0)
    private var heard = InlineArray<38, Double>(repeating: 0)
    private var sums = Sums()
    private var next = 0
    private var count = 0
    private var lies = 0
    private var lastSaid = -127
    private var sinceSaid = 0
    /// What may count at most, dBov.
    private var most: Float = 0
    /// Found lying; for good.
    package private(set) var isLying = false

    package init() {}

    /// It is decoded from now on, after a time in which it was not. What was found of lies is kept.
    package mutating func begin() {
        (next, count, sums) = (0, 0, Sums())
        for index in said.indices { (said[index], heard[index]) = (0, 0) }
        if lies == 0 { most = 0 }
    }

    /// It was decoded long enough, and is as loud as it says.
    package var isProven: Bool { count >= Self.enough && lies == 0 }

    /// It may be lying, or its line plays tricks: it is to be decoded and measured until that is known, heard or not. Taken at a word that is not believed
    /// it might not be heard again for long, and taken at one that is it would keep a place with nothing.
    package var isSuspect: Bool { lies > 0 }

    /// The level that counts of one that was said.
    package func counted(_ level: Int, isDecoded: Bool) -> Int {
        // What was measured last says nothing of one who fell silent, was let go, and speaks again.
        isDecoded ? min(level, Int(most.rounded(.up))) : level
    }

    /// One decoded tick.
    /// - Parameters:
    ///   - level: of the packets that came since the last tick, dBov; nil where none did.
    ///   - measured: of the tick's sound, dBov.
    package mutating func note(said level: Int?, measured: Int) {
        if let level { (lastSaid, sinceSaid) = (level, 0) } else { sinceSaid += 1 }
        if sinceSaid >= Self.longestPacket {
            lastSaid = -127
            // Neither packets nor sound: it is the line that is silent. Such ticks are none, so that who was believed before an outage is after it, and no
            // pause washes a liar.
            guard Float(measured) > Self.quiet else { return }
        }
        take(said: Self.power(lastSaid), heard: Self.power(measured))
        guard count >= Self.enough else { return }
        // Of half a second each: what was said so long ago that it must have been heard by now, and what was heard just now, which must have been said before.
        let (older, newer) = (Double(count - Self.lag), Double(min(count, Self.window)))
        let (told, found) = (Self.decibels(sums.saidBefore / older), Self.decibels(sums.heardLately / newer))
        most = min(0, found + Self.allowance)
        let exaggerates = told > Self.quiet && told > Self.decibels(sums.heard / older) + Self.margin
        let plays = found > Self.quiet && found > Self.decibels(sums.said / newer) + Self.margin
        lies = exaggerates || plays ? lies + 1 : max(0, lies - 1)
        if lies >= Self.patience { isLying = true }
    }

    private struct Sums: Sendable {
        /// Over all ticks.
        var (said, heard) = (0.0, 0.0)
        /// Without the youngest `lag` ticks.
        var saidBefore = 0.0
        /// Of the youngest `window` ticks.
        var heardLately = 0.0
    }

    private mutating func take(said level: Double, heard sound: Double) {
        let length = Self.window + Self.lag
        // Of times before the first tick there are zeros.
        sums.said = max(0, sums.said + level - said[next])
        sums.heard = max(0, sums.heard + sound - heard[next])
        sums.saidBefore = max(0, sums.saidBefore + said[(next + length - Self.lag) % length] - said[next])
        sums.heardLately = max(0, sums.heardLately + sound - heard[(next + length - Self.window) % length])
        (said[next], heard[next]) = (level, sound)
        next = (next + 1) % length
        count = min(count + 1, length)
    }

    private static func power(_ level: Int) -> Double { level <= -127 ? 0 : pow(10, Double(level) / 10) }
    private static func decibels(_ power: Double) -> Float { power > 0 ? max(-127, 10 * log10(Float(power))) : -127 }
}
