import Foundation

/// What a chair has decided about persons, by login: it holds for every session of theirs, those that come later too, until a chair lifts it. Kept with the
/// meeting, so that a restart of the server lifts nothing.
package struct Restrictions: Sendable, Equatable, Codable {
    package var muted: Set<UUID> = []
    package var hidden: Set<UUID> = []
    /// Kept out, and what each was called when it was removed.
    package var removed: [UUID: String] = [:]
    package init() {}
    package var isEmpty: Bool { self == Restrictions() }
}

/// How many media sessions a login may have in a meeting.
package struct SeatRule: Sendable, Equatable {
    /// Of a person or a site: the room, a second screen, and those that a broken line left behind.
    package static let usual = SeatRule(most: 4, mostConnecting: 2, isPersonal: true)
    /// Of who leads meetings and may let anybody in anyway.
    package static let leading = SeatRule(most: .max, mostConnecting: .max, isPersonal: false)
    /// Seats of one who leads that a full meeting makes beyond its capacity; further ones wait like everybody's.
    package static let mostBeyondCapacity = 4

    package var most: Int
    /// That ICE and DTLS have not connected yet.
    package var mostConnecting: Int
    /// The login stands for one person or site. A gateway's sessions are people of their own.
    package var isPersonal: Bool

    package init(most: Int, mostConnecting: Int, isPersonal: Bool) {
        self.most = most
        self.mostConnecting = mostConnecting
        self.isPersonal = isPersonal
    }
}
