/// Retransmission payloads, RFC 4588 §4: the original sequence number, then the original payload.
package enum Retransmission {
    package static let headSize = 2

    /// - Returns: the original number, and the place of the original payload; nil where there is only padding.
    package static func original(of datagram: RawSpan, payload: Range<Int>) throws(PacketError) -> (sequence: UInt16, payload: Range<Int>)?
    {
        guard payload.count >= headSize else { return nil }
        let sequence: UInt16 = try datagram.bigEndian(at: payload.lowerBound)
        return (sequence, payload.lowerBound + headSize..<payload.upperBound)
    }
}
