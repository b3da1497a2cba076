import ICE
import RTP
import SDP

extension Peer {
    func receivePlainRTP(_ packet: Span<UInt8>, now: Instant, sink: inout some PeerSink) {}
    func receivePlainRTCP(_ packet: Span<UInt8>, now: Instant, sink: inout some PeerSink) {}

    /// One Opus packet.
    /// - Parameter timestamp: 48 kHz of the bridge. `captured` is the moment that it stands for: sender reports tie sound and picture by it.
    /// - Parameter marker: first after a silence.
    package func sendAudio(
        _ payload: Span<UInt8>, timestamp: UInt32, captured: Instant, marker: Bool, now: Instant, sink: inout some PeerSink
    ) {}

    /// Asks the peer for a key frame of its video `source`; gated to one a second.
    package func requestKeyFrame(source: Int = 0, now: Instant, sink: inout some PeerSink) {}

    /// With simulcast: take the lowest layer of at least so many lines. Bounds REMB too.
    package func setWantedHeight(_ lines: Int, now: Instant, sink: inout some PeerSink) {}
}
