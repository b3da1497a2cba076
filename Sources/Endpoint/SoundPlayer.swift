import Audio
import Base
import RTP

/// Which packet of a loop is due, for one endpoint; sans-IO. Holds its beat: a late caller gets what was missed, up to a bound.
struct SoundPlayer {
    struct Due: Equatable {
        /// In the loop, of `sound` as it then is.
        var packet: Int
        /// RTP, 48 kHz; goes on during silence.
        var timestamp: UInt32
        /// When it was due, the moment that it stands for.
        var captured: Instant
        /// The first after silence.
        var isFirst: Bool
    }

    /// Later than this, what was missed is left out instead of sent in a burst.
    static let mostLate = Duration.milliseconds(200)
    private(set) var sound: EncodedSound
    /// Another form of the same loop, from the next moment on at which a packet of it begins.
    private var pending: EncodedSound?
    private let schedule: EndpointOptions.Schedule?
    private let start: Instant
    private var next: Int
    private var samples: Int64 = 0
    private var wasSilent = true

    /// - Parameter start: the first packet is due then; with marks it is moved to the next whole 20 ms.
    init(_ sound: EncodedSound, schedule: EndpointOptions.Schedule?, start: Instant) {
        (self.sound, self.schedule) = (sound, schedule)
        guard sound.isAligned else {
            (self.start, next) = (start, 0)
            return
        }
        let tick = start.nanoseconds / 20_000_000 + 1
        self.start = Instant(nanoseconds: tick * 20_000_000)
        next = Int(tick % Int64(sound.packets.count))
    }

    /// Goes over to another form of the same loop.
    mutating func change(to other: EncodedSound) { pending = other === sound ? nil : other }

    private mutating func followChange() {
        guard let other = pending, let place = other.packet(at: sound.starts[next]) else { return }
        (sound, next, pending) = (other, place, nil)
    }

    /// When to ask again.
    var deadline: Instant { start + .nanoseconds(samples * 1_000_000 / 48) }

    /// - Returns: the packet that is due, nil where none is or where the schedule is silent. Asked until `deadline` has moved past `now`.
    mutating func take(now: Instant) -> Due? {
        if now - deadline > Self.mostLate { skipLate(now: now) }
        guard now >= deadline else { return nil }
        followChange()
        let due = deadline
        let speaks = isSpeaking(at: due)
        if speaks, wasSilent, !sound.isAligned { next = 0 }  // a turn begins with the beginning of the speech
        let packet = Due(packet: next, timestamp: UInt32(truncatingIfNeeded: samples), captured: due, isFirst: wasSilent)
        samples += Int64(sound.durations[next])
        next = (next + 1) % sound.packets.count
        wasSilent = !speaks
        return speaks ? packet : nil
    }

    private mutating func skipLate(now: Instant) {
        while now - deadline > .milliseconds(20) {
            samples += Int64(sound.durations[next])
            next = (next + 1) % sound.packets.count
        }
        wasSilent = true
    }

    private func isSpeaking(at instant: Instant) -> Bool {
        guard let schedule else { return true }
        let time = instant - start - schedule.offset
        guard time >= .zero else { return false }
        let turn = (schedule.on + schedule.off).nanoseconds
        return time.nanoseconds % max(1, turn) < schedule.on.nanoseconds
    }
}
