import Audio

/// Whatever the bytes, an Ogg file is read or refused, and its packets lie inside.
@c(LLVMFuzzerTestOneInput)
public func fuzzOggOpus(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    guard let file = try? OggOpusFile(parsing: bytes.span.bytes) else { return 0 }
    for index in 0..<file.packetCount { precondition(!file[index].isEmpty) }
    return 0
}
