import Base

@testable import RTP

/// Any bytes as a run of packets: two bytes of sequence, one of flags, one of length, then the payload.
@c(LLVMFuzzerTestOneInput) public func fuzzFrameAssembly(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    var assembler = FrameAssembler()
    var unwrapper = SequenceUnwrapper()
    var buffer = JitterBuffer()
    var out: [UInt8] = []
    var pcm = [UInt8](repeating: 0, count: 1_500)
    var place = 0
    var time: Int64 = 0
    while place + 4 <= input.count {
        let number = UInt16(input[place]) << 8 | UInt16(input[place + 1])
        let (flags, length) = (input[place + 2], Int(input[place + 3]))
        place += 4
        let end = min(input.count, place + length)
        let now = Instant(nanoseconds: time)
        time += Int64(flags >> 2) * 5_000_000
        let payload = Array(input[place..<end])
        assembler.insert(payload.span, sequence: unwrapper.unwrap(number), timestamp: UInt32(flags >> 4), marker: flags & 1 != 0, now: now)
        while assembler.next(now: now, into: &out) != nil { precondition(!out.isEmpty) }
        _ = assembler.expire(now: now)
        buffer.insert(payload.span, ssrc: UInt32(flags & 2), sequenceNumber: number, timestamp: UInt32(number) &* 960, now: now)
        var room = pcm.mutableSpan
        _ = buffer.next(now: now, into: &room)
        place = end
    }
    return 0
}
