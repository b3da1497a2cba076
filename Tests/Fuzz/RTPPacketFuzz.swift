@testable import RTP

/// Any bytes as an RTP packet: header and extensions lie inside, or it throws.
@c(LLVMFuzzerTestOneInput) public func fuzzRTPPacket(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let datagram = UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count).bytes
    guard let header = try? RTPHeader(parsing: datagram) else { return 0 }
    precondition(header.payload.upperBound <= count && header.extensionElements.upperBound <= count)
    var map = HeaderExtensionMap()
    (map.mid, map.rid, map.repairedRID, map.audioLevel, map.absoluteSendTime, map.transportSequenceNumber) = (1, 2, 3, 4, 5, 6)
    if let found = try? HeaderExtensions(parsing: datagram, header: header, map: map), let mid = found.mid {
        precondition(mid.upperBound <= header.extensionElements.upperBound)
    }
    _ = try? Retransmission.original(of: datagram, payload: header.payload)
    return 0
}
