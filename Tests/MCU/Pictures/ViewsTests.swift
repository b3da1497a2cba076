import Base
import Foundation
import Net
import RTP
import Testing
import Video

@testable import MCU

/// Several views of one meeting, by a composer that is run by hand: what leaves is decoded and looked at.
struct ViewsTests {
    private static let colours: [UInt32] = [0xc0_3030, 0x30_c030, 0x30_30c0, 0xc0_c030]

    /// Four senders of one colour each, and whoever takes a view of them.
    private final class Hall {
        let core = MediaCore(configuration: MediaServerConfiguration())
        let bridge: Bridge
        private(set) var senders: [Participant] = []
        private var frames: [[[UInt8]]] = []
        private var begin = Instant(nanoseconds: MediaClock.now().nanoseconds / 40_000_000 * 40_000_000)
        private(set) var beats = 0
        /// By stream: what left, in order.
        private(set) var left: [PictureStream: [PacketisedFrame]] = [:]

        init() throws {
            bridge = Bridge(meeting: UUID(), core: core)
            for colour in ViewsTests.colours {
                let one = try PictureGateTests.member(sends: true)
                bridge.add(one)
                senders.append(one)
                let pattern = TestPattern(.colour(colour), width: 640, height: 360)
                var encoder = try VP8Encoder(width: 640, height: 360, framesPerSecond: 25, bitsPerSecond: 300_000)
                frames.append(
                    try (0..<40).map { number in
                        var bytes: [UInt8] = []
                        _ = try encoder.encode(
                            pattern.picture(number, pool: core.pictures), forceKey: number == 0, timestamp: Int64(number) * 3_600,
                            duration: 3_600, into: &bytes)
                        return bytes
                    })
            }
        }

        func viewer(_ view: ViewID, tier: Int = 0) throws -> Participant {
            let one = try PictureGateTests.member(sends: false, speaks: false)
            one.view = view
            bridge.add(one)
            take(one, view, tier: tier)
            return one
        }

        /// As its worker does it.
        func take(_ one: Participant, _ view: ViewID, tier: Int = 0) {
            let stream = PictureStream(view, TierID(index: tier))
            one.streams = StreamSet(stream)
            bridge.streamsChanged()
            bridge.wantsKeyFrame(stream)
        }

        /// - Parameter sending: each sender's next frame comes before each beat.
        func run(_ count: Int, sending: Bool = true) {
            var batch: [MediaCommand] = []
            for _ in 0..<count {
                let now = begin + .milliseconds(40 * beats)
                if sending {
                    for (index, member) in bridge.members.prefix(frames.count).enumerated() {
                        let frame = frames[index][beats % 40]
                        member.video.receive(frame.span, isKey: beats % 40 == 0, size: (640, 360), arrival: now)
                        member.participant.aliveUntil = now + .seconds(60)
                    }
                }
                bridge.composer.beat(captured: now, bridge: bridge)
                bridge.composer.run()
                beats += 1
                core.workers[0].drain(into: &batch)
                for case .video(_, let stream, _, let frame) in batch { left[stream, default: []].append(frame) }
                batch.removeAll()
            }
        }

        /// The colour in the middle of each of `columns × rows` parts of a view's last picture, as the number of the nearest sender.
        func seen(_ stream: PictureStream, columns: Int, rows: Int) throws -> [Int] {
            var decoder = try VP8Decoder()
            var picture: Picture?
            for frame in left[stream] ?? [] {
                picture = try decoder.decode(ViewsTests.bytes(of: frame).span, pool: core.pictures) ?? picture
            }
            let shown = try #require(picture)
            return (0..<rows * columns).map { part in
                let x: Int = (part % columns * 2 + 1) * shown.width / (columns * 2)
                let y: Int = (part / columns * 2 + 1) * shown.height / (rows * 2)
                let planes = shown.planes
                let colour: Int = y / 2 * Int(planes.strideUV) + x / 2
                let (luma, blue, red) = (Int(planes.y[y * Int(planes.strideY) + x]), Int(planes.u[colour]), Int(planes.v[colour]))
                let distances: [Int] = ViewsTests.colours.map { rgb in
                    let sent = YUVColour(rgb: rgb)
                    return abs(Int(sent.y) - luma) + abs(Int(sent.u) - blue) + abs(Int(sent.v) - red)
                }
                return distances.indices.min { distances[$0] < distances[$1] } ?? -1
            }
        }
    }

    /// Without the descriptors of its payloads, one byte each (RFC 7741 §4.2).
    private static func bytes(of frame: PacketisedFrame) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<frame.count {
            frame.withPayload(index) { payload in for place in 1..<payload.count { bytes.append(payload[place]) } }
        }
        return bytes
    }

    @Test func `a second view has its own layout and pins, and every frame is decoded once and scaled once for each size`() throws {
        let hall = try Hall()
        defer { hall.core.close() }
        _ = try hall.viewer(.programme)
        hall.run(10)
        let (programme, wall) = (PictureStream(TierID.high), PictureStream(.wall, TierID.high))
        #expect(hall.left[wall] == nil, "a view that nobody takes is not made")
        #expect(hall.bridge.pictureCounters.decoded == 40 && hall.bridge.pictureCounters.scaled == 40)
        hall.bridge.composer.set(.wall, to: ViewSettings(layout: .one, pinned: [hall.senders[2].session]))
        _ = try hall.viewer(.wall)
        hall.run(20)
        #expect(hall.left[programme]?.count == 30 && hall.left[wall]?.count == 20)
        #expect(hall.left[wall]?.first?.isKeyFrame == true)
        #expect(try hall.seen(programme, columns: 2, rows: 2) == [0, 1, 2, 3])
        #expect(try hall.seen(wall, columns: 2, rows: 2) == [2, 2, 2, 2])
        // Four senders, thirty beats; the one on both views in two sizes once its first tile there was known.
        let counters = hall.bridge.pictureCounters
        #expect(counters.decoded == 120 && counters.refused == 0 && counters.dropped == 0)
        #expect((138...140).contains(counters.scaled), "\(counters.scaled)")
        #expect(counters.composed == 50)
    }

    @Test func `views of one size share one scaled picture`() throws {
        let hall = try Hall()
        defer { hall.core.close() }
        _ = try hall.viewer(.programme)
        hall.bridge.composer.set(.wall, to: ViewSettings(order: hall.senders.reversed().map(\.session)))
        _ = try hall.viewer(.wall)
        hall.run(12)
        #expect(try hall.seen(PictureStream(TierID.high), columns: 2, rows: 2) == [0, 1, 2, 3])
        #expect(try hall.seen(PictureStream(.wall, TierID.high), columns: 2, rows: 2) == [3, 2, 1, 0])
        let counters = hall.bridge.pictureCounters
        #expect(counters.decoded == 48 && counters.scaled == 48)
    }

    @Test func `a view ends with its last receiver, and senders are asked for the lines of their largest tile`() throws {
        let hall = try Hall()
        defer { hall.core.close() }
        _ = try hall.viewer(.programme)
        hall.bridge.composer.set(.wall, to: ViewSettings(layout: .one, pinned: [hall.senders[1].session]))
        let chair = try hall.viewer(.wall)
        hall.run(10)
        let pinned = hall.bridge.members[1].video
        #expect(pinned.wish.lines == 720 && hall.bridge.members[0].video.wish.lines == 360)
        // The chair looks at the programme like everybody.
        let before = hall.left[PictureStream(.wall, TierID.high)]?.count
        hall.take(chair, .programme)
        hall.run(2)
        let scaled = hall.bridge.pictureCounters.scaled
        hall.run(20)
        #expect(hall.left[PictureStream(.wall, TierID.high)]?.count == before)
        #expect(hall.bridge.pictureCounters.scaled == scaled + 80, "the size that nobody shows is made no more")
        #expect(hall.bridge.composer.bench.views.count == 1)
    }

    @Test func `a session that changes its view begins with a key frame, and time goes on`() throws {
        let hall = try Hall()
        defer { hall.core.close() }
        let one = try hall.viewer(.programme)
        var gate = PictureGate(wanted: PictureStream(TierID.high))
        hall.bridge.composer.set(.wall, to: ViewSettings(layout: .one))
        hall.run(5)
        gate.wanted = PictureStream(.wall, TierID.high)
        one.streams = StreamSet(gate.wanted, and: PictureStream(TierID.high))
        hall.bridge.streamsChanged()
        hall.bridge.wantsKeyFrame(gate.wanted)
        hall.run(5)
        var (moments, views): ([Instant], [ViewID]) = ([], [])
        let all = hall.left.flatMap { stream, frames in frames.map { (stream, $0) } }
            .sorted { ($0.1.captured, $0.0.view) < ($1.1.captured, $1.0.view) }
        gate.wanted = PictureStream(TierID.high)
        var keysOfMoments: [Instant: StreamSet] = [:]
        for (stream, frame) in all where frame.isKeyFrame { keysOfMoments[frame.captured, default: .none].insert(stream) }
        let change = try #require(all.first { $0.0.view == .wall }).1.captured
        for (stream, frame) in all {
            if frame.captured >= change { gate.wanted = PictureStream(.wall, TierID.high) }
            let keys = keysOfMoments[frame.captured] ?? .none
            let verdict = gate.admit(stream, isKey: frame.isKeyFrame, keys: keys, captured: frame.captured)
            guard verdict == .begins || verdict == .passes else { continue }
            if views.last != stream.view { #expect(frame.isKeyFrame) }
            moments.append(frame.captured)
            views.append(stream.view)
        }
        #expect(zip(moments, moments.dropFirst()).allSatisfy { $0 < $1 } && views.first == .programme && views.last == .wall)
    }

    @Test func `who is pinned keeps its place whoever speaks, and the others come as they are ordered`() throws {
        let hall = try Hall()
        defer { hall.core.close() }
        _ = try hall.viewer(.programme)
        let ids = hall.senders.map(\.session)
        hall.bridge.composer.set(
            .programme, to: ViewSettings(layout: .speaker, pinned: [ids[3]], order: [ids[2]], captions: [ids[3]: "Chủ toạ"]))
        hall.bridge.composer.speaker = ids[1]
        hall.run(3)
        let view = hall.bridge.composer.bench.views[0]
        #expect(view.shown.map(\.participant.session) == [ids[3], ids[1], ids[2], ids[0]])
        #expect(view.tiles.map(\.name).first == "Chủ toạ" && view.tiles.dropFirst().allSatisfy { $0.name == "Hà Giang" })
        hall.bridge.composer.set(.programme, to: ViewSettings(layout: .speaker))
        hall.run(30)
        #expect(view.shown.map(\.participant.session) == [ids[1], ids[0], ids[2], ids[3]])
    }
}
