import Base
import TestSupport
import Testing

@testable import RTP

/// A receiver that says what is not so. Whatever it says, nothing traps, nothing is asked for in the past, and no more is sent to it than to the best line.
struct FeedbackLiesTests {
    enum Lie: CaseIterable, Sendable {
        case arrivedBeforeItLeft, everythingIsLost, timesGoBack, neverSent, atOnce, clockJumps, toldAgain, fasterThanAnyLine, stops
    }

    /// Twenty seconds of a sender that keeps to what control says, and a receiver that lies from the third on.
    private struct Talk {
        var control = SendControl()
        var packets = SentPackets()
        var now = Instant(sinceStart: .seconds(10))
        var random: SeededGenerator
        var paddingBytes = 0
        var pictureBits = 0
        private var writer = TransportFeedbackWriter()
        private var untold: [(number: UInt16, sent: Instant)] = []

        init(seed: UInt64) { random = SeededGenerator(seed: seed) }

        mutating func run(seconds: Int, _ lie: Lie?) {
            writer = TransportFeedbackWriter()
            for tick in 0..<(seconds * 100) {
                now += .milliseconds(10)
                if tick % 2 == 0 { untold.append((packets.send(bytes: 120, now: now), now)) }
                if tick % 4 == 0, !control.holdsPictures, let tier = control.tier {
                    let bytes = TierTable.usual[tier].bitsPerSecond / 8 / 25
                    pictureBits += bytes * 8
                    for _ in 0..<max(1, bytes / 1_100) { untold.append((packets.send(bytes: min(bytes, 1_100), now: now), now)) }
                }
                control.look(sent: packets.count, now: now)
                switch control.demand(sent: packets.bytes, now: now) {
                case .nothing: break
                case .train(let count): for _ in 0..<count { pad(160) }
                case .padding(let bytes): for _ in 0..<(bytes / 255 + 1) { pad(255) }
                }
                #expect(control.deadline(now: now) > now)
                if tick % 10 == 9 { tell(lie) }
            }
        }

        private mutating func pad(_ bytes: Int) {
            paddingBytes += bytes
            untold.append((packets.send(bytes: bytes, now: now), now))
        }

        private mutating func tell(_ lie: Lie?) {
            let arrival = now + .milliseconds(30)
            let span = Duration.milliseconds(1)
            for (index, (number, sent)) in untold.enumerated() {
                switch lie {
                case nil, .toldAgain: writer.received(number, now: sent + .milliseconds(30))
                case .arrivedBeforeItLeft: writer.received(number, now: now - .seconds(9) + span * index)
                case .everythingIsLost: if index == untold.count - 1 { writer.received(number, now: arrival) }
                case .timesGoBack: writer.received(number, now: arrival - span * (3 * index))
                case .neverSent: writer.received(number &+ 30_000, now: arrival)
                case .atOnce, .fasterThanAnyLine: writer.received(number, now: Instant(sinceStart: .seconds(5)))
                case .clockJumps: writer.received(number, now: sent + .seconds(Int.random(in: 0...1_000, using: &random)))
                case .stops: break
                }
            }
            guard lie != .stops else { return untold.removeAll() }
            let times = lie == .toldAgain ? 3 : 1
            var room = [UInt8](repeating: 0, count: 1_500)
            var bytes = ByteWriter()
            var place = room.mutableSpan
            guard writer.write(sender: 1, media: 2, with: &bytes, to: &place) else { return }
            for _ in 0..<times { read(Array(room.prefix(bytes.count))) }
            if lie == .fasterThanAnyLine {
                // 2 000 packets in one message, all here and all at once.
                read([0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2] + [0, 0, 0x07, 0xd0] + [0, 0, 1, 9] + [0x27, 0xd0, 0, 0])
            }
            untold.removeAll()
        }

        private mutating func read(_ message: [UInt8]) {
            guard let header = try? RTCPHeader(parsing: message.span.bytes, at: 0),
                let feedback = try? FeedbackHeader(parsing: message.span.bytes, header: header)
            else { return }
            // What is no feedback is refused, and what was read before counts.
            try? control.receive(message.span.bytes, feedback, of: &packets, now: now)
        }
    }

    @Test(arguments: Lie.allCases, 0..<4 as Range<UInt64>)
    func `whatever feedback says, no more is sent than to the best line, and nothing is stuck`(lie: Lie, seed: UInt64) {
        var talk = Talk(seed: seed)
        talk.run(seconds: 3, nil)
        talk.run(seconds: 20, lie)
        #expect(talk.control.estimate.bitsPerSecond >= LineEstimate.least && talk.control.estimate.bitsPerSecond <= LineEstimate.most)
        #expect(talk.pictureBits <= 23 * 1_500_000)
        // Padding of a climb and of the probes behind it, not of a flood: a tenth of the best picture.
        #expect(talk.paddingBytes * 8 < 23 * 150_000, "\(talk.paddingBytes)")
        if lie == .stops || lie == .neverSent { #expect(talk.control.holdsPictures) }
        // The truth is believed again.
        talk.run(seconds: 90, nil)
        #expect(talk.control.tier == .high && !talk.control.holdsPictures, "\(talk.control.estimate)")
    }
}
