import Base
import RTP
import TestSupport
import Testing

@testable import Audio

/// Jitter buffer and decoder together, as the mixer and the endpoint have them: a tone over a line, in virtual time.
struct CatchingUpTests {
    private struct Listener: ~Copyable {
        var buffer = JitterBuffer()
        var voice: VoiceDecoder
        private var payload = [UInt8](repeating: 0, count: 1_500)

        init() throws { voice = try VoiceDecoder() }

        mutating func tick(at now: Instant) throws -> [Int16] {
            while voice.wantsPacket {
                switch Self.next(&buffer, now, voice.buffered, &payload) {
                case .packet(let length):
                    let shorter = try Self.decode(&voice, payload, length, buffer.excess)
                    if shorter != 0 { buffer.shortened(by: shorter) }
                case .recover(let length): Self.recover(&voice, payload, length)
                case .conceal: voice.conceal()
                case .nothing: voice.nothing()
                }
            }
            var tick = [Int16](repeating: 0, count: 960)
            var room = tick.mutableSpan
            voice.read(into: &room)
            return tick
        }

        private static func next(_ buffer: inout JitterBuffer, _ now: Instant, _ held: Int, _ payload: inout [UInt8]) -> JitterBuffer.Next {
            var room = payload.mutableSpan
            return buffer.next(now: now, held: held, into: &room)
        }

        private static func decode(_ voice: inout VoiceDecoder, _ payload: [UInt8], _ length: Int, _ excess: Int) throws -> Int {
            try voice.decode(payload.span.extracting(0..<length).bytes, excess: excess)
        }

        private static func recover(_ voice: inout VoiceDecoder, _ payload: [UInt8], _ length: Int) {
            voice.recover(from: payload.span.extracting(0..<length).bytes)
        }
    }

    /// - Parameters:
    ///   - partsPerMillion: of the sender's clock.
    ///   - late: how many ms later than usual a packet comes, by its number.
    private func listen(
        seconds: Int, partsPerMillion: Double = 0, late: (Int) -> Double
    ) throws -> (heard: [Int16], delays: [Double], counted: JitterBuffer.Statistics) {
        let packets = try Sounds.packets(50 * seconds + 50, hertz: 300)
        var listener = try Listener()
        var (heard, delays): ([Int16], [Double]) = ([], [])
        var sent = 0
        var last = 0.0
        var waiting: [(arrival: Double, number: Int)] = []
        for tick in 0..<50 * seconds {
            let now = Double(tick) * 20 + 9
            while sent < packets.count, Double(sent) * 20 * (1 - partsPerMillion / 1e6) <= now {
                last = max(last, Double(sent) * 20 * (1 - partsPerMillion / 1e6) + late(sent))
                waiting.append((last, sent))
                sent += 1
            }
            for packet in waiting where packet.arrival <= now {
                let payload = packets[packet.number]
                listener.buffer.insert(
                    payload.span, ssrc: 1, sequenceNumber: UInt16(packet.number), timestamp: UInt32(960 * packet.number),
                    now: Instant(sinceStart: .microseconds(Int64(packet.arrival * 1_000) + 1_000_000)))
            }
            waiting.removeAll { $0.arrival <= now }
            heard += try listener.tick(at: Instant(sinceStart: .microseconds(Int64(now * 1_000) + 1_000_000)))
            delays.append(listener.buffer.statistics.delayMilliseconds)
        }
        return (heard, delays, listener.buffer.statistics)
    }

    @Test func `after a storm the tone catches up without a click`() throws {
        var random = SeededGenerator(seed: 4)
        let (heard, delays, counted) = try listen(seconds: 30) { (250..<500).contains($0) ? Double.random(in: 0..<230, using: &random) : 0 }
        #expect(delays[500] > 150 && (delays[1_000...].max() ?? 0) < 50, "\(delays[500]) \(delays[1_000...].max() ?? 0)")
        #expect(counted.discarded + counted.lost == 0 && counted.samplesShortened > 48 * 100)
        // While it catches up nothing but cuts happens; a step of the tone is 393.
        let after = Array(heard[(520 * 960)...])
        #expect(Sounds.largestStep(after) < 450)
        #expect(stride(from: 0, to: after.count - 960, by: 480).allSatisfy { Self.level(after, $0) >= -15 })
    }

    @Test(arguments: [-2_000.0, 2_000])
    func `clocks that drift are followed without a hole or a click`(partsPerMillion: Double) throws {
        // Ten times as fast as any quartz, so that a minute has what an hour and more would.
        let (heard, delays, counted) = try listen(seconds: 60, partsPerMillion: partsPerMillion) { _ in 0 }
        #expect(counted.concealed + counted.discarded + counted.lost + counted.late == 0, "\(counted)")
        #expect(counted.samplesShortened + counted.samplesLengthened > 4_000 && (delays[100...].max() ?? 0) < 60)
        let steady = Array(heard[96_000..<(heard.count - 9_600)])
        #expect(Sounds.largestStep(steady) < 450)
        #expect(stride(from: 0, to: steady.count - 960, by: 480).allSatisfy { Self.level(steady, $0) >= -15 })
    }

    private static func level(_ pcm: [Int16], _ start: Int) -> Int {
        let piece = Array(pcm[start..<start + 960])
        return AudioLevel.decibels(of: piece.span)
    }
}
