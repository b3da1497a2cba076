import Base
import ICE
import RTP
import TestSupport
import Testing

@testable import Peer
@testable import SDP

/// A server's peer that sends the mix and the composed picture to an endpoint's over a line of its own, in virtual time: everything goes as on the wire,
/// sealed, with the endpoint's feedback and reports; in place of the codecs stand packets of their sizes.
struct MeetingOverLine: OverLine {
    var pair: PeerPair
    var down: SimulatedLink<[UInt8]>
    var up: SimulatedLink<[UInt8]>
    private var random: SeededGenerator
    private var tick = 0
    /// The stream that the receiver has; nil before the next key frame.
    private var shown: TierID?
    private var lastDue: [Int: Instant] = [:]
    private var lastForced = Instant.start
    private var keysAsked = 0
    private var soundsSent = 0

    struct Second: Equatable {
        var tier: TierID?
        /// Bits on the line, headers included.
        var offered = 0
        var sounds = 0
        var pictures = 0
        /// The longest that an item had to wait for those before it.
        var longestWait = Duration.zero
        var lossTold = 0.0
        /// What control makes of the line, bit/s, and the queue that it sees, ms.
        var estimate = 0.0
        var queue = 0.0
    }
    private(set) var seconds: [Second] = []
    private(set) var waits: [Duration] = []
    /// Arrival of each sound.
    private(set) var sounds: [Instant] = []
    private(set) var pictures: [Instant] = []
    private(set) var soundsMade = 0
    private(set) var tiers: [(time: Instant, tier: TierID?)] = []
    /// RTP timestamps of pictures, in the order of sending.
    private var began: Instant
    var time: Duration { pair.now - began }

    init(seed: UInt64, _ change: (inout SimulatedLink<[UInt8]>) -> Void = { _ in }) throws {
        random = SeededGenerator(seed: seed &+ 77)
        pair = try PeerPair(seed: seed)
        pair.pipe.jitter = .zero
        pair.connect()
        pair.run(.milliseconds(50))
        pair.pipe.waiting.removeAll()
        down = SimulatedLink(seed: seed &+ 1, delay: .milliseconds(20))
        up = SimulatedLink(seed: seed &+ 2, delay: .milliseconds(20))
        change(&down)
        began = pair.now
    }

    /// As `SoundClass` has it: bytes of a packet, and ticks between two of them.
    private var sound: (bytes: Int, ticks: Int) {
        guard let bits = pair.server.lineBitsPerSecond, bits < 700_000 else { return (140, 1) }
        return bits < 100_000 ? (120, 3) : (120, 2)
    }

    mutating func run(_ duration: Duration) {
        let end = pair.now + duration
        while pair.now < end {
            speak()
            if tick % 2 == 0 { show() }
            tick += 1
            pass(until: pair.now + .milliseconds(20))
        }
    }

    private mutating func speak() {
        let (bytes, ticks) = sound
        guard tick % ticks == 0 else { return }
        let payload = [UInt8](repeating: 7, count: bytes)
        pair.server.sendAudio(
            payload.span, timestamp: UInt32(truncatingIfNeeded: tick * 960), captured: pair.now, marker: false, now: pair.now,
            sink: &pair.atServer)
        soundsMade += 1
    }

    private mutating func show() {
        guard let wanted = pair.server.recommendedTier, !pair.server.holdsPictures else {
            note(nil)
            return shown = nil
        }
        let needsKey = shown != wanted || keysAsked != pair.atServer.keyFramesWanted
        // The old stream goes on until the new one's key frame, of which there is one a second at the most.
        let mayForce = pair.now - lastForced >= .seconds(1)
        let tier = TierTable.usual[needsKey && mayForce ? wanted : shown ?? wanted]
        let isKey = needsKey && mayForce
        guard shown != nil || isKey else { return }
        if !isKey, let last = lastDue[tier.id.index], pair.now - last < tier.interval - .milliseconds(5) { return }
        lastDue[tier.id.index] = pair.now
        let mean = Double(tier.bitsPerSecond) / 8 * tier.interval.seconds
        let share =
            isKey
            ? (tier.content == .slides ? 1.3 : Double.random(in: 3...5, using: &random)) : Double.random(in: 0.6...1.3, using: &random)
        var bytes = [UInt8](repeating: 0x55, count: max(20, Int(mean * share)))
        bytes[0] = isKey ? 0x10 : 0x11
        if isKey {
            bytes.replaceSubrange(3..<10, with: [0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01])
            (shown, lastForced, keysAsked) = (wanted, pair.now, pair.atServer.keyFramesWanted)
            note(wanted)
        }
        let frame = PacketisedFrame(
            bytes.span, isKeyFrame: isKey, timestamp: UInt32(truncatingIfNeeded: tick * 1_800), captured: pair.now,
            largest: tier.largestPayload)
        pair.server.sendVideo(frame, now: pair.now, sink: &pair.atServer)
    }

    private mutating func note(_ tier: TierID?) {
        if tiers.isEmpty || tiers.last?.tier != tier { tiers.append((pair.now, tier)) }
    }

    private var second: Int { Int((pair.now - began).seconds) }

    mutating func flush() {
        while seconds.count <= second { seconds.append(Second()) }
        (seconds[second].tier, seconds[second].lossTold) = (shown, pair.server.statistics.lossDown)
        seconds[second].estimate = pair.server.control?.estimate.bitsPerSecond ?? 0
        seconds[second].queue = max(seconds[second].queue, pair.server.control?.queueMilliseconds ?? 0)
        for sent in pair.atServer.sent {
            seconds[second].offered += (sent.bytes.count + 28) * 8
            let wait = down.waits(now: pair.now)
            waits.append(wait)
            seconds[second].longestWait = max(seconds[second].longestWait, wait)
            if sent.address == pair.mapping { down.send(sent.bytes, bytes: sent.bytes.count + 28, now: pair.now) }
        }
        for sent in pair.atEndpoint.sent { up.send(sent.bytes, now: pair.now) }
        for _ in pair.atEndpoint.audio {
            sounds.append(pair.now)
            seconds[second].sounds += 1
        }
        for _ in pair.atEndpoint.video {
            pictures.append(pair.now)
            seconds[second].pictures += 1
        }
        pair.atServer.sent.removeAll(keepingCapacity: true)
        pair.atEndpoint.sent.removeAll(keepingCapacity: true)
        pair.atEndpoint.audio.removeAll(keepingCapacity: true)
        pair.atEndpoint.video.removeAll(keepingCapacity: true)
    }

    // MARK: What it was like

    /// The longest time without a sound from `start` seconds on.
    func longestGap(from start: Int = 0, to end: Int = .max) -> Duration {
        let times = sounds.filter { $0 - began >= .seconds(start) && (end == .max || $0 - began < .seconds(end)) }
        return zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .seconds(1_000)
    }

    func longestFreeze(from start: Int, to end: Int = .max) -> Duration {
        let times = pictures.filter { $0 - began >= .seconds(start) && (end == .max || $0 - began < .seconds(end)) }
        return zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .seconds(1_000)
    }

    /// Bits a second offered to the line.
    func offered(from start: Int, to end: Int) -> Int {
        let part = seconds[start..<min(end, seconds.count)]
        return part.map(\.offered).reduce(0, +) / max(1, part.count)
    }

    func tier(at second: Int) -> TierID? { seconds[min(second, seconds.count - 1)].tier }

    /// Packets of sound that arrived of those that were sent.
    var heard: Double { Double(sounds.count) / Double(max(1, soundsMade)) }

    var story: String {
        seconds.map {
            "\($0.tier.map { TierTable.usual[$0].label.prefix(2) } ?? "-")\($0.offered / 1_000)k/\(Int($0.longestWait.seconds * 1_000))ms(\(Int($0.estimate / 1_000))k,\(Int($0.queue))ms,\(Int($0.lossTold * 100))%)"
        }
        .joined(separator: " ")
    }
}
