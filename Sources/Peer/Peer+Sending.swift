import ICE
import RTP
import SDP

extension Peer {
    /// One Opus packet.
    /// - Parameter timestamp: 48 kHz of the bridge. `captured` is the moment that it stands for: sender reports tie sound and picture by it.
    /// - Parameter marker: first after a silence.
    package func sendAudio(
        _ payload: Span<UInt8>, timestamp: UInt32, captured: Instant, marker: Bool, now: Instant, sink: inout some PeerSink
    ) {
        guard var stream = audioOut else { return }
        if send(payload, on: &stream, timestamp: timestamp, captured: captured, marker: marker, now: now, sink: &sink) {
            statistics.audioPacketsSent &+= 1
        }
        audioOut = stream
    }

    /// One packet of a VP8 frame, descriptor included; the packets of a frame one after the other.
    /// - Parameter timestamp: 90 kHz of the bridge. `marker`: the last of the frame.
    package func sendVideo(
        packet payload: Span<UInt8>, timestamp: UInt32, captured: Instant, marker: Bool, now: Instant, sink: inout some PeerSink
    ) {
        guard var stream = videoOut else { return }
        if send(payload, on: &stream, timestamp: timestamp, captured: captured, marker: marker, now: now, sink: &sink), marker {
            statistics.videoFramesSent &+= 1
        }
        videoOut = stream
    }

    func send(
        _ payload: Span<UInt8>, on stream: inout OutgoingStream, timestamp: UInt32, captured: Instant, marker: Bool, now: Instant,
        sink: inout some PeerSink
    ) -> Bool {
        guard let address = ice.address, srtp != nil else {
            drops.count(.sendNotConnected)
            return false
        }
        var sent = 0
        transportSequence = estimate.send(bytes: payload.count + stream.headerLength, now: now)
        room.send { packet in
            guard
                let length = stream.write(
                    payload, timestamp: timestamp, captured: captured, marker: marker, transportSequence: &transportSequence, now: now,
                    into: &packet)
            else { return nil }
            return try? srtp?.protectRTP(&packet, length: length)
        } _: { sealed in
            sent = sealed.count
            sink.send(sealed, to: address)
        }
        guard sent > 0 else { return false }
        statistics.packetsSent &+= 1
        statistics.bytesSent &+= UInt64(sent)
        return true
    }
}
