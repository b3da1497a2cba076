@testable import WebServer

/// Whatever proxies and strangers write into the headers: the address of the connection, or one that parses. And whatever comes as chunks: never
/// more than the limit, and the same in one piece as byte by byte.
@c(LLVMFuzzerTestOneInput) public func fuzzForwarded(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    let text = String(decoding: input, as: UTF8.self)
    let trusted = ["10.0.0.0/8", "::1"].compactMap { IPNetwork($0) }
    for headers in [["forwarded": text], ["x-forwarded-for": text, "x-forwarded-proto": text]] {
        let found = Forwarded(peer: "10.0.0.1", headers: headers, trusted: trusted)
        precondition(IPAddress(found.address)?.description == found.address)
    }
    if let network = IPNetwork(text) { precondition(IPNetwork(network.description) == network) }

    var (whole, pieces) = (ChunkedBody(limit: 512), ChunkedBody(limit: 512))
    var (one, other) = ([UInt8](), [UInt8]())
    let outcome = input.withUnsafeBytes { whole.take($0, into: &one) }
    var (last, taken) = (ChunkedBody.Outcome.more, 0)
    for byte in input where last == .more {
        last = withUnsafeBytes(of: byte) { pieces.take($0, into: &other) }
        taken += 1
    }
    // Where the end is counts from the beginning of what was given, which here is one byte.
    if last == .done(1) { last = .done(taken) }
    precondition(outcome == last && one == other && one.count <= 512)
    return 0
}
