import Base
import Foundation
import Net
import RTP

/// Keeps the beat of some meetings: sound every 20 ms, a picture every 40 ms. Ticks never wait for a source; a late tick is made up for, and counted.
final class MixerThread: Sendable {
    static let audioInterval = Duration.milliseconds(20)
    /// Further behind than this, ticks are left out: the machine stood still, and old sound is no use.
    private static let mostBehind = Duration.milliseconds(200)

    struct Counters: Sendable {
        var ticks: UInt64 = 0
        /// Ticks begun more than 10 ms after their time.
        var late: UInt64 = 0
        var skipped: UInt64 = 0
        var longestDelayMilliseconds = 0.0
    }

    /// What should be, not what changed: nothing of it is lost, however far behind the thread is.
    private struct Wanted: Sendable {
        var bridges: [Bridge] = []
        /// Counts changes of the list.
        var version = 0
        var isStopping = false
    }
    private let index: Int
    private let voices: Int
    private let wanted = Guarded(Wanted())
    private let published = Guarded(Counters())
    private let ended = DispatchGroup()

    init(index: Int, voices: Int) { (self.index, self.voices) = (index, voices) }

    var counters: Counters { published.withLock { $0 } }

    func add(_ bridge: Bridge) {
        wanted.withLock {
            $0.bridges.append(bridge)
            $0.version += 1
        }
    }

    func remove(_ bridge: Bridge) {
        wanted.withLock {
            $0.bridges.removeAll { $0 === bridge }
            $0.version += 1
        }
    }

    /// For a mixer whose thread has ended, or was never started.
    func forget() { wanted.withLock { $0.bridges.removeAll() } }

    func start() {
        ended.enter()
        let thread = Thread { [self] in
            ThreadPriority.raise(.sound, name: "mixer-\(index)")
            run()
            ended.leave()
        }
        thread.name = "mixer-\(index)"
        thread.stackSize = 1 << 20
        thread.start()
    }

    func stop() {
        wanted.withLock { $0.isStopping = true }
        ended.wait()
    }

    /// Brings `mixers` to what is wanted; those of meetings that stay are kept.
    /// - Parameter version: of the list that `mixers` follow; brought up to date.
    /// - Returns: false where the thread must stop.
    func follow(_ mixers: inout [AudioMixer], version: inout Int) -> Bool {
        let seen = version
        let (bridges, now, isStopping) = wanted.withLock { wanted -> ([Bridge]?, Int, Bool) in
            (wanted.version == seen ? nil : wanted.bridges, wanted.version, wanted.isStopping)
        }
        version = now
        guard let bridges, !isStopping else { return !isStopping }
        mixers.removeAll { mixer in !bridges.contains { $0 === mixer.bridge } }
        for bridge in bridges where !mixers.contains(where: { $0.bridge === bridge }) {
            mixers.append(AudioMixer(bridge: bridge, seats: voices))
        }
        return true
    }

    private func run() {
        var mixers: [AudioMixer] = []
        var version = 0
        var counters = Counters()
        var next = Self.firstBeat(after: MediaClock.now())
        while true {
            MediaClock.sleep(until: next)
            guard follow(&mixers, version: &version) else { return }
            let now = MediaClock.now()
            Self.count(&counters, delay: now - next)
            for mixer in mixers {
                mixer.bridge.composer.beat(captured: next, bridge: mixer.bridge)
                mixer.tick(captured: next, now: now)
            }
            next += Self.audioInterval
            let behind = MediaClock.now() - next
            if behind > Self.mostBehind {
                counters.skipped += UInt64(behind.nanoseconds / Self.audioInterval.nanoseconds)
                next = Self.firstBeat(after: MediaClock.now())
            }
            published.withLock { $0 = counters }
        }
    }

    /// Beats are whole multiples of the interval, so that all threads agree which beat has a picture.
    private static func firstBeat(after instant: Instant) -> Instant {
        Instant(nanoseconds: (instant.nanoseconds / audioInterval.nanoseconds + 1) * audioInterval.nanoseconds)
    }

    private static func count(_ counters: inout Counters, delay: Duration) {
        counters.ticks += 1
        let milliseconds = delay.seconds * 1_000
        if milliseconds > 10 { counters.late += 1 }
        counters.longestDelayMilliseconds = max(counters.longestDelayMilliseconds, milliseconds)
    }
}
