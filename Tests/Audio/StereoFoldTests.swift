import Foundation
import TestSupport
import Testing

@testable import Audio

struct StereoFoldTests {
    private static func pairs(_ count: Int, from start: Int = 0, _ sample: (Int) -> (Double, Double)) -> [Int16] {
        (start..<start + count).flatMap { index in
            let (left, right) = sample(index)
            return [Int16(clamping: Int(left)), Int16(clamping: Int(right))]
        }
    }

    private static func tone(_ index: Int, hertz: Double = 750) -> Double { 9_000 * sin(2 * .pi * hertz * Double(index) / 48_000) }

    private static func fold(_ pairs: [Int16], with fold: inout StereoFold, inPieces piece: Int = 960) -> [Int16] {
        var heard: [Int16] = []
        var start = 0
        while start < pairs.count / 2 {
            let count = min(piece, pairs.count / 2 - start)
            var pcm = [Int16](repeating: 0, count: count)
            var room = pcm.mutableSpan
            fold.fold(Array(pairs[2 * start..<2 * (start + count)]), count: count, decides: true, into: &room)
            heard += pcm
            start += count
        }
        return heard
    }

    private static func level(_ pcm: ArraySlice<Int16>, hertz: Double = 750) -> Double { ToneMeter.level(of: hertz, in: Array(pcm).span) }

    /// Right is left times this; what is heard must be no quieter than the louder channel by more than so much.
    @Test(arguments: [(-1.0, 1.0), (-0.9, 1), (-1.1, 1), (-0.6, 1), (-0.4, 1), (-2.5, 1), (1, 1), (0.5, 3), (0, 6.5)])
    func `whatever the right channel is of the left, the voice is heard`(right: Double, lost: Double) {
        var fold = StereoFold()
        let heard = Self.fold(Self.pairs(48_000) { (Self.tone($0), right * Self.tone($0)) }, with: &fold)
        let louder = 20 * log10(9_000 * max(1, abs(right)) / 32_768)
        #expect(Self.level(heard[4_800..<48_000]) > louder - lost)
        // From the first moment, but for a few milliseconds.
        #expect(Self.level(heard[480..<2_880]) > louder - lost - 1)
    }

    @Test func `a voice that turns over while it speaks stays heard and makes no click`() {
        var fold = StereoFold()
        var heard: [Int16] = []
        for piece in 0..<8 {
            let sign = piece % 2 == 0 ? 1.0 : -1
            let pairs = Self.pairs(24_000, from: piece * 24_000) { (Self.tone($0), sign * Self.tone($0)) }
            heard += Self.fold(pairs, with: &fold)
        }
        for piece in 0..<8 {
            // After the 150 ms that the decision may take.
            let steady = heard[(piece * 24_000 + 7_200)..<((piece + 1) * 24_000)]
            #expect(Self.level(steady) > 20 * log10(9_000 / 32_768) - 1)
        }
        // The tone itself moves at most 884 from sample to sample; where the channels turn over, the sender's own step is none of ours.
        let ours = (0..<8).flatMap { piece in heard[(piece * 24_000 + 2)..<((piece + 1) * 24_000)] }
        #expect(Sounds.largestStep(Array(ours[0..<23_998])) < 950 && Sounds.largestStep(Array(ours[24_000..<47_990])) < 950)
    }

    @Test func `two voices on two channels are both heard, and it does not go to and fro`() {
        var fold = StereoFold()
        let heard = Self.fold(Self.pairs(96_000) { (Self.tone($0), Self.tone($0, hertz: 1_130)) }, with: &fold)
        for start in stride(from: 4_800, to: 96_000 - 4_800, by: 4_800) {
            let piece = heard[start..<start + 4_800]
            #expect(abs(Self.level(piece) - Self.level(piece, hertz: 1_130)) < 1)
            #expect(abs(Self.level(piece) - (20 * log10(4_500 / 32_768))) < 1)
        }
    }

    @Test(arguments: [120, 480, 960, 2_880, 5_760])
    func `the length of packets makes no difference to a voice that cancels itself`(samples: Int) {
        var fold = StereoFold()
        let heard = Self.fold(Self.pairs(48_000) { (Self.tone($0), -Self.tone($0)) }, with: &fold, inPieces: samples)
        #expect(Self.level(heard[4_800..<48_000]) > -12.3)
    }

    @Test func `the loudest samples do not overflow`() {
        var fold = StereoFold()
        let heard = Self.fold(Self.pairs(4_800) { _ in (-32_768, 32_767) }, with: &fold)
        #expect(heard[960...].allSatisfy { $0 == -32_768 })
    }

    @Test func `a file whose channels are opposite is heard as loud as each of them, and its level is measured so`() throws {
        let vectors = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Vectors")
        let bytes = [UInt8](try Data(contentsOf: vectors.appending(path: "opposite-stereo.ogg")))
        let file = try OggOpusFile(parsing: bytes.span.bytes)
        var voice = try VoiceDecoder()
        var heard: [Int16] = []
        var next = 0
        while next < file.packetCount {
            while voice.wantsPacket, next < file.packetCount {
                try voice.decode(Array(file[next]).span.bytes)
                next += 1
            }
            var tick = [Int16](repeating: 0, count: 960)
            var room = tick.mutableSpan
            voice.read(into: &room)
            heard += tick
        }
        #expect(heard.count >= 140 * 960)
        let steady = heard[9_600..<(heard.count - 9_600)]
        #expect(abs(Self.level(steady) - -10) < 1)
        #expect(abs(AudioLevel.decibels(of: Array(steady).span) - -13) <= 1)
    }
}
