import Base
import ICE
import RTP

extension Peer {
    /// Whatever came on the socket from `source`, told apart by its first byte (RFC 7983); opened in place. What is not believed is counted, not answered.
    package func handle(_ datagram: inout MutableSpan<UInt8>, from source: TransportAddress, now: Instant, sink: inout some PeerSink) {
        guard !isClosed else { return }
        statistics.packetsReceived &+= 1
        statistics.bytesReceived &+= UInt64(datagram.count)
        switch DatagramKind(datagram.span.bytes) {
        case .stun: handleSTUN(datagram.span.bytes, from: source, now: now, sink: &sink)
        case .dtls:
            // OpenSSL answers what it is given, and a handshake's answer is larger than its question: only for addresses that proved the password.
            guard ice.isProven(source, now: now) else { return drops.count(.dtlsUnknownAddress) }
            handleDTLS(datagram.span, now: now, sink: &sink)
        case .rtp:
            guard mayCarryMedia(source, now: now) else { return }
            guard datagram.count >= 12, mayOpen(datagram.span, now: now) else { return }
            receiveRTP(&datagram, from: source, now: now, sink: &sink)
        case .rtcp:
            guard mayCarryMedia(source, now: now) else { return }
            receiveRTCP(&datagram, from: source, now: now, sink: &sink)
        case .unknown: drops.count(.unknownKind)
        }
    }

    private func mayCarryMedia(_ source: TransportAddress, now: Instant) -> Bool {
        guard ice.isProven(source, now: now) else {
            drops.count(.rtpUnknownAddress)
            return false
        }
        guard srtp != nil else {
            drops.count(.rtpBeforeDTLS)
            return false
        }
        return true
    }

    func count(_ error: SRTPError) {
        switch error {
        case .replayed: drops.count(.srtpReplayed)
        case .forged: drops.count(.srtpForged)
        case .malformed, .noRoom, .exhausted, .library: drops.count(.srtpMalformed)
        }
    }

    /// What opened only the peer can have sealed: its line lives, and so does the session.
    private func hearSealed(from source: TransportAddress, now: Instant) {
        signs.heard(now: now)
        ice.hearSealed(from: source, now: now)
    }

    private func receiveRTP(_ datagram: inout MutableSpan<UInt8>, from source: TransportAddress, now: Instant, sink: inout some PeerSink) {
        do throws(SRTPError) {
            guard let length = try srtp?.unprotectRTP(&datagram) else { return }
            hearSealed(from: source, now: now)
            receivePlainRTP(datagram.span.extracting(first: length), now: now, sink: &sink)
        } catch { count(error) }
    }

    private func receiveRTCP(_ datagram: inout MutableSpan<UInt8>, from source: TransportAddress, now: Instant, sink: inout some PeerSink) {
        do throws(SRTPError) {
            guard let length = try srtp?.unprotectRTCP(&datagram) else { return }
            hearSealed(from: source, now: now)
            receivePlainRTCP(datagram.span.extracting(first: length), now: now, sink: &sink)
        } catch { count(error) }
    }
}
