import Base
import RTP

/// One VP8 stream of the peer: holes are asked for, whole frames come out.
struct VideoReceiver {
    let ssrc: UInt32
    var unwrapper = SequenceUnwrapper()
    var nack = NackGenerator()
    var assembler = FrameAssembler()

    /// Silent for so long, the stream gives way to another SSRC: senders that begin anew take a new one.
    static let patience = Duration.seconds(1)
    private var lastArrival: Instant
    /// Said goodbye and sent nothing since.
    var hasLeft = false

    init(ssrc: UInt32, now: Instant) { (self.ssrc, lastArrival) = (ssrc, now) }

    func hasFallenSilent(_ now: Instant) -> Bool { hasLeft || now - lastArrival > Self.patience }

    /// Numbers are missing, or a key frame is.
    var isBroken: Bool { assembler.needsKeyFrame || deadline != nil }

    var deadline: Instant? {
        guard let asking = nack.deadline else { return assembler.deadline }
        return min(asking, assembler.deadline ?? asking)
    }

    /// - Parameter sequence: of the media stream, also for a retransmission.
    mutating func insert(_ payload: Span<UInt8>, sequence: UInt16, timestamp: UInt32, marker: Bool, now: Instant) {
        lastArrival = now
        let number = unwrapper.unwrap(sequence)
        nack.received(number, now: now)
        assembler.insert(payload, sequence: number, timestamp: timestamp, marker: marker, now: now)
    }
}
