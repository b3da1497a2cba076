import TestSupport
import Testing

@testable import ICE

struct StreamFramesTests {
    private func framed(_ frames: [[UInt8]]) -> [UInt8] {
        frames.flatMap { [UInt8($0.count >> 8), UInt8(truncatingIfNeeded: $0.count)] + $0 }
    }

    private func read(_ pieces: [[UInt8]], _ stream: inout StreamFrames) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        for piece in pieces {
            try stream.take(piece.span) { frame in found.append(frame.withUnsafeBufferPointer { Array($0) }) }
        }
        return found
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `whole frames come out in order, however the stream is cut`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let sizes = (0..<40).map { _ in Int.random(in: 1...StreamFrames.largest, using: &random) } + [1, StreamFrames.largest]
        let frames = sizes.map { size in (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) } }
        var rest = framed(frames)[...]
        var pieces: [[UInt8]] = []
        while !rest.isEmpty {
            let size = Bool.random(using: &random) ? Int.random(in: 1...4, using: &random) : Int.random(in: 1...4_000, using: &random)
            pieces.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        var stream = StreamFrames()
        let found = try read(pieces, &stream)
        #expect(found == frames && !stream.isWithin)
    }

    @Test func `a frame without bytes is left out, and half a frame is none yet`() throws {
        var stream = StreamFrames()
        #expect(try read([[0, 0, 0, 1, 7, 0, 0, 0, 2, 8]], &stream) == [[7]])
        #expect(stream.isWithin)
        #expect(try read([[], [9]], &stream) == [[8, 9]])
        #expect(try read([[0]], &stream) == [] && stream.isWithin)
    }

    @Test(arguments: [Array("GET / HTTP/1.1".utf8), [0x16, 0x03, 0x01, 0x02, 0x00], [0x08, 0x01], [0xff, 0xff]])
    func `what is longer than any datagram ends the stream, after what came before it`(bytes: [UInt8]) {
        var stream = StreamFrames()
        var found: [[UInt8]] = []
        let all: [UInt8] = [0, 1, 5] + bytes
        #expect(throws: StreamFrames.Failure.tooLong(Int(bytes[0]) << 8 | Int(bytes[1]))) {
            try stream.take(all.span) { frame in found.append(frame.withUnsafeBufferPointer { Array($0) }) }
        }
        #expect(found == [[5]])
    }
}
