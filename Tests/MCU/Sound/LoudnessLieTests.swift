import Audio
import Foundation
import TestSupport
import Testing

@testable import MCU

/// What levels that are not true do to the mix.
struct LoudnessLieTests {
    /// An honest voice, the last but one, and a listener, the last; before them `liars` who send silence or `sound` and say 0 dBov.
    private func meeting(
        liars: Int, of person: (Int) -> UUID?, honest: UUID? = UUID(), sound: [[UInt8]]? = nil
    ) throws -> MixerMeeting {
        let meeting = try MixerMeeting(0)
        let silence = try MixerMeeting.packets(50) { _ in 0 }
        for number in 0..<liars {
            try meeting.add(person: person(number))
            meeting.sounds[number] = sound ?? silence
        }
        try meeting.add(person: honest)
        try meeting.add(person: UUID())
        return meeting
    }

    private func level(_ packets: [[UInt8]]) throws -> Double {
        let pcm = try MixerMeeting.sound(of: packets)
        return ToneMeter.level(of: 440, in: Array(pcm.suffix(9_600)).span)
    }

    private enum Logins: CaseIterable { case each, liarsOne, allOne, none }

    @Test(arguments: [1, 6, 20], Logins.allCases)
    private func `liars who say that they are loud cost an honest voice less than 3 dB, within a second`(liars: Int, logins: Logins) throws
    {
        let login = UUID()
        let meeting = try meeting(
            liars: liars, of: { _ in logins == .each ? UUID() : logins == .none ? nil : login },
            honest: logins == .allOne ? login : logins == .none ? nil : UUID())
        let honest = [liars: -18]
        let before = try level(meeting.heard(by: liars + 1, ticks: 50, levels: honest))
        let lies = honest.merging((0..<liars).map { ($0, 0) }) { $1 }
        _ = try meeting.heard(by: liars + 1, ticks: 50, levels: lies)
        for _ in 0..<4 { #expect(try level(meeting.heard(by: liars + 1, ticks: 25, levels: lies)) > before - 3) }
        #expect(meeting.bridge.composer.speaker == meeting.people[liars].session)
        #expect(meeting.bridge.soundCounters.doubted >= (logins == .each || liars < 6 ? 1 : 0))
        #expect(!meeting.people[liars].isDoubted && meeting.people[liars].isSpeaking)
    }

    @Test func `who was found lying is measured from then on, and heard when it really speaks`() throws {
        let meeting = try meeting(liars: 1, of: { _ in UUID() })
        meeting.run(100, levels: [0: 0])
        #expect(meeting.people[0].isDoubted && !meeting.people[0].isSpeaking)
        meeting.sounds[0] = nil
        meeting.run(50, levels: [0: -127])
        #expect(meeting.people[0].isSpeaking && meeting.people[0].measuredLevel > -25)
        meeting.people[0].isMuted = true
        #expect(try level(meeting.heard(by: 2, ticks: 50, levels: [0: -127])) < -60)
    }

    @Test func `who says that it is silent and is not, is shown as speaking while it is heard`() throws {
        let meeting = try meeting(liars: 1, of: { _ in UUID() })
        meeting.sounds[0] = nil
        // Just loud enough by its own words to be taken, too quiet to be shown.
        meeting.run(100, levels: [0: -53])
        #expect(meeting.people[0].isDoubted && meeting.people[0].isSpeaking && meeting.people[0].measuredLevel > -25)
    }

    @Test(arguments: [10, 60, 100, 500])
    func `who was silent, sending all the time, is heard in the tick that it speaks again`(pause: Int) throws {
        let meeting = try meeting(liars: 0, of: { _ in nil })
        meeting.run(100, levels: [0: -20])
        let silence = try MixerMeeting.packets(50) { _ in 0 }
        for _ in 0..<3 {
            meeting.sounds[0] = silence
            meeting.run(pause, levels: [0: -127])
            meeting.sounds[0] = nil
            #expect(try level(meeting.heard(by: 1, ticks: 12, levels: [0: -20])) > -25)
            meeting.run(40, levels: [0: -20])
        }
        #expect(!meeting.people[0].isDoubted)
    }

    @Test(arguments: 0..<3 as Range<UInt64>)
    func `a line on which sound comes up to half a second later than its turn silences nobody`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let late = (0..<400).map { _ in Int.random(in: 0...25, using: &generator) }
        let meeting = try meeting(liars: 0, of: { _ in nil })
        meeting.run(100, levels: [0: -20])
        meeting.lateness[0] = { late[$0 / 3 % 400] }
        var heard = 0
        for _ in 0..<20 where try level(meeting.heard(by: 1, ticks: 25, levels: [0: -20])) > -25 { heard += 1 }
        #expect(heard >= 14)
        meeting.lateness[0] = nil
        #expect(try level(meeting.heard(by: 1, ticks: 50, levels: [0: -20])) > -20)
    }

    @Test func `sessions of one login have one place beside others, and all where nobody else speaks`() throws {
        let login = UUID()
        let meeting = try meeting(liars: 6, of: { _ in login }, sound: MixerMeeting.packets(50) { 8_000 * sin(Double($0) / 8) })
        let lies = Dictionary(uniqueKeysWithValues: (0..<6).map { ($0, -15) })
        meeting.run(50, levels: lies)
        #expect(meeting.people.count { $0.isHeard } == 5)
        meeting.run(50, levels: lies.merging([6: -18]) { $1 })
        #expect(meeting.people[6].isHeard && meeting.people.count { $0.isHeard } == 2)
        // The floor stands above that.
        meeting.bridge.floor = meeting.people[5].session
        meeting.run(50, levels: lies.merging([6: -18]) { $1 })
        #expect(meeting.people[5].isHeard && meeting.people[6].isHeard && meeting.people.count { $0.isHeard } == 2)
    }

    @Test func `sessions that stand for people of their own have a place each`() throws {
        let meeting = try meeting(liars: 4, of: { _ in nil }, sound: MixerMeeting.packets(50) { 8_000 * sin(Double($0) / 8) })
        meeting.run(50, levels: [0: -15, 1: -15, 2: -15, 3: -15, 4: -18])
        #expect(meeting.people.count { $0.isHeard } == 5)
    }
}
