import Base
import RTP

/// Which pictures of which stream one receiver is sent. Another stream begins with its key frame, and whatever the order in which the streams of one beat come out
/// of their encoders, the receiver gets one picture of that beat at most: a receiver that assembles by timestamp takes two for one (RFC 3550 §5.1).
struct PictureGate {
    /// What becomes of a picture.
    enum Verdict { case passes, begins, stays, asks }

    /// The stream that is sent; nil before the first key frame, and while that of another stream is due.
    private(set) var stream: PictureStream?
    /// The stream that should be sent.
    var wanted: PictureStream
    /// The moment of the last picture that passed.
    private var last: Instant?

    init(wanted: PictureStream) { self.wanted = wanted }

    /// Nothing more of the present stream.
    mutating func cut() { stream = nil }

    /// - Parameters:
    ///   - keys: the streams that have a key frame in this beat.
    ///   - captured: the beat.
    /// - Returns: `passes` or, where another stream begins here, `begins`: it is sent. `stays`: it is not. `asks`: neither, and the wanted stream needs a key frame.
    mutating func admit(_ offered: PictureStream, isKey: Bool, keys: StreamSet, captured: Instant) -> Verdict {
        guard captured > last ?? .start else {
            // The wanted stream's key frame came by itself, behind the old one's picture of the same beat.
            return isKey && offered == wanted && stream != offered ? .asks : .stays
        }
        if offered == wanted, isKey, stream != offered {
            (stream, last) = (offered, captured)
            return .begins
        }
        guard stream == offered else {
            // A key frame that was due did not come.
            return stream == nil && offered == wanted ? .asks : .stays
        }
        if offered != wanted, keys.contains(wanted) {
            stream = nil
            return .stays
        }
        last = captured
        return .passes
    }
}
