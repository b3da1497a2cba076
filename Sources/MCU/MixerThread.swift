import Base
import Foundation
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

    private enum Command: Sendable { case add(Bridge), remove(Bridge), stop }
    private let index: Int
    private let voices: Int
    private let mailbox = Mailbox<Command>()
    private let published = Guarded(Counters())
    private let ended = DispatchGroup()

    init(index: Int, voices: Int) { (self.index, self.voices) = (index, voices) }

    var counters: Counters { published.withLock { $0 } }

    func add(_ bridge: Bridge) { _ = mailbox.post(.add(bridge)) }
    func remove(_ bridge: Bridge) { _ = mailbox.post(.remove(bridge)) }

    /// For a mixer whose thread has ended, or was never started.
    func forget() { mailbox.empty() }

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
        _ = mailbox.post(.stop)
        ended.wait()
    }

    private func run() {
        var mixers: [AudioMixer] = []
        var commands: [Command] = []
        var counters = Counters()
        var next = Self.firstBeat(after: MediaClock.now())
        while true {
            MediaClock.sleep(until: next)
            mailbox.drain(into: &commands)
            for command in commands {
                switch command {
                case .add(let bridge): if let mixer = try? AudioMixer(bridge: bridge, seats: voices) { mixers.append(mixer) }
                case .remove(let bridge): mixers.removeAll { $0.bridge === bridge }
                case .stop: return
                }
            }
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
