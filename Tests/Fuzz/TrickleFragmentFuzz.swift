import SDP

/// Fragments and single candidate lines; a candidate that parses prints to the same again.
@c(LLVMFuzzerTestOneInput) public func fuzzTrickleFragment(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
    if let candidate = Candidate(parsing: text) { precondition(Candidate(parsing: candidate.value) == candidate) }
    _ = try? TrickleFragment(parsing: text)
    return 0
}
