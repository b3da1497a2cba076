import Base
import RTP
import Testing

@testable import MCU

struct AudioFrameTests {
    final class Somebody {}
    private func bytes(_ frame: AudioFrame, for somebody: Somebody) -> [UInt8] {
        frame.bytes(for: ObjectIdentifier(somebody))
    }

    @Test func `a speaker gets its own mix, everybody else the shared one`() {
        var pool = AudioFramePool()
        let frame = pool.take()
        let (speaker, listener) = (Somebody(), Somebody())
        frame.begin(timestamp: 960, captured: .start)
        frame.add([1, 2, 3].span, for: nil)
        frame.add([7].span, for: ObjectIdentifier(speaker))
        #expect(bytes(frame, for: listener) == [1, 2, 3])
        #expect(bytes(frame, for: speaker) == [7])
    }

    @Test func `a frame that somebody still reads is not taken again`() {
        var pool = AudioFramePool()
        let first = pool.take()
        let second = pool.take()
        #expect(first !== second)
    }

    @Test func `a frame that nobody reads is taken again, so a tick allocates nothing`() {
        var pool = AudioFramePool()
        let seen = Set((0..<100).map { _ in ObjectIdentifier(pool.take()) })
        #expect(seen.count <= 2)
    }

    @Test func `many long packets find room`() {
        var pool = AudioFramePool()
        let frame = pool.take()
        frame.begin(timestamp: 0, captured: .start)
        let speakers = (0..<7).map { _ in Somebody() }
        for (index, speaker) in speakers.enumerated() {
            frame.add([UInt8](repeating: UInt8(index), count: AudioFrame.largestPacket).span, for: ObjectIdentifier(speaker))
        }
        for (index, speaker) in speakers.enumerated() {
            #expect(bytes(frame, for: speaker) == [UInt8](repeating: UInt8(index), count: AudioFrame.largestPacket))
        }
    }
}

struct BridgeClockTests {
    @Test(arguments: [0, 1, 88_000, 89_478_486, 400_000_000] as [Int64])
    func `sound and picture of one moment have the same time, across every wrap`(milliseconds: Int64) {
        let moment = Instant(nanoseconds: milliseconds * 1_000_000)
        #expect(BridgeClock.audioTimestamp(moment) == UInt32(truncatingIfNeeded: milliseconds * 48))
        #expect(BridgeClock.videoTimestamp(moment) == UInt32(truncatingIfNeeded: milliseconds * 90))
    }
}
