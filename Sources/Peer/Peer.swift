import ICE
import RTP
import SDP

/// One media session: ICE, DTLS, SRTP and RTP. Sans-IO: datagrams, media and time in; everything that follows goes to the sink before the call returns.
///
/// Touched by one thread only, the worker that owns it.
package final class Peer {
    package enum State: Equatable, Sendable { case connecting, connected, closed(PeerCloseReason) }
    package internal(set) var state = State.connecting
    package internal(set) var statistics = PeerStatistics()
    package internal(set) var drops = DropCounters()
    var configuration: PeerConfiguration

    /// - Throws: `DTLSError` where OpenSSL refuses to make an association.
    package init(configuration: PeerConfiguration, now: Instant) throws(DTLSError) {
        self.configuration = configuration
    }

    /// When to call `handleTimer` next; nil when closed.
    package var deadline: Instant? { nil }

    /// The endpoint's first checks. The server waits for them.
    package func start(now: Instant, sink: inout some PeerSink) {}

    /// Whatever came on the socket from `source`; opened in place.
    package func handle(_ datagram: inout MutableSpan<UInt8>, from source: TransportAddress, now: Instant, sink: inout some PeerSink) {}

    package func handleTimer(now: Instant, sink: inout some PeerSink) {}

    /// A later negotiation. DTLS and SRTP stay; with `isICERestart` the agent goes on with `localCredentials`.
    package func apply(_ negotiated: NegotiatedSession, localCredentials: ICECredentials? = nil, now: Instant, sink: inout some PeerSink) {}

    /// A candidate that came later. The server needs none.
    package func add(candidate: TransportAddress) {}

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

    /// Ends: BYE, close_notify, `closed(.closedHere)`.
    package func close(now: Instant, sink: inout some PeerSink) {}
}
