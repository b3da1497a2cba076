import Base
import RTP
import Testing

/// Packets in and frames out. `K` begins a key frame, `d` another frame, `.` goes on with a frame, `!` after one of them is the frame's last packet,
/// `0` is padding, `x` nobody can read.
struct FrameAssemblyTableTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// In order of arrival: the number, the letters, and the frame that it belongs to.
        var packets: [(sequence: Int64, letters: String, frame: UInt32)]
        /// Frames that come out, in order.
        var frames: [UInt32]
        /// Afterwards: a key frame is needed, and something is waited for.
        var needsKey = false
        var waits = false
    }

    static let rows = [
        Row(testDescription: "frames of one packet", packets: [(1, "K!", 1), (2, "d!", 2), (3, "d!", 3)], frames: [1, 2, 3]),
        Row(testDescription: "of three", packets: [(1, "K", 1), (2, ".", 1), (3, ".!", 1), (4, "d", 2), (5, ".!", 2)], frames: [1, 2]),
        Row(testDescription: "the last comes first", packets: [(1, "K", 1), (3, ".!", 1), (2, ".", 1)], frames: [1]),
        Row(testDescription: "the frames change places", packets: [(1, "K!", 1), (3, "d!", 3), (2, "d!", 2)], frames: [1, 2, 3]),
        Row(
            testDescription: "everything twice", packets: [(1, "K!", 1), (1, "K!", 1), (2, "d!", 2), (2, "d!", 2), (1, "K!", 1)],
            frames: [1, 2]),
        Row(
            testDescription: "nothing before a key frame", packets: [(1, "d!", 1), (2, "d!", 2), (3, "K!", 3), (4, "d!", 4)],
            frames: [3, 4]),
        Row(testDescription: "no key frame at all", packets: [(1, "d!", 1), (2, "d!", 2)], frames: [], needsKey: true),
        Row(
            testDescription: "the rest of a frame whose beginning is gone", packets: [(5, ".!", 1), (6, "d!", 2)], frames: [],
            needsKey: true),
        Row(testDescription: "a hole is waited for", packets: [(1, "K!", 1), (3, "d!", 3), (4, "d!", 4)], frames: [1], waits: true),
        Row(
            testDescription: "a hole in a frame is waited for", packets: [(1, "K!", 1), (2, "d", 2), (4, ".!", 2)], frames: [1], waits: true
        ),
        Row(testDescription: "not begun is not late", packets: [(1, "K!", 1), (2, "d", 2), (3, ".", 2)], frames: [1], waits: true),
        Row(testDescription: "padding between frames", packets: [(1, "K!", 1), (2, "0", 1), (3, "0", 1), (4, "d!", 2)], frames: [1, 2]),
        Row(testDescription: "padding is missing too", packets: [(1, "K!", 1), (4, "d!", 2), (3, "0", 1), (2, "0", 1)], frames: [1, 2]),
        Row(
            testDescription: "no marker: the next timestamp ends it, and it is torn", packets: [(1, "K!", 1), (2, "d", 2), (3, "d!", 3)],
            frames: [1], needsKey: true),
        Row(
            testDescription: "torn, then a key frame", packets: [(1, "K!", 1), (2, "d", 2), (3, "K!", 3), (4, "d!", 4)], frames: [1, 3, 4]),
        Row(
            testDescription: "a packet that cannot be read is as if it had not come", packets: [(1, "K!", 1), (2, "x!", 2), (3, "d!", 3)],
            frames: [1], waits: true),
        Row(
            testDescription: "and its repeat mends it", packets: [(1, "K!", 1), (2, "x!", 2), (3, "d!", 3), (2, "d!", 2)],
            frames: [1, 2, 3]),
        Row(testDescription: "older than its turn", packets: [(10, "K!", 1), (4, "d!", 9), (11, "d!", 2)], frames: [1, 2]),
        Row(
            testDescription: "a hole as large as the buffer is given up, for the key frame behind it",
            packets: [(1, "K!", 1), (3, "d!", 2), (100, "K!", 3), (2 + 512, "d!", 5), (101, "d!", 4)], frames: [1, 3, 4], waits: true),
    ]

    private func payload(_ letters: String) -> [UInt8] {
        switch letters.first {
        // Descriptor, frame tag, start code, 640 by 360.
        case "K": [0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]
        case "d": [0x10, 0x11, 0, 0, 5]
        case ".": [0x00, 6, 7]
        case "0": []
        // An extension that is not there.
        default: [0x80, 0x80]
        }
    }

    @Test(arguments: rows, [0, 65_530, 1_000_000] as [Int64])
    func `packets become frames so`(row: Row, first: Int64) {
        var assembler = FrameAssembler()
        var (bytes, out): ([UInt8], [UInt32]) = ([], [])
        var now = Instant(sinceStart: .seconds(1))
        for packet in row.packets {
            assembler.insert(
                payload(packet.letters).span, sequence: first + packet.sequence, timestamp: packet.frame,
                marker: packet.letters.hasSuffix("!"),
                now: now)
            while let frame = assembler.next(now: now, into: &bytes) {
                out.append(frame.timestamp)
                #expect(frame.isKey == (frame.width == 640 && frame.height == 360))
            }
            now += .milliseconds(1)
        }
        #expect(out == row.frames && assembler.needsKeyFrame == row.needsKey)
        #expect((assembler.deadline != nil) == row.waits)
    }

    @Test func `what is waited for in vain is given up after half a second, for the key frame that came since`() {
        var assembler = FrameAssembler()
        var bytes: [UInt8] = []
        let start = Instant(sinceStart: .seconds(1))
        for (sequence, letters) in [(1, "K!"), (3, "d!"), (4, "K!"), (5, "d!")] as [(Int64, String)] {
            assembler.insert(payload(letters).span, sequence: sequence, timestamp: UInt32(sequence), marker: true, now: start)
            while assembler.next(now: start, into: &bytes) != nil {}
        }
        #expect(assembler.deadline == start + FrameAssembler.patience)
        let early = assembler.expire(now: start + .milliseconds(499))
        let late = assembler.expire(now: start + .milliseconds(500))
        #expect(!early && late)
        var out: [UInt32] = []
        while let frame = assembler.next(now: start + .milliseconds(500), into: &bytes) { out.append(frame.timestamp) }
        #expect(out == [4, 5] && !assembler.needsKeyFrame && assembler.deadline == nil)
    }

    @Test func `a key frame that was given up does not come back when the rest of it comes, nor what was behind it`() {
        var assembler = FrameAssembler()
        var (bytes, out): ([UInt8], [UInt32]) = ([], [])
        var now = Instant(sinceStart: .seconds(1))
        func give(_ packets: (Int64, String, UInt32)...) {
            for (sequence, letters, frame) in packets {
                assembler.insert(
                    payload(letters).span, sequence: sequence, timestamp: frame, marker: letters.hasSuffix("!"), now: now)
                while let frame = assembler.next(now: now, into: &bytes) { out.append(frame.timestamp) }
            }
            now += FrameAssembler.patience
            _ = assembler.expire(now: now)
            while let frame = assembler.next(now: now, into: &bytes) { out.append(frame.timestamp) }
        }
        give((10_001, "K!", 1), (10_003, ".!", 2), (10_004, "d!", 3))
        give((10_005, "K!", 4), (10_007, "d!", 6))
        #expect(out == [1, 4] && assembler.needsKeyFrame)
        // The repeat of the second frame's beginning was long under way.
        give((10_002, "K", 2))
        #expect(out == [1, 4] && assembler.needsKeyFrame && assembler.deadline == nil)
        give((10_008, "K!", 7), (10_009, "d!", 8), (10_011, "d!", 10))
        #expect(out == [1, 4, 7, 8] && assembler.needsKeyFrame)
        // Counted anew from far below, it is another stream.
        give((9_300, "K!", 20), (9_301, "d!", 21))
        #expect(out == [1, 4, 7, 8, 20, 21])
    }
}
