import Foundation
import Testing

@testable import Meetings

/// Somebody whose line is lost, and who comes back.
struct SeatKeptTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let user = UUID()
    private var presence = Presence()

    private func participant(_ name: String = "Lai Châu", user: UUID? = nil, site: String? = nil) -> Participant {
        Participant(
            id: UUID(), name: name, site: site.map { Site(code: $0, name: $0) }, role: .participant, kind: .participant, joinedAt: now,
            user: user ?? self.user)
    }

    private mutating func join(_ one: Participant) {
        _ = presence.take(.joined(one))
        _ = presence.take(.connected(one.id))
    }

    @Test mutating func `who falls silent is interrupted, and what was measured of it is forgotten with its session`() throws {
        let one = participant()
        join(one)
        #expect(presence.participant(one.id)?.state == .connected)
        let told = presence.take(.away(one.id, since: now, isUnseated: false))
        let away = try #require(presence.participant(one.id))
        #expect(told == [.participantChanged(away)] && away.state == .interrupted && away.media.isConnected)
        #expect(presence.take(.away(one.id, since: now + 9, isUnseated: false)).isEmpty, "it was so before")
        _ = presence.take(.away(one.id, since: now + 28, isUnseated: true))
        #expect(presence.participant(one.id)?.awaySince == now && presence.participant(one.id)?.media == ParticipantMedia())
        #expect(presence.count == 1)
    }

    @Test mutating func `an absence is an interval, and a hiccup is none`() {
        let one = participant()
        join(one)
        for (from, to) in [(0.0, 3.0), (10, 18.5), (60, 65)] {
            _ = presence.take(.away(one.id, since: now + from, isUnseated: false))
            _ = presence.take(.back(one.id, at: now + to))
        }
        #expect(presence.participant(one.id)?.state == .connected)
        #expect(presence.participant(one.id)?.absences == [Absence(from: now + 10, to: now + 18.5), Absence(from: now + 60, to: now + 65)])
        for number in 0..<100 {
            _ = presence.take(.away(one.id, since: now + Double(100 * number), isUnseated: false))
            _ = presence.take(.back(one.id, at: now + Double(100 * number + 50)))
        }
        #expect(presence.participant(one.id)?.absences.count == Absence.mostRemembered)
        #expect(presence.participant(one.id)?.absences.last?.to == now + 9_950)
    }

    @Test mutating func `a clock that goes back makes no absence that ends before it begins`() {
        let one = participant()
        join(one)
        _ = presence.take(.away(one.id, since: now, isUnseated: false))
        _ = presence.take(.back(one.id, at: now - 60))
        #expect(presence.participant(one.id)?.absences == [] && presence.participant(one.id)?.state == .connected)
    }

    @Test mutating func `who comes back has everything as it was but the session, and the old session is nobody's`() throws {
        var one = participant()
        one.isMuted = true
        join(one)
        _ = presence.take(.cameraOff(one.id, true, byChair: true))
        _ = presence.take(.away(one.id, since: now, isUnseated: true))
        let session = UUID()
        _ = presence.take(.reseated(one.id, session: session, .participant, .participant))
        let back = try #require(presence.participant(one.id))
        #expect(back.isMuted && back.isCameraOffByChair && back.name == one.name && back.joinedAt == one.joinedAt)
        #expect(back.state == .interrupted, "until it is connected")
        #expect(presence.seat(of: session) == one.id && presence.seat(of: one.id) == nil)
        _ = presence.take(.back(one.id, at: now + 40))
        _ = presence.take(.connected(one.id))
        #expect(presence.participant(one.id)?.state == .connected)
        _ = presence.take(.left(one.id, reason: "left"))
        #expect(presence.seat(of: session) == nil && presence.count == 0)
    }

    @Test mutating func `a seat is found by the session that held it, or by login, name and site, and never by another login`() {
        let (one, other) = (participant(site: "12"), participant("Sơn La", user: UUID()))
        join(one)
        join(other)
        func found(_ user: UUID, held: UUID? = nil, _ name: String, site: String? = nil) -> UUID? {
            presence.seatToTake(by: user, held: held, name: name, site: site.map { Site(code: $0, name: $0) })?.id
        }
        #expect(found(user, held: one.id, "") == one.id, "the client knows that its line is lost, whatever the server has noticed")
        #expect(found(other.user, held: one.id, one.name, site: "12") == nil)
        #expect(found(user, one.name, site: "12") == nil, "somebody sits there")
        _ = presence.take(.away(one.id, since: now, isUnseated: false))
        #expect(found(user, one.name, site: "12") == one.id)
        #expect(found(user, one.name) == nil && found(user, "Khác", site: "12") == nil && found(other.user, one.name, site: "12") == nil)
        // Two that both believe to hold it do not take it from each other for ever.
        let session = UUID()
        _ = presence.take(.reseated(one.id, session: session, .participant, .participant))
        #expect(found(user, held: one.id, one.name, site: "12") == nil && found(user, held: session, "") == one.id)
    }

    @Test mutating func `a seat is kept for two minutes after the last sign, and only one whose session ended is given up`() {
        let (silent, unseated) = (participant(), participant("Sơn La", user: UUID()))
        join(silent)
        join(unseated)
        _ = presence.take(.away(silent.id, since: now, isUnseated: false))
        _ = presence.take(.away(unseated.id, since: now, isUnseated: false))
        _ = presence.take(.away(unseated.id, since: now + 28, isUnseated: true))
        #expect(presence.overdue(at: now + 119) == [] && presence.overdue(at: now + 120) == [unseated.id])
    }

    @Test func `neither a lock nor a full meeting keeps out who comes back, but the end and a removal do`() throws {
        var state = MeetingState(
            Meeting(id: UUID(), title: "Giao ban", startsAt: now, durationMinutes: 60, capacity: 1, createdBy: UUID(), createdAt: now))
        let (chair, guest) = (Authority.user(id: UUID(), role: .secretary), Authority.user(id: user, role: .operator))
        _ = try state.apply(.start, by: chair, at: now)
        let one = participant()
        _ = try state.apply(.join(one), by: guest, at: now)
        var lock = MeetingChanges()
        lock.isLocked = true
        _ = try state.apply(.change(lock), by: chair, at: now)
        try state.mayReturn(as: .participant, by: guest)
        _ = try state.apply(.remove(one.id), by: chair, at: now)
        #expect(throws: MeetingRefusal.keptOut) { try state.mayReturn(as: .participant, by: guest) }
        _ = try state.apply(.end, by: chair, at: now)
        #expect(throws: MeetingRefusal.notRunning(.ended)) { try state.mayReturn(as: .participant, by: chair) }
    }
}
