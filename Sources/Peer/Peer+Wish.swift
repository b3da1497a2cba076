import Base
import RTP
import SDP

/// Whether the peer's camera is wanted. A sender that no view shows is asked to stop by a limit (REMB) of what no picture fits in: browsers go down to
/// their least, the headless endpoint stops. Said again with each report while it lasts, and a few times more when it ends, since one may get lost.
struct VideoWish {
    /// Room for sound and for the least that a browser sends of a picture.
    static let pausedBitsPerSecond = 60_000
    private static let repeats = 3
    private(set) var isWanted = true
    private var left = 0

    mutating func set(_ wanted: Bool) -> Bool {
        guard wanted != isWanted else { return false }
        (isWanted, left) = (wanted, wanted ? Self.repeats : 0)
        return true
    }

    /// What a report says.
    /// - Parameters:
    ///   - usual: what it would say otherwise.
    ///   - most: the limit that ends the pause where there is no usual one.
    mutating func limit(usual: Int?, most: Int) -> Int? {
        guard isWanted else { return Self.pausedBitsPerSecond }
        guard left > 0 else { return usual }
        left -= 1
        return usual ?? most
    }
}

extension Peer {
    /// Whether what the peer asked for by REMB leaves no room for a picture: `setVideoWanted(false)` on the other side.
    package var isAskedToPauseVideo: Bool {
        statistics.estimatedBitsPerSecond.map { $0 <= VideoWish.pausedBitsPerSecond * 17 / 16 } ?? false
    }

    /// Tells the peer whether anybody sees its camera.
    package func setVideoWanted(_ wanted: Bool, now: Instant, sink: inout some PeerSink) {
        guard wish.set(wanted), takesEstimates else { return }
        let limit = wanted ? configuration.receiveCap : VideoWish.pausedBitsPerSecond
        let sender = ownSSRC
        sendRTCP(sink: &sink) { writer, packet in
            ReceiverEstimate.write(sender: sender, bitsPerSecond: limit, media: videoSources, with: &writer, to: &packet)
        }
    }

    /// Tells the peer to send half of what it was told before: it sends more than it may.
    package func lowerVideo(now: Instant, sink: inout some PeerSink) {
        limits.lower()
        guard takesEstimates, wish.isWanted else { return }
        let (sender, limit) = (ownSSRC, limits.bitsPerSecond)
        sendRTCP(sink: &sink) { writer, packet in
            ReceiverEstimate.write(sender: sender, bitsPerSecond: limit, media: videoSources, with: &writer, to: &packet)
        }
    }

    /// REMB was negotiated and there is a picture to speak of.
    var takesEstimates: Bool {
        guard let video = configuration.negotiated.video?.stream, video.receives else { return false }
        return video.feedback.contains(.remb) && incoming.contains { if case .video = $0.kind { true } else { false } }
    }
}
