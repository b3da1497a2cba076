import Base
import Foundation
import MCU
import Meetings
import Records
import Store
import Testing

@testable import ControlPlane

/// A room, a login whose line is lost, and what media is told.
struct SeatKeptTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let clock: SetClock
    private let media = RecordingMedia()
    private let site = UserRecord(
        id: UUID(), username: "laichau", name: "Lai Châu", role: .operator, organisation: "", passwordHash: "", createdAt: .distantPast)
    private let room: Room

    init() async throws {
        let clock = SetClock(start)
        self.clock = clock
        let store = try HeldStore(now: start)
        let meeting = Meeting(
            id: UUID(), title: "Giao ban", startsAt: start, durationMinutes: 60, capacity: 1, createdBy: site.id, createdAt: start)
        try await store.records.insert(meeting)
        room = Room(meeting, store: store.records, media: media, now: { clock.now })
        try await room.perform(.start, by: .system)
    }

    private func pass(_ seconds: TimeInterval) { clock.goOn(seconds) }

    private func join(held: UUID? = nil, name: String? = nil) async throws -> (session: UUID, participant: UUID) {
        let login = SessionRecord(tokenHash: [1], user: site.id, createdAt: start, expiresAt: .distantFuture, address: "")
        let session = UUID()
        let joined = try await room.join(
            Room.Join(session: session, name: name ?? site.name, site: nil, offer: "", user: site, rule: .usual, login: login, held: held))
        return (session, joined.participant)
    }

    private func observe(_ session: UUID, isInterrupted: Bool) async {
        var snapshot = SessionSnapshot(session: session, kind: .participant)
        (snapshot.isConnected, snapshot.isInterrupted, snapshot.roundTripMilliseconds) = (true, isInterrupted, 20)
        await room.observe([snapshot])
    }

    private func state(_ id: UUID) async -> ParticipantState? { await room.participant(id)?.state }

    @Test func `eight seconds of nothing are an interruption with unknown figures, and an absence afterwards`() async throws {
        let one = try await join()
        await room.mediaConnected(one.session)
        await observe(one.session, isInterrupted: false)
        #expect(await room.participant(one.participant)?.media.line.quality == "good")
        pass(3)
        await observe(one.session, isInterrupted: true)
        #expect(await state(one.participant) == .interrupted)
        let line = try #require(await room.participant(one.participant)?.media.line)
        #expect(
            line.quality == "unknown" && line.isSilent
                && line.json.text
                    == #"{"lossUp":null,"lossDown":null,"jitterMs":null,"roundTripMs":null,"quality":"unknown","#
                    + #""jitterDownMs":null,"bitsPerSecond":null}"#
        )
        pass(7)
        await observe(one.session, isInterrupted: false)
        #expect(await state(one.participant) == .connected)
        let absences = await room.takeAbsences()
        #expect(absences.map(\.absence) == [Absence(from: start + 1, to: start + 10)] && absences.first?.isBack == true)
        #expect(absences.first?.detail.hasPrefix("2027-01-15T08:00:01") == true && absences.first?.detail.hasSuffix("Lai Châu") == true)
        #expect(await room.takeAbsences() == [])
    }

    @Test func `a session that lost consent keeps its seat, muted as it was, for the session that comes in its place`() async throws {
        let one = try await join()
        await room.mediaConnected(one.session)
        try await room.perform(.mute(one.participant, true), by: .system)
        await observe(one.session, isInterrupted: true)
        pass(28)
        await room.mediaLeft(one.session, .consentLost)
        #expect(await state(one.participant) == .interrupted)
        pass(60)
        await room.giveUpSeats()
        // The meeting has one seat, and it is this one.
        let again = try await join(held: one.session)
        #expect(again.participant == one.participant && again.session != one.session)
        #expect(await room.participantCount == 1)
        #expect(await state(one.participant) == .interrupted)
        #expect(media.calls.contains(.muted(again.session, true)))
        pass(1)
        await room.mediaConnected(again.session)
        #expect(await state(one.participant) == .connected)
        #expect(await room.takeAbsences().map(\.absence) == [Absence(from: start - 2, to: start + 89)])
        // What media says late of the session before is of nobody.
        await room.mediaLeft(one.session, .left)
        #expect(await room.participantCount == 1)
        try await room.perform(.mute(one.participant, false), by: .system)
        #expect(media.calls.last { if case .muted = $0 { true } else { false } } == .muted(again.session, false))
        try await room.perform(.remove(one.participant), by: .system)
        #expect(media.calls.last == .leave(again.session))
        #expect(await room.participantCount == 0)
    }

    @Test func `a client that knows that its line is lost takes its seat before anybody has noticed`() async throws {
        let one = try await join()
        await room.mediaConnected(one.session)
        let again = try await join(held: one.session)
        #expect(again.participant == one.participant && media.calls.contains(.leave(one.session)))
        #expect(await state(one.participant) == .interrupted)
        // The session that was replaced is not one's own any more: who still names it gets no seat of the present one.
        await #expect(throws: Problem.self) { try await join(held: one.session, name: "Khác") }
    }

    @Test func `after two minutes it has left, and the absence is written down`() async throws {
        let one = try await join()
        await room.mediaConnected(one.session)
        pass(30)
        await room.mediaLeft(one.session, .consentLost)
        pass(89)
        await room.giveUpSeats()
        #expect(await room.participantCount == 1)
        pass(1)
        await room.giveUpSeats()
        #expect(await room.participantCount == 0)
        let absences = await room.takeAbsences()
        #expect(absences.map(\.absence) == [Absence(from: start, to: start + 120)] && absences.first?.isBack == false)
        let later = try await join(held: one.session)
        #expect(later.participant == later.session, "too late: a seat of its own")
    }

    @Test(arguments: [LeaveReason.left, .closedByPeer, .neverConnected, .serverStopping])
    func `who says goodbye, or never came, leaves at once`(reason: LeaveReason) async throws {
        let one = try await join()
        await room.mediaLeft(one.session, reason)
        #expect(await room.participantCount == 0)
    }

    @Test func `one who comes back and is not connected in time still has the rest of the two minutes`() async throws {
        let one = try await join()
        await room.mediaConnected(one.session)
        pass(30)
        await room.mediaLeft(one.session, .consentLost)
        let again = try await join()
        #expect(again.participant == one.participant, "found by login and name")
        pass(30)
        await room.mediaLeft(again.session, .neverConnected)
        #expect(await state(one.participant) == .interrupted)
        pass(60)
        await room.giveUpSeats()
        #expect(await room.participantCount == 0)
    }
}
