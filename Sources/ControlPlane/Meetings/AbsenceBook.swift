import Base
import Formats
import Foundation
import Meetings

/// When somebody with a seat was away, as it is written down.
struct SeatAbsence: Sendable, Equatable {
    var meeting: UUID
    var participant: UUID
    var name: String
    var site: String?
    var absence: Absence
    /// It came back; otherwise it left without.
    var isBack: Bool

    /// For people and for programs: two times of RFC 3339 with a solidus between them (ISO 8601), then who.
    var detail: String {
        let who = site.map { "\(name) (\($0))" } ?? name
        return "\(Timestamps.text(absence.from))/\(Timestamps.text(absence.to)) \(isBack ? "back" : "left") \(meeting.text) \(who)"
    }
}

/// Who is away, and absences that ended and are not written down yet.
struct AbsenceBook: Sendable {
    /// More than a store that is gone for minutes leaves waiting; of more the oldest are lost.
    static let mostEnded = 2_000

    private var open: [UUID: SeatAbsence] = [:]
    private var ended: [SeatAbsence] = []

    /// Somebody as it is now.
    mutating func follow(_ participant: Participant, meeting: UUID) {
        if let since = participant.awaySince {
            guard open[participant.id] == nil else { return }
            open[participant.id] = SeatAbsence(
                meeting: meeting, participant: participant.id, name: participant.name, site: participant.site?.code,
                absence: Absence(from: since, to: since), isBack: true)
        } else if var one = open.removeValue(forKey: participant.id), let absence = participant.absences.last,
            absence.from == one.absence.from
        {
            one.absence = absence
            add(one)
        }
    }

    /// - Parameter now: asked only where it was away.
    mutating func left(_ id: UUID, at now: () -> Date) {
        guard var one = open.removeValue(forKey: id) else { return }
        (one.absence.to, one.isBack) = (max(one.absence.from, now()), false)
        if one.absence.to.timeIntervalSince(one.absence.from) >= Absence.least { add(one) }
    }

    mutating func takeEnded() -> [SeatAbsence] {
        defer { ended = [] }
        return ended
    }

    private mutating func add(_ one: SeatAbsence) {
        if ended.count == Self.mostEnded { ended.removeFirst() }
        ended.append(one)
    }
}
