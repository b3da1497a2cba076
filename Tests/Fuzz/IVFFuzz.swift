import Video

/// Whatever the bytes, the file is refused or read, and its frames lie inside.
@c(LLVMFuzzerTestOneInput)
public func fuzzIVF(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let file = try? IVFReader(parsing: [UInt8](UnsafeBufferPointer(start: bytes, count: count))) else { return 0 }
    for index in 0..<file.count { precondition(file.frame(index).bytes.endIndex <= count) }
    return 0
}
