import Base
import RTP

/// Which pictures of which tier one receiver is sent. Another tier begins with its key frame, and whatever the order in which the tiers of one beat come out
/// of their encoders, the receiver gets one picture of that beat at most: a receiver that assembles by timestamp takes two for one (RFC 3550 §5.1).
struct PictureGate {
    /// What becomes of a picture.
    enum Verdict { case passes, begins, stays, asks }

    /// The tier that is sent, 0 high … 2 low; nil before the first key frame, and while that of another tier is due.
    private(set) var tier: Int?
    /// The tier that should be sent.
    var wanted: Int
    /// The moment of the last picture that passed.
    private var last: Instant?

    init(wanted: Int) { self.wanted = wanted }

    /// - Parameters:
    ///   - keys: a bit for each tier that has a key frame in this beat.
    ///   - captured: the beat.
    /// - Returns: `passes` or, where another tier begins here, `begins`: it is sent. `stays`: it is not. `asks`: neither, and the wanted tier needs a key frame.
    mutating func admit(tier offered: Int, isKey: Bool, keys: Int, captured: Instant) -> Verdict {
        guard captured > last ?? .start else {
            // The wanted tier's key frame came by itself, behind the old tier's picture of the same beat.
            return isKey && offered == wanted && tier != offered ? .asks : .stays
        }
        if offered == wanted, isKey, tier != offered {
            (tier, last) = (offered, captured)
            return .begins
        }
        guard tier == offered else {
            // A key frame that was due did not come.
            return tier == nil && offered == wanted ? .asks : .stays
        }
        if offered != wanted, keys & 1 << wanted != 0 {
            tier = nil
            return .stays
        }
        last = captured
        return .passes
    }
}
