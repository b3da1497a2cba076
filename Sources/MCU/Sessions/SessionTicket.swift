import Base
import Foundation
import Peer
import RTP

/// An answered session that nobody has reached yet: all that a worker needs to make its peer.
struct SessionTicket: Sendable {
    var session: UUID
    var participant: Participant
    var bridge: Bridge
    var peer: PeerConfiguration
    /// The ICE user fragment that the answer named.
    var localFragment: String
    var answered: Instant
}
