import RTP

/// One VP8 stream of the peer: holes are asked for, whole frames come out.
struct VideoReceiver {
    let ssrc: UInt32
    var unwrapper = SequenceUnwrapper()
    var nack = NackGenerator()
    var assembler = FrameAssembler()
    /// The size that the last key frame said.
    var width = 0
    var height = 0

    init(ssrc: UInt32) { self.ssrc = ssrc }

    var deadline: Instant? { [nack.deadline, assembler.deadline].compactMap { $0 }.min() }

    /// - Parameter sequence: of the media stream, also for a retransmission.
    mutating func insert(_ payload: Span<UInt8>, sequence: UInt16, timestamp: UInt32, marker: Bool, now: Instant) {
        let number = unwrapper.unwrap(sequence)
        nack.received(number, now: now)
        assembler.insert(payload, sequence: number, timestamp: timestamp, marker: marker, now: now)
    }
}
