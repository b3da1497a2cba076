import Audio
import Base
import Foundation
import TestSupport
import Testing

@testable import MCU

/// What each tier's packets are, who shares them, and what a change of tier does to the listener's time.
struct SoundTierTests {
    /// One listener of a meeting as its seat: what it is sent, with the time that each packet stands for.
    private final class Ear {
        private var gate: SoundGate
        private let participant: Participant
        private(set) var packets: [(timestamp: UInt32, form: SoundForm, bytes: [UInt8])] = []

        init(_ participant: Participant) {
            self.participant = participant
            gate = SoundGate(participant.soundForm)
        }

        func hear(_ frame: AudioFrame) {
            gate.wanted = participant.soundForm
            guard let packet = gate.take(frame, for: ObjectIdentifier(participant)) else { return }
            participant.sentSound = gate.present
            frame.withBytes(of: packet) { bytes in
                packets.append((packet.timestamp, packet.form, bytes.withUnsafeBufferPointer { Array($0) }))
            }
        }

        /// Samples between the end of each packet and the beginning of the next, negative where they overlap.
        var holes: [Int] {
            zip(packets, packets.dropFirst()).map { Int(Int32(bitPattern: $1.timestamp &- $0.timestamp)) - 960 * $0.form.ticks }
        }
    }

    private func listening(_ meeting: MixerMeeting, _ places: [Int]) -> [Ear] {
        let ears = places.map { Ear(meeting.people[$0]) }
        meeting.onFrame = { frame in for ear in ears { ear.hear(frame) } }
        return ears
    }

    @Test(arguments: SoundTier.allCases)
    func `packets of a tier are as long as they say, one after the other, and within its bits`(tier: SoundTier) throws {
        let meeting = try MixerMeeting(2)
        meeting.people[1].soundTier = tier
        let form = SoundForm(tier)
        meeting.run(100, levels: [0: -20])
        let ear = listening(meeting, [1])[0]
        meeting.run(300, levels: [0: -20])
        #expect(abs(ear.packets.count - 300 / form.ticks) <= 1 && ear.packets.allSatisfy { $0.form == form })
        #expect(ear.holes.allSatisfy { $0 == 0 })
        for packet in ear.packets { #expect(try OpusPacket(parsing: packet.bytes.span.bytes).samples == 960 * form.ticks) }
        let bits = Double(ear.packets.reduce(0) { $0 + $1.bytes.count } * 8) / 6
        #expect(bits < Double(form.bitsPerSecond) * 1.15, "\(bits)")
        var decoder = try VoiceDecoder()
        var heard: [Int16] = []
        for packet in ear.packets {
            try decoder.decode(packet.bytes.span.bytes)
            while decoder.buffered >= 960 { heard += Self.tick(&decoder) }
        }
        let last = Array(heard.suffix(48_000))
        #expect(abs(ToneMeter.level(of: 440, in: last.span) + 14.7) < 1.5 && Self.largestStep(last) < 700)
    }

    private static func tick(_ voice: inout VoiceDecoder) -> [Int16] {
        var tick = [Int16](repeating: 0, count: 960)
        var room = tick.mutableSpan
        voice.read(into: &room)
        return tick
    }

    private static func largestStep(_ pcm: [Int16]) -> Int { zip(pcm, pcm.dropFirst()).map { abs(Int($1) - Int($0)) }.max() ?? 0 }

    @Test func `a tier is encoded once for all who take it, and costs nothing where nobody does`() throws {
        let meeting = try MixerMeeting(31)
        for place in 1...30 { meeting.people[place].soundTier = .thinnest }
        meeting.run(120, levels: [0: -20])
        // The speaker's own fifty a second, and the listeners' sixteen or seventeen.
        #expect((199...201).contains(meeting.cost(150, levels: [0: -20]).encoded))
        for place in 1...10 { meeting.people[place].soundTier = .clean }
        for place in 11...20 { meeting.people[place].soundTier = .thin }
        meeting.run(60, levels: [0: -20])
        #expect((424...426).contains(meeting.cost(150, levels: [0: -20]).encoded))
        for place in 1...30 { meeting.people[place].soundTier = .clean }
        meeting.run(60, levels: [0: -20])
        #expect(meeting.cost(150, levels: [0: -20]).encoded == 300)
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `whatever tiers follow each other, timestamps rise, and nothing overlaps or is missing`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let meeting = try MixerMeeting(4)
        let ears = listening(meeting, [1, 2, 3])
        for _ in 0..<30 {
            for place in 1...3 where Bool.random(using: &random) {
                meeting.people[place].soundTier = SoundTier.allCases.randomElement(using: &random) ?? .clean
            }
            meeting.run(Int.random(in: 1...70, using: &random), levels: [0: -20])
        }
        for ear in ears {
            #expect(ear.packets.count > 100 && ear.holes.allSatisfy { $0 == 0 }, "\(ear.holes.filter { $0 != 0 })")
            #expect(Set(ear.packets.map(\.form.index)).count >= 3)
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `who speaks now and then and changes tiers misses one packet at most at a time`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let meeting = try MixerMeeting(3)
        let ears = listening(meeting, [0, 1])
        for _ in 0..<40 {
            for place in 0...1 where Int.random(in: 0..<4, using: &random) == 0 {
                meeting.people[place].soundTier = SoundTier.allCases.randomElement(using: &random) ?? .clean
            }
            let levels = [0: Bool.random(using: &random) ? -20 : -127, 1: Bool.random(using: &random) ? -22 : -127, 2: -24]
            meeting.run(Int.random(in: 1...60, using: &random), levels: levels)
        }
        for ear in ears {
            #expect(ear.holes.allSatisfy { $0 >= 0 && $0 <= 2_880 }, "\(ear.holes.filter { $0 != 0 })")
            #expect(ear.holes.count { $0 != 0 } <= 4, "\(ear.holes.filter { $0 != 0 })")
        }
    }

    @Test func `who begins to speak amid a long packet does not hear itself, and the others without a break`() throws {
        let meeting = try MixerMeeting(3)
        meeting.sounds[1] = try MixerMeeting.packets(50) { 6_000 * sin(2 * .pi * 1_000 * Double($0) / 48_000) }
        meeting.people[1].soundTier = .thinnest
        meeting.run(100, levels: [0: -20])
        let ear = listening(meeting, [1])[0]
        for ticks in [40, 41, 42, 43] {
            meeting.run(ticks, levels: [0: -20, 1: -20])
            meeting.run(ticks, levels: [0: -20])
        }
        var decoder = try OpusDecoder()
        var heard: [Int16] = []
        for packet in ear.packets {
            var pcm = [Int16](repeating: 0, count: 5_760)
            var room = pcm.mutableSpan
            let count = try decoder.decode(packet.bytes.span.bytes, into: &room)
            heard += pcm[..<count]
        }
        #expect(ear.holes.allSatisfy { $0 == 0 })
        for start in stride(from: 9_600, to: heard.count - 4_800, by: 4_800) {
            let piece = Array(heard[start..<start + 4_800])
            #expect(ToneMeter.level(of: 440, in: piece.span) > -18)
            #expect(ToneMeter.level(of: 1_000, in: piece.span) < -35)
        }
    }

    @Test func `limits of a listener hold in every tier`() {
        for tier in SoundTier.allCases {
            for row in 0..<SoundClass.count {
                let soundClass = SoundClass(index: row)
                for most in 1...6 {
                    let form = SoundForm(tier, soundClass, mostTicks: most)
                    #expect(form.ticks <= most)
                    #expect(form.bitsPerSecond <= soundClass.bitsPerSecond && form.bandwidth.rawValue <= soundClass.bandwidth.rawValue)
                    #expect(form.sibling.limit == form.limit && form.sibling.ticks == form.ticks)
                    #expect((form.expectedLossPercent > 0) == (tier != .clean) || [SoundForm(.thinnest), SoundForm(.thin)].contains(form))
                    if tier == .thin || tier == .thinLossy { #expect(form.bitsPerSecond <= 24_000) }
                    if tier == .thinnest || tier == .thinnestLossy { #expect(form.bitsPerSecond <= 16_000) }
                }
            }
        }
        let all = Set((0..<SoundForm.count).map { SoundForm(index: $0).index })
        #expect(all.count == 23)
    }

    @Test(arguments: [("", 3), ("a=maxptime:120\r\n", 3), ("a=maxptime:60\r\n", 3), ("a=maxptime:40\r\n", 1), ("a=maxptime:20\r\n", 1)])
    func `a listener's longest packet is kept to`(line: String, ticks: Int) throws {
        let meeting = try MixerMeeting(1)
        let offer = MediaServerTests.offer.replacing(/a=rtpmap:\d+ opus/, maxReplacements: 1) { line + $0.output }
        let listener = try meeting.add(offer: offer)
        listener.soundTier = .thinnest
        #expect(listener.soundForm.ticks == ticks && listener.soundForm.bitsPerSecond <= 16_000)
        listener.soundTier = .thin
        #expect(listener.soundForm.ticks == (line.contains(":20") ? 1 : 2))
    }
}

struct SoundTierSelectorTests {
    private func run(_ selector: inout SoundTierSelector, _ looks: Int, loss: Double? = 0, line: Int? = nil) -> SoundTier {
        for _ in 0..<looks { selector.look(loss: loss, lineBitsPerSecond: line) }
        return selector.tier
    }

    @Test func `correction is there until the line is known, ends after three calm looks, and later after ten`() {
        var selector = SoundTierSelector()
        #expect(run(&selector, 20, loss: nil) == .repairing)
        #expect(run(&selector, 2) == .repairing && run(&selector, 1) == .clean)
        #expect(run(&selector, 1, loss: 0.02) == .repairing)
        #expect(run(&selector, 9) == .repairing && run(&selector, 1) == .clean)
    }

    @Test func `much loss has much correction, for ten looks after it`() {
        var selector = SoundTierSelector()
        #expect(run(&selector, 1, loss: 0.3) == .repairing, "one report may be chance")
        #expect(run(&selector, 1, loss: 0.1) == .lossy)
        #expect(run(&selector, 50, loss: 0.07) == .lossy)
        #expect(run(&selector, 9, loss: 0.03) == .lossy && run(&selector, 1, loss: 0.03) == .repairing)
        #expect(run(&selector, 2, loss: 1) == .lossy && run(&selector, 9) == .lossy && run(&selector, 1) == .repairing)
        #expect(run(&selector, 10) == .clean)
    }

    @Test func `a thin line has thin sound at once, and better sound when there was room for some seconds`() {
        var selector = SoundTierSelector()
        _ = run(&selector, 3)
        #expect(run(&selector, 1, line: 170_000) == .clean && run(&selector, 1, line: 159_000) == .thin)
        #expect(run(&selector, 60, line: 200_000) == .thin, "no room to go back")
        #expect(run(&selector, 1, line: 64_000) == .thinnest && run(&selector, 60, line: 125_000) == .thinnest)
        #expect(run(&selector, 4, line: 140_000) == .thinnest && run(&selector, 1, line: 120_000) == .thinnest)
        #expect(run(&selector, 4, line: 140_000) == .thinnest && run(&selector, 1, line: 140_000) == .thin)
        #expect(run(&selector, 5, line: 208_000) == .clean)
        #expect(run(&selector, 1, line: 0) == .thinnest && run(&selector, 5, line: nil) == .clean)
        #expect(run(&selector, 1, loss: 0.02, line: 150_000) == .thin)
        #expect(run(&selector, 1, loss: 0.01, line: 150_000) == .thinLossy && run(&selector, 30, loss: 0.006, line: 150_000) == .thinLossy)
        #expect(run(&selector, 9, loss: 0, line: 150_000) == .thinLossy && run(&selector, 1, loss: 0, line: 150_000) == .thin)
        #expect(run(&selector, 1, loss: 0.2, line: 64_000) == .thinnest && run(&selector, 1, loss: 0.04, line: 64_000) == .thinnestLossy)
        #expect(run(&selector, 30, loss: 0.03, line: 64_000) == .thinnestLossy)
        #expect(run(&selector, 9, loss: 0.01, line: 64_000) == .thinnestLossy && run(&selector, 1, loss: 0, line: 64_000) == .thinnest)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a line that wavers does not make the sound waver`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var selector = SoundTierSelector()
        var changes = 0
        for _ in 0..<1_000 {
            let before = selector.tier
            selector.look(loss: 0, lineBitsPerSecond: Int.random(in: 150_000...205_000, using: &random))
            if selector.tier != before { changes += 1 }
        }
        #expect(changes <= 2)
    }
}
