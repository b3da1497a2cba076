import Base
import RTP
import TestSupport

/// The parts of a sender and of a receiver of one VP8 stream, and a line between them in virtual time. Everything goes as it is on the wire: packets
/// with transport-wide numbers, retransmissions on a stream of their own, NACK, PLI, transport-wide feedback and reports.
struct PictureConversation {
    static let media: UInt32 = 0x0a0b_0c0d
    static let repair: UInt32 = 0x0a0b_0c0e
    static let numberID: UInt8 = 3
    static let ntpAtStart: UInt64 = 0xe000_0000 << 32

    struct Picture: Equatable {
        var isKey: Bool
        var bytes: [UInt8]
    }

    var now = Instant(sinceStart: .seconds(1))
    var forward: SimulatedLink<[UInt8]>
    var backward: SimulatedLink<[UInt8]>
    private var random: SeededGenerator

    // The sender.
    private var pool = PacketisedFramePool()
    private var history = PacketHistory()
    private var budget: RepairBudget
    private var packets = SentPackets()
    private(set) var deliveries: [SentPackets.Delivery] = []
    private(set) var lost = 0
    private var sequence: UInt16
    private var repairSequence: UInt16 = 65_530
    private let firstTimestamp: UInt32
    private var wantsKey = true
    private var bytesSent: UInt64 = 0
    /// In order, as they were encoded.
    private(set) var sent: [Picture] = []
    private(set) var packetsSent = 0
    private(set) var repairs = 0
    private(set) var roundTrips: [Double] = []
    /// Of each report, in milliseconds.
    private(set) var jitters: [Double] = []
    /// What feedback said of each transport-wide number, in order: nil for lost.
    private(set) var told: [(number: UInt16, arrival: Instant?)] = []
    private(set) var lastBlock: ReportBlock?

    // The receiver.
    private var unwrapper = SequenceUnwrapper()
    private(set) var reception = ReceptionStatistics(clockRate: 90_000)
    private(set) var nack = NackGenerator()
    private(set) var assembler = FrameAssembler()
    private(set) var feedback = TransportFeedbackWriter()
    private var mayAskFrom = Instant.start
    private var frame: [UInt8] = []
    private(set) var giveUps = 0
    /// Places in `sent` of what came out.
    private(set) var received: [Int] = []
    private(set) var isAltered = false
    /// By transport-wide number, the first arrival of each.
    private(set) var arrivals: [UInt16: Instant] = [:]
    /// Places of the media packets that came, counted from the first that was sent; one that came twice is there twice.
    private(set) var places: [Int] = []
    private var firstSequence: UInt16

    init(seed: UInt64, loss: Int, duplication: Int, jitter: Duration) {
        random = SeededGenerator(seed: seed)
        forward = SimulatedLink(seed: seed &+ 1_000, loss: loss, duplication: duplication, delay: .milliseconds(25), jitter: jitter)
        backward = SimulatedLink(seed: seed &+ 2_000, loss: loss, duplication: duplication, delay: .milliseconds(25), jitter: jitter)
        // Both wraps come within the first seconds.
        firstSequence = UInt16(65_535 - Int.random(in: 0...200, using: &random))
        firstTimestamp = UInt32.max - UInt32.random(in: 0...200_000, using: &random)
        sequence = firstSequence
        budget = RepairBudget(now: now)
    }

    // MARK: Time

    private var nextPicture: Instant?
    private var steps = 0
    /// Some deadline did not move on.
    var isStuck: Bool { steps >= 20_000 }
    private var nextReport = Instant(sinceStart: .milliseconds(1_600))

    /// Runs for so long; the sender sends a picture every 40 ms where it is not `isSilent`.
    mutating func run(_ duration: Duration, isSilent: Bool = false) {
        let end = now + duration
        nextPicture = isSilent ? nil : nextPicture ?? now
        while let next = [
            forward.nextArrival, backward.nextArrival, nack.deadline, assembler.deadline, feedback.deadline, nextPicture, nextReport,
        ]
        .compactMap({ $0 }).min(), next <= end {
            // A deadline that stays in the past must fail a test, not hang it.
            steps += 1
            guard !isStuck else { break }
            now = max(now, next)
            for datagram in forward.arrivals(now: now) { arrive(datagram) }
            for datagram in backward.arrivals(now: now) { answer(datagram) }
            mend()
            if let due = feedback.deadline, due <= now { sendFeedback() }
            if nextReport <= now { report() }
            if let due = nextPicture, due <= now {
                sendPicture()
                nextPicture = due + .milliseconds(40)
            }
        }
        now = end
    }

    // MARK: The sender

    private mutating func sendPicture() {
        let place = sent.count
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: place), count: Int.random(in: 10...7_000, using: &random))
        bytes[0] = wantsKey ? 0x10 : 0x11
        if wantsKey { bytes.replaceSubrange(3..<10, with: [0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]) }
        sent.append(Picture(isKey: wantsKey, bytes: bytes))
        let picture = pool.make(bytes.span, isKeyFrame: wantsKey, timestamp: firstTimestamp &+ UInt32(3_600 * place), captured: now)
        wantsKey = false
        history.add(picture, first: sequence)
        for index in 0..<picture.count {
            picture.withPayload(index) { payload in
                send(payload, ssrc: Self.media, sequence: sequence, timestamp: picture.timestamp, marker: picture.isLast(index))
            }
            sequence &+= 1
            packetsSent += 1
        }
    }

    private mutating func send(
        _ payload: Span<UInt8>, original: UInt16? = nil, ssrc: UInt32, sequence: UInt16, timestamp: UInt32, marker: Bool
    ) {
        let number = packets.send(bytes: payload.count + 20, now: now)
        var bytes: [UInt8] = [0x90, marker ? 0xe0 : 0x60, UInt8(sequence >> 8), UInt8(sequence & 255)]
        for word in [timestamp, ssrc] { bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) } }
        bytes += [0xbe, 0xde, 0, 1, Self.numberID << 4 | 1, UInt8(number >> 8), UInt8(number & 255), 0]
        if let original { bytes += [UInt8(original >> 8), UInt8(original & 255)] }
        payload.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
        bytesSent += UInt64(bytes.count)
        forward.send(bytes, bytes: bytes.count, now: now)
    }

    /// RTCP from the receiver.
    private mutating func answer(_ bytes: [UInt8]) {
        var place = 0
        while place < bytes.count, let header = try? RTCPHeader(parsing: bytes.span.bytes, at: place) {
            place = header.end
            if header.packetType == RTCPHeader.PacketType.receiverReport {
                guard let block = try? ReportBlocks(of: header).block(0, of: bytes.span.bytes) else { continue }
                lastBlock = block
                if let trip = block.roundTripMilliseconds(arrival: NTPTime(now, atStart: Self.ntpAtStart).middle) {
                    roundTrips.append(trip)
                }
                continue
            }
            guard let head = try? FeedbackHeader(parsing: bytes.span.bytes, header: header) else { continue }
            switch (header.packetType, header.count) {
            case (RTCPHeader.PacketType.payloadFeedback, PictureLossIndication.format): wantsKey = true
            case (RTCPHeader.PacketType.transportFeedback, NegativeAcknowledgement.format): sendAgain(bytes, head)
            default:
                try? TransportFeedback.forEach(in: bytes.span.bytes, head) { told.append(($0.sequenceNumber, $0.arrival)) }
                var came: [SentPackets.Delivery] = []
                lost += (try? packets.receive(bytes.span.bytes, head, now: now) { came.append($0) }) ?? 0
                deliveries += came
            }
        }
    }

    private mutating func sendAgain(_ bytes: [UInt8], _ head: FeedbackHeader) {
        var missed: [UInt16] = []
        try? NegativeAcknowledgement.forEachLost(in: bytes.span.bytes, head) { missed.append($0) }
        for number in missed {
            guard case .repeated(let found) = history.take(number, roundTrip: .milliseconds(50), now: now),
                budget.take(found.frame.payloadBytes + 22, sent: bytesSent, now: now)
            else { continue }
            found.frame.withPayload(found.index) { payload in
                send(
                    payload, original: number, ssrc: Self.repair, sequence: repairSequence, timestamp: found.frame.timestamp,
                    marker: found.frame.isLast(found.index))
            }
            repairSequence &+= 1
            repairs += 1
        }
    }

    // MARK: The receiver

    private mutating func arrive(_ bytes: [UInt8]) {
        if bytes[1] == RTCPHeader.PacketType.senderReport {
            guard let header = try? RTCPHeader(parsing: bytes.span.bytes, at: 0),
                let report = try? SenderReport(parsing: bytes.span.bytes, header: header)
            else { return }
            return reception.receivedSenderReport(report.ntp, now: now)
        }
        var map = HeaderExtensionMap()
        map.transportSequenceNumber = Self.numberID
        guard let header = try? RTPHeader(parsing: bytes.span.bytes),
            let extensions = try? HeaderExtensions(parsing: bytes.span.bytes, header: header, map: map)
        else { return isAltered = true }
        if let number = extensions.transportSequenceNumber {
            arrivals[number] = arrivals[number] ?? now
            feedback.received(number, now: now)
        }
        var (number, payload) = (header.sequenceNumber, header.payload)
        if header.ssrc == Self.media {
            places.append(place(of: number))
            reception.receive(sequenceNumber: number, timestamp: header.timestamp, now: now)
        } else {
            guard let original = try? Retransmission.original(of: bytes.span.bytes, payload: payload) else { return isAltered = true }
            (number, payload) = (original.sequence, original.payload)
        }
        let unwrapped = unwrapper.unwrap(number)
        nack.received(unwrapped, now: now)
        assembler.insert(
            bytes.span.extracting(payload), sequence: unwrapped, timestamp: header.timestamp, marker: header.marker, now: now)
        takeFrames()
    }

    /// Which packet a number stands for, as the sender knows.
    private func place(of number: UInt16) -> Int {
        var place = Int(number &- firstSequence)
        while place + 0x1_0000 < packetsSent { place += 0x1_0000 }
        return place
    }

    private mutating func takeFrames() {
        while let whole = assembler.next(now: now, into: &frame) {
            let place = Int(whole.timestamp &- firstTimestamp) / 3_600
            received.append(place)
            // The pool fills up a few zeros, which are no part of the picture.
            guard place < sent.count, frame.starts(with: sent[place].bytes), whole.isKey == sent[place].isKey else {
                isAltered = true
                continue
            }
        }
    }

    private mutating func mend() {
        let wasWhole = !assembler.needsKeyFrame
        _ = assembler.expire(now: now)
        if nack.takeGivenUp() { assembler.giveUp() }
        if wasWhole, assembler.needsKeyFrame { giveUps += 1 }
        takeFrames()
        if assembler.needsKeyFrame, now >= mayAskFrom, !sent.isEmpty {
            mayAskFrom = now + .milliseconds(300)
            reply { PictureLossIndication.write(sender: 1, media: Self.media, with: &$0, to: &$1) }
        }
        var missed: [UInt16] = []
        nack.collect(now: now, roundTrip: .milliseconds(60), into: &missed)
        if !missed.isEmpty { reply { NegativeAcknowledgement.write(sender: 1, media: Self.media, lost: missed, with: &$0, to: &$1) } }
    }

    private mutating func sendFeedback() {
        var telling = feedback
        reply { _ = telling.write(sender: 1, media: Self.media, with: &$0, to: &$1) }
        feedback = telling
    }

    /// A sender report one way, and a receiver report the other way; four times a second.
    private mutating func report() {
        nextReport = nextReport + .milliseconds(250)
        jitters.append(reception.jitterMilliseconds)
        var room = [UInt8](repeating: 0, count: 100)
        var writer = ByteWriter()
        var span = room.mutableSpan
        let report = SenderReport(
            ssrc: Self.media, ntp: NTPTime(now, atStart: Self.ntpAtStart), rtpTimestamp: 0, packetCount: UInt32(packetsSent), octetCount: 0)
        RTCPHeader.finish(report.begin(blocks: 0, with: &writer, to: &span), with: &writer, to: &span)
        forward.send(Array(room.prefix(writer.count)), now: now)
        guard let block = reception.reportBlock(ssrc: Self.media, now: now) else { return }
        reply { writer, span in
            let start = ReceiverReport.begin(ssrc: 1, blocks: 1, with: &writer, to: &span)
            block.write(with: &writer, to: &span)
            RTCPHeader.finish(start, with: &writer, to: &span)
        }
    }

    private mutating func reply(_ write: (inout ByteWriter, inout MutableSpan<UInt8>) -> Void) {
        var room = [UInt8](repeating: 0, count: 1_500)
        var writer = ByteWriter()
        var span = room.mutableSpan
        write(&writer, &span)
        guard writer.count > 0, !writer.overflowed else { return }
        backward.send(Array(room.prefix(writer.count)), now: now)
    }
}
