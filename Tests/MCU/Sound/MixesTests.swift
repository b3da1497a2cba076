import Audio
import Base
import Foundation
import RTP
import Testing

@testable import MCU

/// Several mixes of one meeting: who speaks into which, who hears which, and what it costs.
struct MixesTests {
    private let language: MixID

    init() throws { language = try #require(MixID(number: 1)) }

    /// What one listener is sent, decoded, and how loud tones are in it.
    private final class Ear {
        private var decoder: OpusDecoder?
        private(set) var samples: [Int16] = []
        private let participant: Participant

        init(_ participant: Participant) throws {
            self.participant = participant
            decoder = try OpusDecoder()
        }

        func hear(_ frame: AudioFrame) throws {
            guard frame.mix == participant.mix else { return }
            let packet = frame.bytes(for: ObjectIdentifier(participant))
            guard !packet.isEmpty else { return }
            var pcm = [Int16](repeating: 0, count: 960)
            var room = pcm.mutableSpan
            _ = try decoder?.decode(packet.span.bytes, into: &room)
            samples += pcm
        }

        /// Amplitude of a tone over the last half second.
        func amplitude(_ hertz: Double) -> Double {
            let last = samples.suffix(24_000)
            var (sine, cosine) = (0.0, 0.0)
            for (index, sample) in last.enumerated() {
                sine += Double(sample) * sin(2 * .pi * hertz * Double(index) / 48_000)
                cosine += Double(sample) * cos(2 * .pi * hertz * Double(index) / 48_000)
            }
            return 2 * (sine * sine + cosine * cosine).squareRoot() / Double(max(1, last.count))
        }
    }

    /// The chair speaks (440 Hz), an interpreter too (1000 Hz), four listen.
    private func meeting() throws -> MixerMeeting {
        let meeting = try MixerMeeting(6)
        meeting.sounds[1] = try MixerMeeting.packets(50) { 6_000 * sin(2 * .pi * 1_000 * Double($0) / 48_000) }
        return meeting
    }
    private let levels = [0: -20, 1: -20]

    @Test func `a mix that nobody hears costs nothing, and who speaks into it is not heard on the floor`() throws {
        let meeting = try meeting()
        meeting.run(60, levels: levels)
        meeting.people[1].voiceMix = language
        meeting.bridge.membersChanged()
        meeting.run(60, levels: levels)
        let cost = meeting.cost(100, levels: levels)
        // The chair's voice; one packet for all who listen, one for the chair.
        #expect(cost.decoded == 100 && cost.encoded == 200)
        #expect(!meeting.people[1].isHeard && !meeting.people[1].isSpeaking && meeting.people[0].isHeard)
    }

    @Test func `each hears its mix, every voice is decoded once, and nobody hears itself`() throws {
        let meeting = try meeting()
        meeting.people[1].voiceMix = language
        for listener in [1, 2] { meeting.people[listener].mix = language }
        meeting.bridge.membersChanged()
        let ears = try meeting.people.map { try Ear($0) }
        var failed = false
        meeting.onFrame = { frame in for ear in ears { do { try ear.hear(frame) } catch { failed = true } } }
        meeting.run(60, levels: levels)
        let cost = meeting.cost(100, levels: levels)
        #expect(cost.decoded == 200, "two voices")
        // The floor: its listeners, and the chair without itself. The language: its listener, and the interpreter without itself.
        #expect(cost.encoded == 400 && !failed)
        let (floor, interpreted) = (ears[3], ears[2])
        #expect(floor.amplitude(440) > 3_000 && floor.amplitude(1_000) < 300)
        #expect(interpreted.amplitude(1_000) > 3_000 && interpreted.amplitude(440) < 300)
        #expect(ears[0].amplitude(440) < 300 && ears[0].amplitude(1_000) < 300, "the chair is alone on the floor")
        #expect(ears[1].amplitude(1_000) < 300, "the interpreter does not hear itself")
        #expect(meeting.bridge.composer.speaker == meeting.people[0].session, "who is shown speaks on the floor")
    }

    @Test func `who goes over to another mix is heard there, and a mix ends with its last listener`() throws {
        let meeting = try meeting()
        let ear = try Ear(meeting.people[4])
        meeting.onFrame = { frame in do { try ear.hear(frame) } catch { Issue.record(error) } }
        meeting.people[4].mix = language
        meeting.people[1].voiceMix = language
        meeting.bridge.membersChanged()
        meeting.run(80, levels: levels)
        #expect(ear.amplitude(1_000) > 3_000)
        // The interpreter speaks on the floor now, and the listener hears it there.
        meeting.people[1].voiceMix = .floor
        meeting.bridge.membersChanged()
        meeting.run(80, levels: levels)
        #expect(ear.amplitude(1_000) < 300)
        meeting.people[4].mix = .floor
        meeting.bridge.membersChanged()
        meeting.run(80, levels: levels)
        #expect(ear.amplitude(1_000) > 2_000 && ear.amplitude(440) > 2_000)
        let cost = meeting.cost(50, levels: levels)
        // Two voices; four who listen have one packet, and each who speaks one.
        #expect(cost.decoded == 100 && cost.encoded == 150)
    }
}
