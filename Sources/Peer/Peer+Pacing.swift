import Base
import RTP

/// Pictures on their way to one receiver over a line that could not take them at once, and how much may leave now.
struct PacedPictures {
    /// A picture that was not begun for so long is overtaken by the next one.
    static let patience = Duration.milliseconds(400)
    /// What may leave at once after a pause: a thread in turns comes each ten milliseconds or so.
    private static let burst = 0.02
    private static let capacity = 8

    /// Bits a second; 0 before there is one.
    var rate = 0.0
    /// Bits; below zero is what was sent too early.
    private var credit = 0.0
    private var last = Instant.start
    private var waiting: [PacketisedFrame?] = []
    private var first = 0
    private(set) var count = 0
    /// Packets of the first one that have left.
    var sent = 0
    private(set) var newest = Instant.start
    /// A picture was left out: what follows builds on it, up to the next key frame.
    var awaitsKey = false

    var current: PacketisedFrame? { count > 0 ? waiting[first] : nil }

    /// Takes a picture in.
    /// - Returns: false where it was left out.
    mutating func append(_ frame: PacketisedFrame, now: Instant) -> Bool {
        guard frame.captured > newest else { return false }
        if frame.isKeyFrame {
            keepBegun()
            awaitsKey = false
        }
        guard !awaitsKey else { return false }
        let place = sent > 0 ? 1 : 0
        if count == Self.capacity || count > place && now - (waiting[(first + place) % Self.capacity]?.captured ?? now) > Self.patience {
            keepBegun()
            awaitsKey = true
            return false
        }
        if waiting.isEmpty { waiting = Array(repeating: nil, count: Self.capacity) }
        waiting[(first + count) % Self.capacity] = frame
        count += 1
        newest = frame.captured
        return true
    }

    private mutating func keepBegun() {
        while count > (sent > 0 ? 1 : 0) {
            count -= 1
            waiting[(first + count) % Self.capacity] = nil
        }
    }

    mutating func finishCurrent() {
        guard count > 0 else { return }
        waiting[first] = nil
        first = (first + 1) % Self.capacity
        (count, sent) = (count - 1, 0)
    }

    /// Nothing of what waits is sent.
    mutating func forget() {
        while count > 0 { finishCurrent() }
        awaitsKey = false
    }

    /// Everything that leaves is reckoned, sound too.
    mutating func spend(bytes: Int) { credit -= Double(bytes * 8) }

    mutating func earn(now: Instant) {
        credit = min(rate * Self.burst, credit + (now - last).seconds * rate)
        // A second of debt is as much as may be remembered: whoever made it is no picture.
        credit = max(credit, -rate)
        last = now
    }

    var mayGo: Bool { credit >= 0 }

    /// Whether what waits for its turn already takes longer than this.
    func isBehind(_ time: Duration) -> Bool { credit < -rate * time.seconds }

    /// When there is room again.
    var due: Instant {
        guard rate > 0, credit < 0 else { return last }
        return last + .nanoseconds(Int64(min(1, -credit / rate) * 1e9) + 100_000)
    }
}

extension Peer {
    /// Repairs that would make everything wait longer than this are not made.
    private static let mostRepairDelay = Duration.milliseconds(150)

    /// A picture for a line that cannot take it at once.
    func pace(_ frame: PacketisedFrame, now: Instant, sink: inout some PeerSink) -> Bool {
        let awaited = pacing.awaitsKey
        guard pacing.append(frame, now: now) else {
            if pacing.awaitsKey, !awaited { drops.count(.pictureOvertaken) }
            if pacing.awaitsKey, !frame.isKeyFrame { sink.wantsKeyFrame() }
            return false
        }
        sendOn(now: now, sink: &sink)
        return true
    }

    /// Pictures wait for room on the line.
    package var isPacing: Bool { pacing.count > 0 }

    /// What may leave by now: of pictures that wait, and of padding.
    func sendOn(now: Instant, sink: inout some PeerSink) {
        guard control != nil, srtp != nil else { return }
        if now >= nextLook {
            control?.look(sent: sentPackets.count, now: now)
            followControl(now: now)
            if rtxOut != nil, let demand = control?.demand(sent: sentPackets.bytes, now: now) { pad(demand, now: now, sink: &sink) }
            nextLook = control?.deadline(now: now) ?? .distantFuture
        }
        pacing.earn(now: now)
        while pacing.current != nil, pacing.mayGo || !paces { sendNextPacket(now: now, sink: &sink) }
    }

    /// When something is to be sent without anything coming in.
    var nextSend: Instant {
        guard control != nil else { return .distantFuture }
        return pacing.count > 0 ? min(nextLook, pacing.due) : nextLook
    }

    private func sendNextPacket(now: Instant, sink: inout some PeerSink) {
        guard let frame = pacing.current, let stream = videoOut, let address = ice.address else { return pacing.finishCurrent() }
        let index = pacing.sent
        if index == 0 {
            guard stream.isNext(frame.captured) else { return pacing.finishCurrent() }
            remember(frame, on: stream)
        }
        let number = stream.hasTransportSequence ? sentPackets.send(bytes: frame.payloadBytes + stream.headerLength, now: now) : 0
        let sent = write(frame, index, on: stream, transportSequence: number, to: address, now: now, sink: &sink)
        pacing.spend(bytes: frame.payloadBytes + stream.headerLength + SentPackets.overhead)
        pacing.sent = index + 1
        statistics.packetsSent &+= sent > 0 ? 1 : 0
        statistics.bytesSent &+= UInt64(sent)
        if frame.isLast(index) {
            if sent > 0 { statistics.videoFramesSent &+= 1 }
            pacing.finishCurrent()
        }
    }

    /// Whether there is room for a repair of so many bytes.
    func mayRepair(_ bytes: Int, now: Instant) -> Bool {
        guard repairs.take(bytes, sent: statistics.bytesSent, carries: control?.carriedLately, now: now) else { return false }
        guard paces else { return true }
        pacing.earn(now: now)
        return !pacing.isBehind(Self.mostRepairDelay)
    }

    // MARK: Padding

    private static let (largestPadding, trainPadding) = (255, 160)

    private func pad(_ demand: LineProbe.Demand, now: Instant, sink: inout some PeerSink) {
        switch demand {
        case .nothing: break
        case .train(let packets): for _ in 0..<packets { sendPadding(Self.trainPadding, now: now, sink: &sink) }
        case .padding(let bytes):
            var left = bytes
            while left > 0 {
                sendPadding(Self.largestPadding, now: now, sink: &sink)
                left -= Self.largestPadding + OutgoingStream.largestHeader + SentPackets.overhead
            }
        }
    }

    private func sendPadding(_ count: Int, now: Instant, sink: inout some PeerSink) {
        guard let stream = rtxOut, let address = ice.address, srtp != nil else { return }
        let number = stream.hasTransportSequence ? sentPackets.send(bytes: count + stream.headerLength, now: now) : 0
        var sent = 0
        sink.send(to: address) { packet in
            let length = stream.writePadding(
                count, timestamp: lastPicture.timestamp, captured: lastPicture.captured, transportSequence: number, now: now, into: &packet)
            // Not sealed is not sent, and not counted as sent.
            sent = length.flatMap { try? srtp?.protectRTP(&packet, length: $0) } ?? 0
            return sent
        }
        guard sent > 0 else { return }
        statistics.packetsSent &+= 1
        statistics.bytesSent &+= UInt64(sent)
        statistics.paddingBytesSent &+= UInt64(sent)
    }
}
