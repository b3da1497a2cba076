import Base

@testable import RTP

/// Any bytes as an RTCP compound: every message of it is read, and none reads past its end.
@c(LLVMFuzzerTestOneInput) public func fuzzRTCPWalk(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let datagram = UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count).bytes
    var (packets, control) = (SentPackets(), SendControl())
    for step in 0..<200 { _ = packets.send(bytes: 1_000, now: Instant(nanoseconds: Int64(step) * 1_000_000)) }
    var now = Instant(nanoseconds: 300_000_000)
    var place = 0
    while place < count, let header = try? RTCPHeader(parsing: datagram, at: place) {
        precondition(header.end > place && header.end <= count && header.body.upperBound <= header.end)
        place = header.end
        _ = try? SenderReport(parsing: datagram, header: header)
        if header.packetType == 200 || header.packetType == 201, let blocks = try? ReportBlocks(of: header) {
            for index in 0..<blocks.count { _ = try? blocks.block(index, of: datagram) }
        }
        try? Bye.forEachSource(of: header, in: datagram) { _ in }
        guard let feedback = try? FeedbackHeader(parsing: datagram, header: header) else { continue }
        try? NegativeAcknowledgement.forEachLost(in: datagram, feedback) { _ in }
        try? FullIntraRequest.forEachRequest(in: datagram, feedback) { _, _ in }
        _ = try? ReceiverEstimate.bitsPerSecond(in: datagram, feedback)
        try? control.receive(datagram, feedback, of: &packets, now: now)
        now += .milliseconds(100)
        control.look(sent: packets.count, now: now)
        _ = control.demand(sent: packets.bytes, now: now)
        precondition(control.estimate.bitsPerSecond >= LineEstimate.least && control.estimate.bitsPerSecond <= LineEstimate.most)
    }
    return 0
}
