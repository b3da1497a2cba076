import Audio
import Base
import RTP
import Testing

@testable import MCU

/// Sound with its predecessors in it: who is sent it, and of whose packets.
struct RedundantSoundTests {
    private typealias Heard = (number: Int64, redundancy: Int, bytes: [UInt8])

    private func hear(_ gate: inout SoundGate, _ frame: AudioFrame, _ participant: Participant) -> Heard? {
        gate.wanted = participant.soundForm
        guard let packet = gate.take(frame, for: ObjectIdentifier(participant)) else { return nil }
        var bytes: [UInt8] = []
        frame.withPayload(of: packet) { payload in bytes = payload.withUnsafeBufferPointer { Array($0) } }
        return (frame.number, packet.redundancy, bytes)
    }

    private static func blocks(_ heard: Heard) throws -> [(offset: Int, bytes: [UInt8])] {
        var bytes = heard.bytes
        var span = bytes.mutableSpan
        RedundantAudioWriter.setPayloadType(111, at: 0, in: &span)
        let redundant = try RedundantAudio(parsing: bytes.span.bytes, payloadType: 111)
        #expect(redundant.primary.lowerBound == heard.redundancy)
        return (0..<redundant.count).map { (redundant[$0].offset, Array(bytes[redundant[$0].payload])) }
    }

    /// What places of a meeting hear in `ticks`, where those in `takers` take redundancy.
    private func hear(
        _ meeting: MixerMeeting, _ places: [Int], takers: Set<Int>, ticks: Int, levels: (Int) -> [Int: Int]
    ) -> [Int: [Heard]] {
        var gates: [Int: SoundGate] = [:]
        for place in places {
            gates[place] = SoundGate(meeting.people[place].soundForm)
            gates[place]?.takesRedundancy = takers.contains(place)
        }
        var heard: [Int: [Heard]] = [:]
        meeting.onFrame = { frame in
            for place in places {
                guard var gate = gates[place] else { continue }
                if let one = hear(&gate, frame, meeting.people[place]) { heard[place, default: []].append(one) }
                gates[place] = gate
            }
        }
        for tick in 0..<ticks { meeting.run(1, levels: levels(tick)) }
        meeting.onFrame = { _ in }
        return heard
    }

    @Test func `listeners with and without it share one encode, and the plain packet is the end of the other`() throws {
        let meeting = try MixerMeeting(3)
        for place in 1...2 { meeting.people[place].soundTier = .lossy }
        meeting.run(60, levels: [0: -20])
        let before = meeting.bridge.soundCounters.encoded
        let heard = hear(meeting, [1, 2], takers: [1], ticks: 100) { _ in [0: -20] }
        // The speaker's own, and one for both.
        #expect(meeting.bridge.soundCounters.encoded - before == 200)
        let (with, without) = (try #require(heard[1]), try #require(heard[2]))
        #expect(with.count == 100 && without.count == 100 && without.allSatisfy { $0.redundancy == 0 })
        for (one, plain) in zip(with, without) { #expect(Array(one.bytes[one.redundancy...]) == plain.bytes) }
        #expect(with.prefix(4).allSatisfy { $0.redundancy == 0 } && with.dropFirst(4).allSatisfy { $0.redundancy > 0 })
        for index in 4..<100 {
            let blocks = try Self.blocks(with[index])
            #expect(blocks.map(\.offset) == [3_840, 1_920])
            #expect(blocks.map(\.bytes) == [without[index - 4].bytes, without[index - 2].bytes])
            #expect(with[index].bytes.count <= RedundantAudioWriter.largestPayload)
        }
    }

    @Test(arguments: SoundTier.allCases)
    func `only sound for lines that lose much has it`(tier: SoundTier) throws {
        let meeting = try MixerMeeting(2)
        meeting.people[1].soundTier = tier
        meeting.run(60, levels: [0: -20])
        let heard = try #require(hear(meeting, [1], takers: [1], ticks: 60) { _ in [0: -20] }[1])
        #expect(heard.contains { $0.redundancy > 0 } == (tier == .lossy))
    }

    @Test func `who speaks now and then is told of packets that it was sent, and so never of its own voice`() throws {
        let meeting = try MixerMeeting(3)
        meeting.people[1].soundTier = .lossy
        meeting.run(60, levels: [0: -20])
        let heard = try #require(
            hear(meeting, [1], takers: [1], ticks: 900) { tick in tick / 150 % 2 == 0 ? [0: -20] : [0: -20, 1: -18] }[1])
        var sent: [Int64: [UInt8]] = [:]
        var told = 0
        for one in heard {
            sent[one.number] = Array(one.bytes[one.redundancy...])
            guard one.redundancy > 0 else { continue }
            for block in try Self.blocks(one) {
                #expect(sent[one.number - Int64(block.offset / 960)] == block.bytes)
                told += 1
            }
        }
        #expect(told > 1_500)
    }
}
