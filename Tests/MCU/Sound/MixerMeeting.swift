import Audio
import Base
import Foundation
import Peer
import RTP
import SDP
import Testing

@testable import MCU

/// A meeting whose mixer is run by hand: no threads, time is an argument. Each participant sends sound and says its level.
final class MixerMeeting {
    let core = MediaCore(configuration: MediaServerConfiguration())
    let bridge: Bridge
    let mixer: AudioMixer
    var people: [Participant] = []
    var tick = 0
    /// Packets that go round: what somebody sends who is not in `sounds`.
    let tone: [[UInt8]]
    /// What somebody else than by default sends.
    var sounds: [Int: [[UInt8]]] = [:]
    /// By how many ticks somebody's packet of a tick comes late; none overtakes another.
    var lateness: [Int: (Int) -> Int] = [:]
    private var underWay: [(due: Int, place: Int, packet: ReceivedAudio, payload: [UInt8])] = []
    /// Sees every tick's frame.
    var onFrame: (AudioFrame) -> Void = { _ in }

    init(_ count: Int) throws {
        bridge = Bridge(meeting: UUID(), core: core)
        mixer = AudioMixer(bridge: bridge, seats: 5)
        tone = try Self.packets(50) { 6_000 * sin(2 * .pi * 440 * Double($0) / 48_000) }
        for _ in 0..<count { try add() }
    }

    /// What waits for workers, which are not there, holds the bridge.
    deinit { core.close() }

    /// Packets of 20 ms of a sound that is made sample by sample.
    static func packets(_ count: Int, _ sample: (Int) -> Double) throws -> [[UInt8]] {
        var encoder = try OpusEncoder()
        return try (0..<count).map { tick in
            let pcm = (0..<960).map { Int16(sample(tick * 960 + $0)) }
            var packet = [UInt8](repeating: 0, count: 1_276)
            var room = packet.mutableSpan
            let length = try encoder.encode(pcm.span, into: &room)
            return Array(packet[..<length])
        }
    }

    @discardableResult
    func add(offer: String = MediaServerTests.offer, person: UUID? = nil) throws -> Participant {
        let description = try SessionDescription(parsing: offer)
        let fingerprint = try #require(Fingerprint(bytes: [UInt8](repeating: 1, count: 32)))
        let parameters = LocalParameters(
            credentials: .random(), fingerprint: fingerprint, candidates: [], sessionID: 1, cname: "c", streamID: "s",
            audio: .init(ssrc: 1, trackID: "a"), video: .init(ssrc: 2, rtxSSRC: 3, trackID: "v"))
        let (_, negotiated) = try Answerer(parameters: parameters).answer(description, after: nil)
        let participant = Participant(
            session: UUID(), kind: .participant, name: "Đắk Lắk \(people.count)", joined: .start, negotiated: negotiated, person: person)
        participant.isConnected = true
        participant.soundTier = .clean
        bridge.add(participant)
        people.append(participant)
        return participant
    }

    /// Ticks in which those named say that they are so loud, and the others that they are silent.
    func run(_ ticks: Int, levels: [Int: Int]) {
        var batch: [MediaCommand] = []
        for _ in 0..<ticks {
            let now = Instant(sinceStart: .seconds(10) + .milliseconds(20 * tick))
            for (index, person) in people.enumerated() {
                let sound = sounds[index] ?? tone
                send(sound[tick % sound.count], level: levels[index] ?? -127, of: index)
                for one in underWay where one.place == index && one.due <= tick {
                    var packet = one.packet
                    packet.arrival = now
                    person.receive(packet, payload: one.payload.span)
                }
                underWay.removeAll { $0.place == index && $0.due <= tick }
            }
            mixer.tick(captured: now, now: now)
            core.workers[0].drain(into: &batch)
            for case .audio(_, let frame) in batch { onFrame(frame) }
            batch.removeAll()
            for worker in core.workers.dropFirst() { worker.forget() }
            tick += 1
        }
    }

    private func send(_ payload: [UInt8], level: Int, of index: Int) {
        let packet = ReceivedAudio(
            ssrc: 7, sequenceNumber: UInt16(truncatingIfNeeded: tick), timestamp: UInt32(tick * 960), marker: false, level: level,
            hasVoice: nil, arrival: .start)
        let last = underWay.last { $0.place == index }?.due ?? 0
        underWay.append((max(last, tick + (lateness[index]?(tick) ?? 0)), index, packet, payload))
    }

    /// What `ticks` cost in packets.
    func cost(_ ticks: Int, levels: [Int: Int]) -> AudioMixer.Counters {
        let before = bridge.soundCounters
        run(ticks, levels: levels)
        let after = bridge.soundCounters
        return AudioMixer.Counters(decoded: after.decoded - before.decoded, encoded: after.encoded - before.encoded)
    }

    /// What somebody hears in the next ticks.
    func heard(by place: Int, ticks: Int, levels: [Int: Int]) throws -> [[UInt8]] { heard(by: [place], ticks: ticks, levels: levels)[0] }

    func heard(by places: [Int], ticks: Int, levels: [Int: Int]) -> [[[UInt8]]] {
        var packets: [[[UInt8]]] = places.map { _ in [] }
        onFrame = { [people] frame in
            for (index, person) in places.map({ people[$0] }).enumerated() {
                packets[index].append(frame.bytes(for: ObjectIdentifier(person), as: person.soundForm))
            }
        }
        run(ticks, levels: levels)
        onFrame = { _ in }
        return packets
    }

    /// Packets decoded one after the other.
    static func sound(of packets: [[UInt8]]) throws -> [Int16] {
        var decoder = try OpusDecoder()
        return try packets.flatMap { packet in
            var pcm = [Int16](repeating: 0, count: 960)
            var room = pcm.mutableSpan
            let count = try decoder.decode(packet.span.bytes, into: &room)
            return Array(pcm[..<count])
        }
    }
}

extension AudioFrame {
    /// What a listener is sent of it; empty where nothing is.
    func bytes(for listener: ObjectIdentifier, as form: SoundForm = .clean) -> [UInt8] {
        var copy: [UInt8] = []
        guard let packet = own(of: listener) ?? packet(of: form) else { return copy }
        withBytes(of: packet) { bytes in copy = bytes.withUnsafeBufferPointer { Array($0) } }
        return copy
    }
}
