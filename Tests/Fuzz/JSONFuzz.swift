import Formats

/// Whatever the bytes, they are read or refused at a place that lies within them; what was read prints to JSON that reads as the same.
@c(LLVMFuzzerTestOneInput) public func fuzzJSON(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    do {
        let value = try JSONValue(parsing: input)
        precondition((try? JSONValue(parsing: value.bytes)) == value)
    } catch {
        precondition(error.line >= 1 && error.line <= count + 1 && error.column >= 1 && error.column <= count + 1)
    }
    return 0
}
