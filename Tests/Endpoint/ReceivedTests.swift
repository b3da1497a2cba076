import Audio
import Base
import RTP
import Testing

@testable import Endpoint
@testable import Peer

struct ReceivedTests {
    /// What `seconds` of a tone look like when the packets named in `lost` do not come and the rest comes `delay` ms after its time.
    func listen(
        _ sound: EndpointOptions.Sound, seconds: Int = 5, firstSequence: UInt16 = 65_400, lost: Set<Int> = [], delay: Int = 30,
        swap: Int? = nil
    ) throws -> SoundReport {
        let packets = try #require(try EncodedSound.make(sound)).packets
        var received = try ReceivedSound(decodes: true, tones: [440, 880])
        var order = Array(0..<50 * seconds)
        if let swap { order.swapAt(swap, swap + 1) }
        for (place, index) in order.enumerated() where !lost.contains(index) {
            let packet = ReceivedAudio(
                ssrc: 7, sequenceNumber: firstSequence &+ UInt16(index), timestamp: UInt32(960 * index), marker: false, level: nil,
                hasVoice: nil,
                arrival: Instant(sinceStart: .milliseconds(20 * place + delay)))
            let payload = packets[index % 50]
            received.take(packet, payload: payload.span)
        }
        return received.summary()
    }

    @Test func `a tone is reported with its frequency and level, and another as absent`() throws {
        let report = try listen(.tone(440))
        #expect(report.packets == 250 && report.lost == 0 && report.gaps == 0 && report.jitterMilliseconds < 0.01)
        #expect(abs(try #require(report.dominantFrequency) - 440) < 2)
        #expect(abs(try #require(report.level) - -15.3) < 1)
        #expect(abs(try #require(report.tones["440"]) - -12.2) < 1)
        #expect(try #require(report.tones["880"]) < -50)
    }

    @Test func `losses and gaps are counted, over the wrap of the sequence number too`() throws {
        let report = try listen(.tone(440), lost: [50, 135, 136, 137, 138, 200])
        #expect(report.lost == 6 && report.packets == 244 && report.gaps == 1)
        #expect(abs(report.lossFraction - 0.024) < 0.001 && report.longestGapMilliseconds == 100)
        #expect(try #require(report.dominantFrequency) > 430)
    }

    @Test func `a packet that comes after its successor is late and not lost`() throws {
        let report = try listen(.tone(440), swap: 100)
        #expect(report.late == 1 && report.lost == 0 && report.packets == 250)
    }

    @Test(arguments: [5, 48, 160])
    func `marks tell how late the sound is`(delay: Int) throws {
        let latency = try #require(try listen(.marks, seconds: 8, delay: delay).latencyMilliseconds)
        #expect(latency.count >= 6 && abs(latency.median - Double(delay)) < 8)
    }

    @Test func `what the jitter buffer did is reported, and a listener hears through losses and late packets`() throws {
        let clean = try #require(try listen(.tone(440)).buffer)
        #expect(clean.concealed + clean.lost + clean.late + clean.discarded + clean.duplicate == 0)
        #expect(clean.targetMilliseconds == 20 && (20...45).contains(clean.delayMilliseconds))
        let bad = try listen(.tone(440), lost: [50, 100, 101, 160], swap: 200)
        let buffer = try #require(bad.buffer)
        // The one that came after its successor came after its turn, and a turn that passed is lost.
        #expect(buffer.lost == 5 && buffer.recovered + buffer.concealed == 5 && buffer.discarded == 0 && buffer.late == 1, "\(buffer)")
        #expect(abs(try #require(bad.level) - -15.3) < 1 && buffer.delayMilliseconds < buffer.targetMilliseconds + 25)
        var spared = try ReceivedSound(decodes: false, tones: [])
        spared.take(
            ReceivedAudio(
                ssrc: 7, sequenceNumber: 1, timestamp: 0, marker: false, level: nil, hasVoice: nil, arrival: .start), payload: [1].span)
        #expect(spared.summary().buffer == nil)
    }

    @Test func `garbage is an error of the decoder and nothing worse`() throws {
        var received = try ReceivedSound(decodes: true, tones: [])
        let garbage: [UInt8] = [0xff]
        for index in 0..<10 {
            let packet = ReceivedAudio(
                ssrc: 7, sequenceNumber: UInt16(index), timestamp: 0, marker: false, level: nil, hasVoice: nil, arrival: .start)
            received.take(packet, payload: garbage.span)
        }
        #expect(received.summary().decodeErrors == 10)
    }

    @Test func `the picture's rate, longest interval and freezes are measured, and one that stopped is frozen`() {
        var received = ReceivedPictures(decodes: false)
        for index in 0..<100 where !(40..<50).contains(index) {
            let frame = ReceivedVideo(
                source: 0, timestamp: 0, isKey: index == 0, width: 640, height: 360, arrival: Instant(sinceStart: .milliseconds(40 * index))
            )
            received.take(frame, bytes: [UInt8](repeating: 0, count: 1_000).span)
        }
        let alive = received.summary(now: Instant(sinceStart: .milliseconds(3_980)))
        #expect(alive.frames == 90 && alive.keyFrames == 1 && alive.width == 640 && alive.freezes == 1)
        #expect(alive.longestIntervalMilliseconds == 440 && abs(alive.framesPerSecond - 22.47) < 0.01)
        #expect(received.summary(now: Instant(sinceStart: .seconds(6))).freezes == 2)
    }
}
