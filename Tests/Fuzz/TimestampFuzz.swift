import Formats

/// What is a time prints to one that is the same moment, to the millisecond.
@c(LLVMFuzzerTestOneInput) public func fuzzTimestamp(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
    _ = Timestamps.day(text)
    guard let date = Timestamps.date(text) else { return 0 }
    guard let again = Timestamps.date(Timestamps.text(date)) else {
        // The last half millisecond of the year 9999 rounds up.
        precondition(date.timeIntervalSince1970 > 253_402_300_799)
        return 0
    }
    precondition(abs(again.timeIntervalSince(date)) < 0.001)
    return 0
}
