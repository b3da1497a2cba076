import Base
import ICE
import RTP
import TestSupport
import Testing

@testable import Peer
@testable import SDP

/// An endpoint's peer that sends its sound and a loop of pictures to a server's over a line of its own, in virtual time. The server sends sound, which the
/// endpoint gives feedback about on the same way up.
struct EndpointOverLine: OverLine {
    static let pictureBits = 500_000
    private static let loop = 50
    private static let soundInterval = Duration.milliseconds(20)
    var pair: PeerPair
    var up: SimulatedLink<[UInt8]>
    var down: SimulatedLink<[UInt8]>
    private var random: SeededGenerator
    private let soundBytes: Int
    private var tick = 0
    /// In the loop; its first picture is a key frame.
    private var next = 0
    private var keysAsked = 0
    private var isBroken = false

    struct Second {
        /// Bits on the way up, headers included.
        var offered = 0
        var soundsMade = 0
        var sounds = 0
        var pictures = 0
        var heldTicks = 0
    }
    private(set) var seconds: [Second] = []
    private let began: Instant

    /// - Parameter soundBytes: of a packet of 20 ms.
    init(seed: UInt64, soundBytes: Int = 100, _ change: (inout SimulatedLink<[UInt8]>) -> Void = { _ in }) throws {
        random = SeededGenerator(seed: seed &+ 99)
        self.soundBytes = soundBytes
        let sound = (soundBytes + 72) * 400
        pair = try PeerPair(seed: seed, sending: TierTable.ready(pictures: Self.pictureBits * 107 / 100, sound: sound))
        pair.pipe.jitter = .zero
        pair.connect()
        pair.run(.milliseconds(50))
        pair.pipe.waiting.removeAll()
        up = SimulatedLink(seed: seed &+ 1, delay: .milliseconds(20))
        down = SimulatedLink(seed: seed &+ 2, delay: .milliseconds(20))
        change(&up)
        began = pair.now
    }

    mutating func run(_ duration: Duration) {
        let end = pair.now + duration
        while pair.now < end {
            speak()
            if tick % 2 == 0 { show() }
            tick += 1
            pass(until: pair.now + Self.soundInterval)
        }
    }

    private mutating func speak() {
        let payload = [UInt8](repeating: 7, count: soundBytes)
        let timestamp = UInt32(truncatingIfNeeded: tick * 960)
        pair.endpoint.sendAudio(
            payload.span, timestamp: timestamp, captured: pair.now, marker: false, now: pair.now, sink: &pair.atEndpoint)
        pair.server.sendAudio(payload.span, timestamp: timestamp, captured: pair.now, marker: false, now: pair.now, sink: &pair.atServer)
        flush()
        seconds[second].soundsMade += 1
    }

    private mutating func show() {
        guard !pair.endpoint.holdsPictures else {
            (next, isBroken) = (0, false)
            flush()
            return seconds[second].heldTicks += 1
        }
        let isAsked = keysAsked != pair.atEndpoint.keyFramesWanted
        if isAsked { (next, isBroken, keysAsked) = (0, false, pair.atEndpoint.keyFramesWanted) }
        let isKey = next % Self.loop == 0
        if isKey { isBroken = false }
        next += 1
        guard !isBroken else { return }
        let mean = Double(Self.pictureBits) / 8 / 25
        var bytes = [UInt8](repeating: 0x55, count: Int(mean * (isKey ? 8 : Double.random(in: 0.5...1.2, using: &random))))
        bytes[0] = isKey ? 0x10 : 0x11
        if isKey { bytes.replaceSubrange(3..<10, with: [0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]) }
        let frame = PacketisedFrame(
            bytes.span, isKeyFrame: isKey, timestamp: UInt32(truncatingIfNeeded: tick * 1_800), captured: pair.now)
        if !pair.endpoint.sendVideo(frame, now: pair.now, sink: &pair.atEndpoint) { isBroken = true }
    }

    private var second: Int { Int((pair.now - began).seconds) }

    mutating func flush() {
        while seconds.count <= second { seconds.append(Second()) }
        for sent in pair.atEndpoint.sent {
            seconds[second].offered += (sent.bytes.count + 28) * 8
            up.send(sent.bytes, bytes: sent.bytes.count + 28, now: pair.now)
        }
        for sent in pair.atServer.sent { down.send(sent.bytes, now: pair.now) }
        seconds[second].sounds += pair.atServer.audio.count
        seconds[second].pictures += pair.atServer.video.count
        pair.atServer.sent.removeAll(keepingCapacity: true)
        pair.atEndpoint.sent.removeAll(keepingCapacity: true)
        pair.atServer.audio.removeAll(keepingCapacity: true)
        pair.atServer.video.removeAll(keepingCapacity: true)
        pair.atEndpoint.audio.removeAll(keepingCapacity: true)
    }

    // MARK: What it was like

    /// Bits a second offered to the line.
    func offered(from start: Int, to end: Int) -> Int {
        let part = seconds[start..<min(end, seconds.count)]
        return part.map(\.offered).reduce(0, +) / max(1, part.count)
    }

    func pictures(from start: Int, to end: Int = .max) -> Int { seconds[start..<min(end, seconds.count)].map(\.pictures).reduce(0, +) }

    /// Packets of sound that arrived of those that were sent in that time.
    func heard(from start: Int, to end: Int = .max) -> Double {
        let part = seconds[start..<min(end, seconds.count)]
        return Double(part.map(\.sounds).reduce(0, +)) / Double(max(1, part.map(\.soundsMade).reduce(0, +)))
    }

    var story: String {
        seconds.map { "\($0.heldTicks > 12 ? "-" : "p")\($0.offered / 1_000)k/\($0.sounds)/\($0.pictures)" }.joined(separator: " ")
    }
}
