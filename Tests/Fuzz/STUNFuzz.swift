import ICE

/// Whatever the bytes: a message whose places lie inside the datagram, or an error.
@c(LLVMFuzzerTestOneInput) public func fuzzSTUN(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let datagram = [UInt8](UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    _ = DatagramKind(datagram.span.bytes)
    _ = STUNMessage.localUfrag(of: datagram.span.bytes)
    guard let message = try? STUNMessage(parsing: datagram.span.bytes) else { return 0 }
    _ = message.hasIntegrity(key: [1, 2, 3], in: datagram.span.bytes)
    if let name = message.username { precondition(name.upperBound <= datagram.count) }
    return 0
}
