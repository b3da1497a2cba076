import Foundation

/// Who speaks and what comes in changes often where many are in. Those who do not lead the meeting are told of so many a second, in turn, each with what is true
/// by then; whom it concerns at once, the speaker, is told by an event of its own.
package struct ActivityQueue: Sendable {
    /// Participants that a second tells of.
    package static let mostAtOnce = 2

    /// What was told last, of those whose activity has changed since.
    private var told: [UUID: Participant] = [:]
    private var order: [UUID] = []
    package init() {}
    package var count: Int { order.count }

    /// - Parameter before: what others know of it.
    package mutating func note(_ before: Participant) {
        guard told[before.id] == nil else { return }
        told[before.id] = before
        order.append(before.id)
    }

    /// It has left, or everybody was told of it as it is.
    package mutating func forget(_ id: UUID) {
        guard told.removeValue(forKey: id) != nil else { return }
        order.removeAll { $0 == id }
    }

    /// - Parameter present: a participant as it is; nil where it has left.
    /// - Returns: of whom to tell now; who is again as was told is left out and costs nothing.
    package mutating func take(_ present: (UUID) -> Participant?) -> [Participant] {
        var taken: [Participant] = []
        var gone = 0
        for id in order {
            guard taken.count < Self.mostAtOnce else { break }
            gone += 1
            guard let before = told.removeValue(forKey: id), let now = present(id), !now.differsInFiguresAlone(from: before) else {
                continue
            }
            taken.append(now)
        }
        order.removeFirst(gone)
        return taken
    }
}
