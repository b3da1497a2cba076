import Audio
import Foundation
import Peer
import RTP
import SDP
import Testing

@testable import MCU

/// The mixer run by hand: no threads, time is an argument.
struct AudioMixerTests {
    /// A meeting of which each participant sends sound and says its level.
    private final class Meeting {
        let core = MediaCore(configuration: MediaServerConfiguration())
        let bridge: Bridge
        let mixer: AudioMixer
        var people: [Participant] = []
        var tick = 0
        private let speech: [[UInt8]]

        init(_ count: Int) throws {
            bridge = Bridge(meeting: UUID(), core: core)
            mixer = try AudioMixer(bridge: bridge, seats: 5)
            var encoder = try OpusEncoder()
            speech = try (0..<50).map { tick in
                let pcm = (0..<960).map { Int16(6_000 * sin(2 * .pi * 440 * Double(tick * 960 + $0) / 48_000)) }
                var packet = [UInt8](repeating: 0, count: 1_276)
                var room = packet.mutableSpan
                let length = try encoder.encode(pcm.span, into: &room)
                return Array(packet[..<length])
            }
            for _ in 0..<count { try add() }
        }

        /// What waits for workers, which are not there, holds the bridge.
        deinit { core.close() }

        private func add() throws {
            let offer = try SessionDescription(parsing: MediaServerTests.offer)
            let fingerprint = try #require(Fingerprint(bytes: [UInt8](repeating: 1, count: 32)))
            let parameters = LocalParameters(
                credentials: .random(), fingerprint: fingerprint, candidates: [], sessionID: 1, cname: "c", streamID: "s",
                audio: .init(ssrc: 1, trackID: "a"), video: .init(ssrc: 2, rtxSSRC: 3, trackID: "v"))
            let (_, negotiated) = try Answerer(parameters: parameters).answer(offer, after: nil)
            let participant = Participant(
                session: UUID(), kind: .participant, name: "Đắk Lắk \(people.count)", joined: .start, negotiated: negotiated)
            participant.isConnected = true
            participant.wantsRepair = false
            bridge.add(participant)
            people.append(participant)
        }

        /// Ticks in which those named say that they are so loud, and the others that they are silent.
        func run(_ ticks: Int, levels: [Int: Int]) {
            for _ in 0..<ticks {
                let now = Instant(sinceStart: .seconds(10) + .milliseconds(20 * tick))
                for (index, person) in people.enumerated() {
                    let level = levels[index] ?? -127
                    let packet = ReceivedAudio(
                        ssrc: 7, sequenceNumber: UInt16(truncatingIfNeeded: tick), timestamp: UInt32(tick * 960), marker: false,
                        level: level,
                        hasVoice: nil, arrival: now)
                    let payload = speech[tick % 50]
                    person.receive(packet, payload: payload.span)
                }
                mixer.tick(captured: now, now: now)
                tick += 1
            }
        }

        /// What `ticks` cost in packets.
        func cost(_ ticks: Int, levels: [Int: Int]) -> AudioMixer.Counters {
            let before = bridge.soundCounters
            run(ticks, levels: levels)
            let after = bridge.soundCounters
            return AudioMixer.Counters(decoded: after.decoded - before.decoded, encoded: after.encoded - before.encoded)
        }
    }

    @Test(arguments: [10, 100, 500])
    func `three who speak cost three decodes and four encodes a tick, however many listen`(count: Int) throws {
        let meeting = try Meeting(count)
        let levels = [0: -20, 1: -22, 2: -24]
        meeting.run(100, levels: levels)
        let cost = meeting.cost(100, levels: levels)
        #expect(cost.encoded == 400 && cost.decoded == 300)
        #expect(meeting.people.filter(\.isSpeaking).count == 3)
    }

    @Test func `when all speak at most five are decoded, and each of them gets a mix of its own`() throws {
        let meeting = try Meeting(50)
        let levels = Dictionary(uniqueKeysWithValues: (0..<50).map { ($0, -20 - $0 / 2) })
        meeting.run(100, levels: levels)
        let cost = meeting.cost(100, levels: levels)
        #expect(cost.encoded == 600 && cost.decoded == 500)
    }

    @Test func `the floor holder is decoded, however loud the others are`() throws {
        let meeting = try Meeting(20)
        let levels = Dictionary(uniqueKeysWithValues: (0..<19).map { ($0, -20) } + [(19, -60)])
        meeting.run(100, levels: levels)
        #expect(!meeting.people[19].isHeard)
        meeting.bridge.floor = meeting.people[19].session
        meeting.run(20, levels: levels)
        #expect(meeting.people[19].isHeard && meeting.people.filter(\.isHeard).count == 5)
        meeting.bridge.floor = nil
        meeting.run(20, levels: levels)
        #expect(!meeting.people[19].isHeard)
    }

    @Test func `one who begins to speak is heard in the tick that its first loud packets belong to`() throws {
        let meeting = try Meeting(3)
        meeting.run(100, levels: [:])
        #expect(meeting.cost(50, levels: [:]).decoded == 0)
        // The jitter buffer holds 28 ms: within three ticks of the first loud packet it is decoded.
        #expect(meeting.cost(4, levels: [1: -25]).decoded >= 2)
        #expect(meeting.people[1].isHeard)
    }

    @Test func `one lossy line costs one more encode, and only there packets repeat`() throws {
        let meeting = try Meeting(10)
        meeting.people[9].wantsRepair = true
        meeting.run(100, levels: [0: -20])
        #expect(meeting.cost(100, levels: [0: -20]).encoded == 300)
    }

    @Test func `one who is muted is neither decoded nor heard`() throws {
        let meeting = try Meeting(5)
        meeting.people[0].isMuted = true
        meeting.run(100, levels: [0: -20])
        #expect(meeting.cost(50, levels: [0: -20]).decoded == 0)
        #expect(!meeting.people[0].isSpeaking)
    }
}
