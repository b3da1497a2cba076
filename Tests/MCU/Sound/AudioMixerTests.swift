import Foundation
import Testing

@testable import MCU

/// The mixer run by hand: no threads, time is an argument.
struct AudioMixerTests {
    @Test(arguments: [10, 100, 500])
    func `three who speak cost three decodes and four encodes a tick, however many listen`(count: Int) throws {
        let meeting = try MixerMeeting(count)
        let levels = [0: -20, 1: -22, 2: -24]
        meeting.run(100, levels: levels)
        let cost = meeting.cost(100, levels: levels)
        #expect(cost.encoded == 400 && cost.decoded == 300)
        #expect(meeting.people.filter(\.isSpeaking).count == 3)
    }

    @Test func `when all speak at most five are decoded, and each of them gets a mix of its own`() throws {
        let meeting = try MixerMeeting(50)
        let levels = Dictionary(uniqueKeysWithValues: (0..<50).map { ($0, -20 - $0 / 2) })
        meeting.run(100, levels: levels)
        let cost = meeting.cost(100, levels: levels)
        #expect(cost.encoded == 600 && cost.decoded == 500)
    }

    @Test func `the floor holder is decoded, however loud the others are`() throws {
        let meeting = try MixerMeeting(20)
        let levels = Dictionary(uniqueKeysWithValues: (0..<19).map { ($0, -20) } + [(19, -60)])
        meeting.sounds[19] = try MixerMeeting.packets(50) { 45 * sin(2 * .pi * 440 * Double($0) / 48_000) }
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
        let meeting = try MixerMeeting(3)
        meeting.run(100, levels: [:])
        #expect(meeting.cost(50, levels: [:]).decoded == 0)
        // The jitter buffer holds 28 ms: within three ticks of the first loud packet it is decoded.
        #expect(meeting.cost(4, levels: [1: -25]).decoded >= 2)
        #expect(meeting.people[1].isHeard)
    }

    @Test func `one lossy line costs one more encode, and only there packets repeat`() throws {
        let meeting = try MixerMeeting(10)
        meeting.people[9].soundTier = .repairing
        meeting.run(100, levels: [0: -20])
        #expect(meeting.cost(100, levels: [0: -20]).encoded == 300)
    }

    @Test func `one who is muted is neither decoded nor heard`() throws {
        let meeting = try MixerMeeting(5)
        meeting.people[0].isMuted = true
        meeting.run(100, levels: [0: -20])
        #expect(meeting.cost(50, levels: [0: -20]).decoded == 0)
        #expect(!meeting.people[0].isSpeaking)
    }
}
