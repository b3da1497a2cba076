import Base
import Foundation
import ICE
import Net
import RTP
import SDP
import Testing
import Video

@testable import MCU

/// What a sender's broken pictures do to its tile: the name card, and nothing else. Run by hand, without the pool's threads.
struct VideoSourceTests {
    private let core = MediaCore(configuration: MediaServerConfiguration())

    private func source() throws -> VideoSource {
        let offer = try SessionDescription(parsing: MediaServerTests.offer)
        let fingerprint = try #require(Fingerprint(bytes: [UInt8](repeating: 1, count: 32)))
        let parameters = LocalParameters(
            credentials: .random(), fingerprint: fingerprint, candidates: [], sessionID: 1, cname: "c", streamID: "s",
            audio: .init(ssrc: 1, trackID: "a"), video: .init(ssrc: 2, rtxSSRC: 3, trackID: "v"))
        let (_, negotiated) = try Answerer(parameters: parameters).answer(offer, after: nil)
        let participant = Participant(session: UUID(), kind: .participant, name: "Đắk Lắk", joined: .start, negotiated: negotiated)
        return VideoSource(core: core, participant: participant, meeting: UUID())
    }

    private func give(_ frame: [UInt8], isKey: Bool, size: (Int, Int) = (0, 0), to source: VideoSource) {
        source.receive(frame.span, isKey: isKey, size: size, arrival: .start)
    }

    /// Frames of one colour, the first a key frame.
    private func frames(_ count: Int, width: Int, height: Int) throws -> [[UInt8]] {
        let pattern = TestPattern(.colour(0x20_80c0), width: width, height: height)
        var encoder = try VP8Encoder(width: width, height: height, framesPerSecond: 25, bitsPerSecond: 300_000)
        return try (0..<count).map { number in
            var bytes: [UInt8] = []
            _ = try encoder.encode(
                pattern.picture(number, pool: core.pictures), forceKey: number == 0, timestamp: Int64(number) * 3_600, duration: 3_600,
                into: &bytes)
            return bytes
        }
    }

    @Test func `what libvpx refuses is counted and shows nothing, and the next key frame is seen again`() throws {
        let source = try source()
        give([UInt8](repeating: 0, count: 200), isKey: true, to: source)
        source.run()
        #expect(source.counters.refused == 1 && source.picture(notOlderThan: .seconds(2), now: MediaClock.now()) == nil)
        // Frames that need what was refused are not even tried.
        let good = try frames(3, width: 320, height: 180)
        give(good[1], isKey: false, to: source)
        source.run()
        #expect(source.counters.decoded == 0)
        for (index, frame) in good.enumerated() {
            give(frame, isKey: index == 0, to: source)
            source.run()
        }
        let shown = try #require(source.picture(notOlderThan: .seconds(2), now: MediaClock.now()))
        #expect(source.counters.decoded == 3 && shown.width == 320 && shown.height == 180)
    }

    @Test func `a picture that changes its size is shown in its new size`() throws {
        let source = try source()
        for (width, height) in [(320, 180), (640, 360), (160, 90)] {
            give(try frames(1, width: width, height: height)[0], isKey: true, size: (width, height), to: source)
            source.run()
            let shown = try #require(source.picture(notOlderThan: .seconds(2), now: MediaClock.now()))
            #expect(source.size == (width, height) && shown.width == width && shown.height == height)
        }
    }

    @Test func `a picture older than two seconds gives way to the name card`() throws {
        let source = try source()
        give(try frames(1, width: 320, height: 180)[0], isKey: true, to: source)
        source.run()
        let now = MediaClock.now()
        #expect(source.picture(notOlderThan: .seconds(2), now: now) != nil)
        #expect(source.picture(notOlderThan: .seconds(2), now: now + .seconds(3)) == nil)
    }

    /// A second of pictures, then one in four seconds: a camera before a wall, or a shared page that is read.
    @Test func `a picture that stands still stays while the line lives, and a card is shown two seconds after the line is dead`() throws {
        let vectors = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Vectors")
        let file = try IVFReader(parsing: [UInt8](Data(contentsOf: vectors.appending(path: "still-picture.ivf"))))
        let person = try PictureGateTests.member(sends: true)
        let source = VideoSource(core: core, participant: person, meeting: UUID())
        let begin = MediaClock.now()
        var next = 0
        for beat in 0..<730 {
            let now = begin + .milliseconds(40 * beat)
            while next < file.count, file.frames[next].timestamp <= UInt64(40 * beat) {
                let frame = Array(file.frame(next).bytes)
                source.receive(frame.span, isKey: frame[0] & 1 == 0, size: (320, 180), arrival: now)
                next += 1
            }
            // As sound and reports keep it.
            person.aliveUntil = now + .seconds(2)
            source.run(now: now)
            #expect(source.picture(notOlderThan: .seconds(2), now: now) != nil)
        }
        let end = begin + .milliseconds(40 * 730)
        #expect(next == file.count && source.counters.refused == 0)
        #expect(source.picture(notOlderThan: .seconds(2), now: end + .milliseconds(1_900)) != nil)
        #expect(source.picture(notOlderThan: .seconds(2), now: end + .milliseconds(2_100)) == nil)
        // What is missing of it is no still picture.
        person.aliveUntil = end + .seconds(60)
        #expect(source.picture(notOlderThan: .seconds(2), now: end + .seconds(10)) != nil)
        person.brokenVideos = 1
        #expect(source.picture(notOlderThan: .seconds(2), now: end + .seconds(10)) == nil)
    }

    @Test func `who sends few lines is asked for all before it is large, and is waited for no longer than a moment`() throws {
        let source = try source()
        let (large, small) = (try frames(1, width: 640, height: 360)[0], try frames(1, width: 256, height: 144)[0])
        func show(_ tile: Int, at milliseconds: Int) {
            source.setTile((tile * 16 / 9 & ~1, tile), fits: true, thrift: 0, now: at(milliseconds))
        }
        func at(_ milliseconds: Int) -> Instant { Instant(sinceStart: .milliseconds(milliseconds)) }
        give(large, isKey: true, size: (640, 360), to: source)
        // Nothing is gained by waiting for who never sent more.
        #expect(!source.isGrowing(to: 720, thrift: 0, now: at(0)))
        show(138, at: 40)
        for beat in stride(from: 80, to: 4_000, by: 40) { show(138, at: beat) }
        #expect(source.wish.lines == 144)
        give(small, isKey: true, size: (256, 144), to: source)
        #expect(source.isGrowing(to: 720, thrift: 0, now: at(4_000)) && source.wish.lines == 720)
        show(138, at: 4_040)  // the old view goes on meanwhile
        #expect(source.wish.lines == 720 && source.isGrowing(to: 720, thrift: 0, now: at(4_080)))
        give(large, isKey: true, size: (640, 360), to: source)
        #expect(!source.isGrowing(to: 720, thrift: 0, now: at(4_120)))
        show(720, at: 4_120)
        // One that does not answer.
        for beat in stride(from: 4_160, to: 7_000, by: 40) { show(138, at: beat) }
        give(small, isKey: true, size: (256, 144), to: source)
        #expect(source.isGrowing(to: 720, thrift: 0, now: at(7_000)) && source.isGrowing(to: 720, thrift: 0, now: at(7_760)))
        #expect(!source.isGrowing(to: 720, thrift: 0, now: at(7_840)))
    }

    @Test func `when decoding is late the waiting frames are dropped and counted, and a key frame goes on`() throws {
        let source = try source()
        let many = try frames(12, width: 320, height: 180)
        for (index, frame) in many.enumerated() { give(frame, isKey: index == 0, to: source) }
        source.run()
        #expect(source.counters.dropped == 8 && source.counters.decoded == 0)
        give(many[0], isKey: true, to: source)
        source.run()
        #expect(source.counters.decoded == 1)
    }

    @Test func `what nobody sees is not decoded`() throws {
        let source = try source()
        source.setShown(.none, now: .start)
        for (index, frame) in try frames(3, width: 320, height: 180).enumerated() {
            give(frame, isKey: index == 0, to: source)
        }
        source.run()
        #expect(source.counters.decoded == 0)
        source.setShown(.programme, now: .start)
        give(try frames(1, width: 320, height: 180)[0], isKey: true, to: source)
        source.run()
        #expect(source.counters.decoded == 1)
    }
}
