import Base
import ICE
import RTP

/// What a peer tells while it handles a datagram, a timer or something to send. Everything that follows from an input has been told when the call returns.
/// Spans are valid during the call only. Used generically: no box, no lookup.
package protocol PeerSink {
    /// Sends this datagram; packets of one frame come one after the other, so that they can leave together.
    mutating func send(_ datagram: Span<UInt8>, to address: TransportAddress)
    /// Has `write` make a datagram where it is to leave from, and sends it; `write` gives its length, 0 for none. The room is `Peer.largestDatagram`.
    mutating func send(to address: TransportAddress, _ write: (inout MutableSpan<UInt8>) -> Int)
    /// ICE and DTLS are through: media may flow. Once.
    mutating func connected()
    /// An Opus packet, in order of arrival (the jitter buffer orders them); none twice. Before it what it says of earlier ones, though they may have come.
    mutating func received(_ packet: ReceivedAudio, payload: Span<UInt8>)
    /// A whole VP8 frame, in decoding order.
    mutating func received(_ frame: ReceivedVideo, bytes: Span<UInt8>)
    /// The sender said goodbye for this video (BYE): no picture of it comes for now. Another source may take its place.
    mutating func ended(source: Int)
    /// The other side cannot go on without a key frame (PLI, FIR). Not gated here.
    mutating func wantsKeyFrame()
    /// The end, once; nothing comes after it.
    mutating func closed(_ reason: PeerCloseReason)
}

extension PeerSink {
    package mutating func ended(source: Int) {}

    /// For those who have no such place: makes the datagram on the stack.
    package mutating func send(to address: TransportAddress, _ write: (inout MutableSpan<UInt8>) -> Int) {
        var room = InlineArray<1_500, UInt8>(repeating: 0)
        var span = room.mutableSpan
        let length = write(&span)
        if length > 0 { send(room.span.extracting(first: length), to: address) }
    }
}

package struct ReceivedAudio: Equatable, Sendable {
    package var ssrc: UInt32
    package var sequenceNumber: UInt16
    /// 48 kHz, the sender's.
    package var timestamp: UInt32
    /// First packet after a silence (RFC 7587 §4.2).
    package var marker: Bool
    /// dBov, −127 … 0 (RFC 6464); nil where the packet does not say.
    package var level: Int?
    package var hasVoice: Bool?
    package var arrival: Instant
    /// Said by a later packet about this one (RFC 2198), which may have come itself. Its level is not known.
    package var isRedundant = false

    package init(
        ssrc: UInt32, sequenceNumber: UInt16, timestamp: UInt32, marker: Bool, level: Int?, hasVoice: Bool?, arrival: Instant
    ) {
        self.ssrc = ssrc
        self.sequenceNumber = sequenceNumber
        self.timestamp = timestamp
        self.marker = marker
        (self.level, self.hasVoice, self.arrival) = (level, hasVoice, arrival)
    }
}

package struct ReceivedVideo: Equatable, Sendable {
    /// Which of the peer's videos, counted as in `NegotiatedSession`: 0 the camera, then `furtherVideos`.
    package var source: Int
    /// 90 kHz, the sender's.
    package var timestamp: UInt32
    package var isKey: Bool
    /// Pixels, read from key frames; 0 before the first.
    package var width: Int
    package var height: Int
    package var arrival: Instant
}

package enum PeerCloseReason: String, Sendable, CaseIterable {
    /// `close()` was called.
    case closedHere
    /// close_notify.
    case closedByPeer
    /// Neither a proven check nor a sealed packet for 30 s (RFC 7675).
    case consentLost
    /// ICE and DTLS did not come through within 30 s.
    case neverConnected
    /// DTLS refused: certificate, profile or protocol.
    case handshakeFailed
}
