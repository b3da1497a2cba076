import Peer
import RTP

extension EndpointSession {
    func send(_ frame: PacketisedFrame, now: Instant, sink: inout EndpointSink) {}
}
