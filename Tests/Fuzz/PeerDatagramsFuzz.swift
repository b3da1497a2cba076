import Base
import ICE
import Peer
import RTP
import SDP

private struct DeafSink: PeerSink {
    mutating func send(_ datagram: Span<UInt8>, to address: TransportAddress) {}
    mutating func connected() {}
    mutating func received(_ packet: ReceivedAudio, payload: Span<UInt8>) {}
    mutating func received(_ frame: ReceivedVideo, bytes: Span<UInt8>) {}
    mutating func wantsKeyFrame() {}
    mutating func closed(_ reason: PeerCloseReason) {}
}

private let identity = try? DTLSIdentity()

private func makePeer() -> Peer? {
    guard let identity else { return nil }
    let offer =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\n"
        + "a=mid:0\r\na=rtcp-mux\r\na=sendrecv\r\na=setup:actpass\r\na=ice-ufrag:fuzz\r\na=ice-pwd:fuzzfuzzfuzzfuzzfuzzfuzz\r\n"
        + "a=fingerprint:\(identity.fingerprint.attributeValue)\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n"
        + "a=fmtp:63 111/111\r\n"
    let credentials = ICECredentials(ufrag: "fuzzfuzz", password: "fuzzfuzzfuzzfuzzfuzzfuzz")
    let parameters = LocalParameters(
        credentials: credentials, fingerprint: identity.fingerprint, candidates: [TransportAddress(ipv4: 1, port: 1)], sessionID: 1,
        cname: "c",
        streamID: "s", audio: .init(ssrc: 1, trackID: "a"), video: .init(ssrc: 2, rtxSSRC: 3, trackID: "v"))
    guard let description = try? SessionDescription(parsing: offer), let answer = try? Answerer(parameters: parameters).answer(description)
    else {
        return nil
    }
    return try? Peer(
        configuration: PeerConfiguration(
            role: .server, identity: identity, localCredentials: credentials, negotiated: answer.session, cname: "c", seed: 1, ntpAtStart: 0
        ),
        now: .start)
}

/// Datagrams of every kind into a server's peer, by the socket's way and as if SRTP had opened them. Whatever the bytes, nothing traps.
///
/// The input is cut into datagrams: two bytes of length, then the datagram.
@c(LLVMFuzzerTestOneInput) public func fuzzPeer(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let peer = makePeer() else { preconditionFailure("the fuzzer's own offer must be answered") }
    let input = [UInt8](UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    var sink = DeafSink()
    var at = 0
    while at + 2 <= input.count {
        let end = min(input.count, at + 2 + (Int(input[at]) << 8 | Int(input[at + 1])) % 1_500)
        var datagram = Array(input[(at + 2)..<end])
        peer.receivePlainRTP(datagram.span, now: .start, sink: &sink)
        peer.receivePlainRTCP(datagram.span, now: .start, sink: &sink)
        var span = datagram.mutableSpan
        peer.handle(&span, from: TransportAddress(ipv4: 1, port: 1), now: .start, sink: &sink)
        at = end
    }
    return 0
}
