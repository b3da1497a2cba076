import Audio

/// Whatever the packet, it is refused or it decodes to as long as its first bytes say.
@c(LLVMFuzzerTestOneInput)
public func fuzzOpus(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let packet = [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    guard var decoder = try? OpusDecoder() else { return 0 }
    var pcm = [Int16](repeating: 0, count: AudioFormat.mostSamplesPerPacket)
    var room = pcm.mutableSpan
    let said = try? OpusPacket(parsing: packet.span.bytes).samples
    if let written = try? decoder.decode(packet.span.bytes, into: &room) { precondition(written == said) }
    _ = try? decoder.recover(from: packet.span.bytes, samples: AudioFormat.samplesPerTick, into: &room)
    return 0
}
