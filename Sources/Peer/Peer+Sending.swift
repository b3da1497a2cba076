import Base
import CCache
import ICE
import RTP
import SDP

extension Peer {
    /// What a sink must have room for.
    package static let largestDatagram = 1_500

    /// Brings what sending will touch into the cache: a packet for each of hundreds of peers is mostly a wait for memory. In two steps, the peer itself and then,
    /// a little later, what it points to, so that neither waits.
    package func prefetch() { nc_prefetch(Unmanaged.passUnretained(self).toOpaque(), Self.hotBytes) }
    /// The fields from `state` to `statistics`, and the object's header.
    private static let hotBytes = 448

    /// - Parameter video: what leaves is a picture.
    package func prefetchStream(video: Bool) {
        nc_prefetch(Unmanaged.passUnretained(ice).toOpaque(), 128)
        sentPackets.prefetch()
        if let stream = video ? videoOut : audioOut { nc_prefetch(Unmanaged.passUnretained(stream).toOpaque(), 192) }
    }

    /// Whether the other side takes sound with redundancy (RFC 2198).
    package var takesRedundantAudio: Bool { redundancy != nil }

    /// One Opus packet.
    /// - Parameter timestamp: 48 kHz of the bridge. `captured` is the moment that it stands for: sender reports tie sound and picture by it.
    /// - Parameters:
    ///   - marker: first after a silence.
    ///   - level: dBov, −127 … 0, told by an endpoint where that was negotiated (RFC 6464).
    ///   - redundancy: bytes of `payload` before the packet, as `RedundantAudioWriter` makes them. Left out where the other side does not take them.
    package func sendAudio(
        _ payload: Span<UInt8>, timestamp: UInt32, captured: Instant, marker: Bool, level: Int = -127, redundancy: Int = 0,
        now: Instant, sink: inout some PeerSink
    ) {
        guard let stream = audioOut, stream.isNext(captured), redundancy < payload.count else { return }
        stream.audioLevel = level
        let types = redundancy > 0 ? self.redundancy : nil
        if send(
            payload.extracting(droppingFirst: types == nil ? redundancy : 0), on: stream, redundancy: types, timestamp: timestamp,
            captured: captured, marker: marker, now: now, sink: &sink)
        {
            statistics.audioPacketsSent &+= 1
        }
    }

    /// A picture, its packets one after the other. Kept for retransmission where that was negotiated.
    /// - Returns: whether all of it went; nothing of it where the picture sent before stands for the same moment or a later one.
    @discardableResult
    package func sendVideo(_ frame: PacketisedFrame, now: Instant, sink: inout some PeerSink) -> Bool {
        guard let stream = videoOut, srtp != nil, stream.isNext(frame.captured), !holdsPictures else { return false }
        guard let address = ice.address else {
            drops.count(.sendNotConnected)
            return false
        }
        guard !paces, pacing.count == 0 else { return pace(frame, now: now, sink: &sink) }
        remember(frame, on: stream)
        let count = frame.count
        // What all packets share is looked up once.
        let first =
            stream.hasTransportSequence
            ? sentPackets.send(packets: count, bytes: frame.payloadBytes + stream.headerLength, now: now) : 0
        var (whole, bytes) = (0, 0)
        for index in 0..<count {
            let sent = write(
                frame, index, on: stream, transportSequence: first &+ UInt16(truncatingIfNeeded: index), to: address, now: now, sink: &sink)
            if sent > 0 { whole += 1 }
            bytes += sent
        }
        statistics.packetsSent &+= UInt64(whole)
        statistics.bytesSent &+= UInt64(bytes)
        if whole == count { statistics.videoFramesSent &+= 1 }
        return whole == count
    }

    /// Of a picture that goes out: what is asked for again is found there.
    func remember(_ frame: PacketisedFrame, on stream: OutgoingStream) {
        lastPicture = (frame.timestamp, frame.captured)
        if frame.isKeyFrame { lastKeyFrame = frame.captured }
        guard rtxOut != nil else { return }
        if history == nil { history = PacketHistory() }
        history?.add(frame, first: stream.nextSequence)
    }

    /// One packet of a picture.
    /// - Returns: its length; 0 where it was not sent.
    @inline(__always)
    func write(
        _ frame: PacketisedFrame, _ index: Int, on stream: OutgoingStream, transportSequence: UInt16, to address: TransportAddress,
        now: Instant, sink: inout some PeerSink
    ) -> Int {
        var sent = 0
        sink.send(to: address) { packet in
            sent = frame.withPayload(index) { payload in
                let length = stream.write(
                    payload, timestamp: frame.timestamp, captured: frame.captured, marker: frame.isLast(index),
                    transportSequence: transportSequence, now: now, into: &packet)
                // Not sealed is not sent, and not counted as sent.
                return length.flatMap { try? srtp?.protectRTP(&packet, length: $0) } ?? 0
            }
            return sent
        }
        return sent
    }

    /// One packet of a VP8 frame, descriptor included; the packets of a frame one after the other.
    /// - Parameter timestamp: 90 kHz of the bridge. `marker`: the last of the frame.
    package func sendVideo(
        packet payload: Span<UInt8>, timestamp: UInt32, captured: Instant, marker: Bool, now: Instant, sink: inout some PeerSink
    ) {
        guard let stream = videoOut else { return }
        if send(payload, on: stream, timestamp: timestamp, captured: captured, marker: marker, now: now, sink: &sink), marker {
            statistics.videoFramesSent &+= 1
        }
    }

    func send(
        _ payload: Span<UInt8>, on stream: OutgoingStream, redundancy: (type: UInt8, inner: UInt8)? = nil, timestamp: UInt32,
        captured: Instant, marker: Bool, now: Instant, sink: inout some PeerSink
    ) -> Bool {
        guard let address = ice.address, srtp != nil else {
            drops.count(.sendNotConnected)
            return false
        }
        var sent = 0
        let number = stream.hasTransportSequence ? sentPackets.send(bytes: payload.count + stream.headerLength, now: now) : 0
        if paces { pacing.spend(bytes: payload.count + stream.headerLength + SentPackets.overhead) }
        sink.send(to: address) { packet in
            guard
                let length = stream.write(
                    payload, timestamp: timestamp, captured: captured, marker: marker, transportSequence: number, now: now, into: &packet)
            else { return 0 }
            if let redundancy { stream.setPayloadTypes(redundancy.type, inner: redundancy.inner, in: &packet) }
            // Not sealed is not sent, and not counted as sent.
            sent = (try? srtp?.protectRTP(&packet, length: length)) ?? 0
            return sent
        }
        guard sent > 0 else { return false }
        statistics.packetsSent &+= 1
        statistics.bytesSent &+= UInt64(sent)
        return true
    }
}
