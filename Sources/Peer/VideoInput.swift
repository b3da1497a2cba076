import Base
import RTP

/// One video of the peer: a camera, perhaps in several layers at once (simulcast, RFC 8853), or a shared screen. One layer is taken at a time.
struct VideoInput {
    /// Layers, and as many that a sender which began anew has left behind.
    static let mostLayers = 8

    private struct Layer {
        var ssrc: UInt32
        /// Lines, as its last key frame said; 0 before one.
        var height = 0
        var lastArrival: Instant
    }

    /// Whose video it is: a renegotiation may give the place to another m-line.
    let mediaLine: Int
    /// Layers were negotiated: the choice follows `wantedHeight`. Otherwise a second SSRC only takes the place of a first one that fell silent.
    private let isLayered: Bool
    private var layers: [Layer] = []
    private(set) var receiver: VideoReceiver?
    /// Lines of the tile that shows it: the lowest layer of at least so many is taken.
    var wantedHeight = 360
    /// Of the last whole key frame.
    private var size = (width: 0, height: 0)
    private var mayRequestKeyFrame = Instant.start

    init(mediaLine: Int, isLayered: Bool) {
        (self.mediaLine, self.isLayered) = (mediaLine, isLayered)
        layers.reserveCapacity(Self.mostLayers)
    }

    var deadline: Instant? { receiver?.deadline }

    /// Takes a packet of the media, or lets it be where it belongs to a layer that is not taken.
    /// - Returns: whether it was taken, and whether it is the first of another layer.
    mutating func insert(_ payload: Span<UInt8>, _ header: RTPHeader, now: Instant) -> (isTaken: Bool, isNew: Bool) {
        let startsKeyFrame = note(payload, header.ssrc, now: now)
        let isNew = receiver?.ssrc != header.ssrc
        if isNew {
            guard mayBegin(header.ssrc, startsKeyFrame: startsKeyFrame, now: now) else { return (false, false) }
            receiver = VideoReceiver(ssrc: header.ssrc, now: now)
        }
        receiver?.hasLeft = false
        receiver?.insert(payload, sequence: header.sequenceNumber, timestamp: header.timestamp, marker: header.marker, now: now)
        return (true, isNew)
    }

    /// Takes a packet of the taken layer that was asked for again.
    mutating func mend(_ payload: Span<UInt8>, sequence: UInt16, timestamp: UInt32, marker: Bool, now: Instant) {
        receiver?.insert(payload, sequence: sequence, timestamp: timestamp, marker: marker, now: now)
    }

    /// Its sender said goodbye for `ssrc`: whatever comes next may take its place at once.
    /// - Returns: whether it is the stream that is taken, so that no picture comes for now.
    mutating func leave(_ ssrc: UInt32) -> Bool {
        layers.removeAll { $0.ssrc == ssrc }
        guard receiver?.ssrc == ssrc else { return false }
        receiver?.hasLeft = true
        return true
    }

    private func mayBegin(_ ssrc: UInt32, startsKeyFrame: Bool, now: Instant) -> Bool {
        guard let receiver else { return true }
        if receiver.hasFallenSilent(now) { return !isLayered || best(now) == ssrc }
        return isLayered && startsKeyFrame && best(now) == ssrc
    }

    /// - Returns: whether a key frame begins here.
    private mutating func note(_ payload: Span<UInt8>, _ ssrc: UInt32, now: Instant) -> Bool {
        let place = layers.firstIndex { $0.ssrc == ssrc } ?? append(ssrc, now: now)
        layers[place].lastArrival = now
        // What cannot be read begins no key frame; the assembler counts it.
        guard payload.count > 10, let descriptor = try? VP8Descriptor(parsing: payload.bytes), descriptor.startsFrame,
            let frame = try? VP8FrameHeader(parsing: payload.extracting(descriptor.size...).bytes), frame.isKey
        else { return false }
        layers[place].height = frame.height
        return true
    }

    private mutating func append(_ ssrc: UInt32, now: Instant) -> Int {
        if layers.count == Self.mostLayers, let oldest = layers.indices.min(by: { layers[$0].lastArrival < layers[$1].lastArrival }) {
            layers.remove(at: oldest)
        }
        layers.append(Layer(ssrc: ssrc, lastArrival: now))
        return layers.count - 1
    }

    /// Of the layers that come in: the lowest that has the wanted lines, otherwise the highest. The taken one where none is better.
    private func best(_ now: Instant) -> UInt32? {
        var best: Layer?
        for layer in layers where now - layer.lastArrival <= VideoReceiver.patience {
            guard let present = best else {
                best = layer
                continue
            }
            let isBetter =
                present.height >= wantedHeight
                ? layer.height >= wantedHeight && layer.height < present.height : layer.height > present.height
            if isBetter || layer.height == present.height && layer.ssrc == receiver?.ssrc { best = layer }
        }
        return best?.ssrc
    }

    /// The layer that is to be taken from its next key frame on; nil where the present one is right.
    func awaited(now: Instant) -> UInt32? {
        guard isLayered, let receiver, let best = best(now), best != receiver.ssrc else { return nil }
        return best
    }

    // MARK: Frames

    /// The next whole frame, written to `bytes`.
    mutating func next(source: Int, now: Instant, into bytes: inout [UInt8]) -> ReceivedVideo? {
        guard let frame = receiver?.assembler.next(now: now, into: &bytes) else { return nil }
        if frame.isKey { size = (frame.width, frame.height) }
        return ReceivedVideo(
            source: source, timestamp: frame.timestamp, isKey: frame.isKey, width: size.width, height: size.height, arrival: now)
    }

    /// Gives up what waited too long.
    /// - Returns: whether only a key frame helps.
    mutating func expire(now: Instant, roundTrip: Duration) -> Bool {
        guard receiver != nil else { return false }
        _ = receiver?.assembler.expire(now: now, roundTrip: roundTrip)
        if receiver?.nack.takeGivenUp() == true { receiver?.assembler.giveUp() }
        return receiver?.assembler.needsKeyFrame == true
    }

    /// Appends the numbers to ask for again now.
    mutating func collectLost(now: Instant, roundTrip: Duration, into numbers: inout [UInt16]) {
        guard let due = receiver?.nack.deadline, due <= now else { return }
        receiver?.nack.collect(now: now, roundTrip: roundTrip, into: &numbers)
    }

    /// - Returns: whether a key frame may be asked for now; once a second.
    mutating func takeKeyFrameRequest(now: Instant) -> Bool {
        guard now >= mayRequestKeyFrame else { return false }
        mayRequestKeyFrame = now + Peer.keyFrameInterval
        return true
    }
}
