import Testing

@testable import Audio

extension VoiceDecoder {
    mutating func decode(bytes: [UInt8]) throws { try decode(bytes.span.bytes) }
    mutating func recover(bytes: [UInt8]) { recover(from: bytes.span.bytes) }
}

struct VoiceDecoderTests {
    /// Reads a tick after giving packets while they are wanted; nil is a packet that never comes.
    func read(_ voice: inout VoiceDecoder, _ packets: inout ArraySlice<[UInt8]?>) throws -> [Int16] {
        while voice.wantsPacket {
            switch packets.popFirst() {
            case .some(.some(let packet)): try voice.decode(bytes: packet)
            case .some(.none): voice.conceal()
            case .none: voice.nothing()
            }
        }
        var tick = [Int16](repeating: 0, count: 960)
        var room = tick.mutableSpan
        voice.read(into: &room)
        return tick
    }

    @Test(arguments: [480, 960, 1_920, 2_880])
    func `packets of every length come out as ticks of 20 ms, none lost and none twice`(samples: Int) throws {
        var voice = try VoiceDecoder()
        let count = 38_400 / samples
        var packets = ArraySlice(try Sounds.packets(count, hertz: 700, samples: samples).map { Optional($0) })
        var heard: [Int16] = []
        for _ in 0..<40 { heard += try read(&voice, &packets) }
        #expect(voice.buffered == 0 && voice.packetsDecoded == UInt64(count) && packets.isEmpty)
        let steady = heard[9_600..<38_400]
        let level = ToneMeter.level(of: 700, in: steady.span)
        #expect(abs(level - -10.3) < 1)
    }

    @Test func `where a voice stops and begins again there is no click`() throws {
        var voice = try VoiceDecoder()
        var heard: [Int16] = []
        let sounds = try Sounds.packets(20, hertz: 300)
        for _ in 0..<2 {
            var packets = ArraySlice(sounds.map { Optional($0) })
            for _ in 0..<30 { heard += try read(&voice, &packets) }
        }
        // A tone of 300 Hz and this loudness moves at most 393 from sample to sample.
        #expect(Sounds.largestStep(heard) < 700)
        #expect(heard[23 * 960..<30 * 960].allSatisfy { $0 == 0 })
    }

    @Test func `after a reset a voice sounds as one that never spoke, and what was said fades out without a click`() throws {
        var used = try VoiceDecoder()
        var fresh = try VoiceDecoder()
        var before = ArraySlice(try Sounds.packets(10, hertz: 300).map { Optional($0) })
        var heard: [Int16] = []
        for _ in 0..<10 { heard += try read(&used, &before) }
        used.reset()
        for _ in 0..<2 { heard += try read(&used, &before) }
        #expect(Sounds.largestStep(heard) < 700 && heard.last == 0)
        let after = try Sounds.packets(10, hertz: 900).map { Optional($0) }
        var (one, other) = (ArraySlice(after), ArraySlice(after))
        for _ in 0..<10 { #expect(try read(&used, &one) == read(&fresh, &other)) }
    }

    @Test func `a lost packet is concealed and the tone goes on`() throws {
        var voice = try VoiceDecoder()
        var packets = ArraySlice(try Sounds.packets(20).enumerated().map { $0.offset == 10 ? nil : $0.element })
        var heard: [Int16] = []
        for _ in 0..<20 { heard += try read(&voice, &packets) }
        #expect(voice.packetsConcealed == 1)
        let filled = heard[10 * 960..<11 * 960]
        #expect(AudioLevel.decibels(of: filled.span) > -25)
    }

    @Test func `in-band error correction of the following packet replaces a lost one`() throws {
        var settings = OpusEncoder.Settings()
        settings.expectedLossPercent = 30
        settings.bitsPerSecond = 24_000
        let packets = try Sounds.packets(12, settings: settings)
        var voice = try VoiceDecoder()
        for packet in packets[..<10] { try voice.decode(bytes: packet) }
        voice.recover(bytes: packets[11])
        try voice.decode(bytes: packets[11])
        #expect(voice.packetsRecovered == 1 && voice.packetsDecoded == 11 && voice.buffered == 12 * 960)
    }

    @Test func `garbage is told and filled`() throws {
        var voice = try VoiceDecoder()
        try voice.decode(bytes: Sounds.packets(1)[0])
        let garbage: [UInt8] = [0xff]  // code 3 without its count
        var refused = false
        do { try voice.decode(bytes: garbage) } catch { refused = true }
        #expect(refused && voice.packetsRefused == 1 && voice.buffered == 2 * 960)
        try voice.decode(bytes: Sounds.packets(1)[0])
        #expect(voice.packetsDecoded == 2)
    }

    @Test func `endless concealment ends in silence and more packets than room lose the oldest`() throws {
        var voice = try VoiceDecoder()
        let packet = try Sounds.packets(1)[0]
        for _ in 0..<100 { try voice.decode(bytes: packet) }
        #expect(voice.buffered == SampleQueue.capacity)
        for _ in 0..<30 { voice.conceal() }
        #expect(voice.packetsConcealed == 5)
    }

    @Test(arguments: [480, 960, 1_920, 2_880], [60_000, 2_000, -60_000])
    func `with too much or too little waiting a tone becomes shorter or longer without a step`(samples: Int, excess: Int) throws {
        var voice = try VoiceDecoder()
        var (heard, shorter): ([Int16], Int) = ([], 0)
        for packet in try Sounds.packets(96_000 / samples, hertz: 300, samples: samples) {
            shorter += try voice.decode(packet.span.bytes, excess: excess)
            while voice.buffered >= 960 { heard += tick(&voice) }
        }
        #expect(shorter + voice.buffered + heard.count == 96_000 / samples * samples)
        // A quarter faster, an eighth; and slower at once.
        #expect(excess > 50_000 ? (12_000...24_000).contains(shorter) : excess > 0 ? (6_000...12_000).contains(shorter) : shorter < -10_000)
        #expect(Sounds.largestStep(Array(heard[9_600...])) < 450)
        let steady = Array(heard[9_600..<48_000])
        #expect(abs(ToneMeter.level(of: 300, in: steady.span) - -10.3) < 1)
    }

    private func tick(_ voice: inout VoiceDecoder) -> [Int16] {
        var tick = [Int16](repeating: 0, count: 960)
        var room = tick.mutableSpan
        voice.read(into: &room)
        return tick
    }

    @Test(arguments: [OpusEncoder.Application.voip, .lowDelay], [200.0, 1_000])
    func `concealment becomes quieter and ends in silence, not in a buzz`(application: OpusEncoder.Application, hertz: Double) throws {
        var settings = OpusEncoder.Settings()
        settings.application = application
        var voice = try VoiceDecoder()
        let sound = try Sounds.packets(30, hertz: hertz, settings: settings).map { Optional($0) }
        var packets = ArraySlice(sound + Array(repeating: nil, count: 30))
        var levels: [Int] = []
        var heard: [Int16] = []
        for _ in 0..<60 {
            let tick = try read(&voice, &packets)
            heard += tick
            levels.append(AudioLevel.decibels(of: tick.span))
        }
        #expect(voice.packetsConcealed == 5)
        #expect(levels[30] > levels[29] - 8 && levels[34] < levels[29] - 15, "\(levels[28...])")
        #expect(zip(levels[30...], levels[31...]).allSatisfy { $1 <= $0 + 1 } && levels[36...].allSatisfy { $0 == AudioLevel.silence })
        #expect(Sounds.largestStep(heard) <= Int(10_000 * 2 * .pi * hertz / 48_000 * 1.5) + 200)
    }
}
