import TestSupport
import Testing

@testable import Audio

struct OpusTests {
    @Test func `a tone comes through the codec at its frequency and loudness`() throws {
        var decoder = try OpusDecoder()
        var heard: [Int16] = []
        for packet in try Sounds.packets(12, hertz: 1_000) {
            var pcm = [Int16](repeating: 0, count: 960)
            var room = pcm.mutableSpan
            let written = try decoder.decode(packet.span.bytes, into: &room)
            #expect(written == 960)
            heard += pcm
        }
        var spectrum = Spectrum()
        let found = spectrum.dominantFrequency(of: heard.span)
        let dominant = try #require(found)
        #expect(abs(dominant - 1_000) < 3)
        let steady = heard[4_800...]
        #expect(abs(AudioLevel.decibels(of: steady.span) - -13) <= 1)
    }

    @Test(arguments: [120, 240, 480, 960, 1_920, 2_880])
    func `a packet's first bytes say how long it is`(samples: Int) throws {
        let packet = try Sounds.packets(1, samples: samples)[0]
        let parsed = try OpusPacket(parsing: packet.span.bytes)
        #expect(parsed.samples == samples && parsed.channels == 1)
    }

    @Test func `empty packets and more than 120 ms are refused`() throws {
        let empty: [UInt8] = []
        #expect(throws: OpusError.self) { try OpusPacket(parsing: empty.span.bytes) }
        let sixtyFramesOfSixty: [UInt8] = [0x1b, 0x3c]  // SILK 60 ms, code 3, 60 frames
        #expect(throws: OpusError.self) { try OpusPacket(parsing: sixtyFramesOfSixty.span.bytes) }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `garbage is refused or decoded, and the next good packet decodes`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var decoder = try OpusDecoder()
        let good = try Sounds.packets(1)[0]
        var refused = 0
        for _ in 0..<20 {
            let garbage = (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            var pcm = [Int16](repeating: 0, count: 5_760)
            var room = pcm.mutableSpan
            // What decodes is as long as its own first bytes say; what recovers, as long as it was asked to be.
            let said = try? OpusPacket(parsing: garbage.span.bytes).samples
            do throws(OpusError) {
                let decoded = try decoder.decode(garbage.span.bytes, into: &room)
                #expect(decoded == said)
            } catch { refused += 1 }
            do throws(OpusError) {
                let recovered = try decoder.recover(from: garbage.span.bytes, samples: 960, into: &room)
                #expect(recovered == 960)
            } catch { refused += 1 }
            let written = try decoder.decode(good.span.bytes, into: &room)
            #expect(written == 960)
        }
        #expect(refused < 40)
    }

    @Test func `an empty packet is an error and not a concealment`() throws {
        var decoder = try OpusDecoder()
        let empty: [UInt8] = []
        var pcm = [Int16](repeating: 0, count: 960)
        var room = pcm.mutableSpan
        var refused = false
        do { _ = try decoder.decode(empty.span.bytes, into: &room) } catch { refused = true }
        #expect(refused)
    }

    @Test func `with silence, discontinuous transmission sends next to nothing`() throws {
        var settings = OpusEncoder.Settings()
        settings.usesDiscontinuousTransmission = true
        var encoder = try OpusEncoder(settings)
        let silence = [Int16](repeating: 0, count: 960)
        var small = 0
        for _ in 0..<100 {
            var packet = [UInt8](repeating: 0, count: 1_276)
            var room = packet.mutableSpan
            if try encoder.encode(silence.span, into: &room) <= 2 { small += 1 }
        }
        #expect(small > 60)
    }
}
