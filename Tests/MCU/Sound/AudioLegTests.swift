import Base
import Foundation
import Peer
import TestSupport
import Testing

@testable import Audio
@testable import MCU

struct AudioLegTests {
    /// A sender's packets, one a tick from `first` on, and what its leg makes of them.
    private struct Line {
        let leg: AudioLeg
        let participant: Participant
        var payload = [UInt8](repeating: 0, count: 3_000)

        init(_ participant: Participant) {
            self.participant = participant
            leg = AudioLeg(participant)
            leg.isSelected = true
        }

        /// - Returns: the ticks with sound, nil for those without.
        mutating func run(_ packets: [[UInt8]], ssrc: UInt32, from first: Int) -> [[Int16]?] {
            var decoded: UInt64 = 0
            return packets.enumerated().map { index, packet in
                let now = Instant(sinceStart: .seconds(10) + .milliseconds(20 * (first + index)))
                participant.receive(
                    ReceivedAudio(
                        ssrc: ssrc, sequenceNumber: UInt16(truncatingIfNeeded: index), timestamp: UInt32(index * 960), marker: false,
                        level: nil, hasVoice: nil, arrival: now), payload: packet.span)
                leg.pull(now: now, payload: &payload, decoded: &decoded)
                return leg.hasSound ? leg.tick : nil
            }
        }
    }

    @Test func `another source of the same sender sounds as if nobody had spoken before`() throws {
        let meeting = try MixerMeeting(2)
        var random = SeededGenerator(seed: 5)
        let noise = try MixerMeeting.packets(40) { _ in Double.random(in: -20_000...20_000, using: &random) }
        let speech = try MixerMeeting.packets(40) { 9_000 * sin(2 * .pi * 310 * Double($0) / 48_000) }
        var (changing, fresh) = (Line(meeting.people[0]), Line(meeting.people[1]))
        #expect(changing.run(noise, ssrc: 7, from: 0).last != .some(nil))
        let heard = changing.run(speech, ssrc: 8, from: 40)
        let wanted = fresh.run(speech, ssrc: 8, from: 40)
        let begins = try #require(wanted.firstIndex { $0 != nil })
        #expect(begins < 5)
        #expect(heard[begins...].elementsEqual(wanted[begins...]))
        // What was said before does not break off: it fades.
        let before = heard[..<begins].compactMap { $0 }.joined()
        #expect(before.last.map { abs(Int($0)) < 200 } ?? true)
    }
}
