import Base
import Foundation
import Meetings
import Records
import Store
import Testing

@testable import ControlPlane

/// A room over a store that can be held, with a clock that goes on at every look.
struct RoomTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let secretary = UserRecord(
        id: UUID(), username: "thuky", name: "Thư ký", role: .secretary, organisation: "", passwordHash: "", createdAt: .distantPast)
    private let store: HeldStore
    private let media = RecordingMedia()
    private let meeting: Meeting

    init() throws {
        store = try HeldStore(now: start)
        meeting = Meeting(
            id: UUID(), title: "Giao ban", startsAt: start, durationMinutes: 60, layout: .grid, capacity: 50, createdBy: secretary.id,
            createdAt: start)
    }

    private var chair: Authority { .user(id: secretary.id, role: .secretary) }

    private func runningRoom() async throws -> Room {
        try await store.records.insert(secretary)
        try await store.records.insert(meeting)
        let clock = Clock(start: start)
        let room = Room(meeting, store: store.records, media: media, now: { clock.next() })
        try await room.perform(.start, by: chair)
        return room
    }

    private func person() -> UserRecord {
        UserRecord(id: UUID(), username: "", name: "Lai Châu", role: .operator, organisation: "", passwordHash: "", createdAt: start)
    }

    private func join(_ room: Room, _ user: UserRecord) async throws -> UUID {
        let login = SessionRecord(
            tokenHash: Array(user.id.text.utf8), user: user.id, createdAt: start, expiresAt: .distantFuture, address: "")
        let session = UUID()
        _ = try await room.join(
            Room.Join(session: session, name: user.name, site: nil, offer: "", user: user, rule: .usual, login: login))
        return session
    }

    private func capacity(_ seats: Int) -> MeetingChanges {
        var changes = MeetingChanges()
        changes.capacity = seats
        return changes
    }

    @Test func `who joins while a lowered capacity is being stored is in, and the meeting goes on and ends`() async throws {
        let room = try await runningRoom()
        for _ in 0..<5 { _ = try await join(room, person()) }
        store.hold()
        let change = Task { try await room.perform(.change(capacity(5)), by: chair) }
        await store.someWriteWaits()
        let late = try await join(room, person())
        store.release()
        _ = try await change.value
        #expect(await room.participant(late) != nil)
        #expect(await room.meeting == store.writes.last)
        try await room.perform(.change(capacity(9)), by: chair)
        try await room.perform(.end, by: chair)
        let stored = try await store.records.meeting(meeting.id)
        #expect(stored?.phase == .ended && stored?.version == 5)
        #expect(await room.meeting == store.writes.last)
    }

    @Test func `the end is at one moment, in the store and in the room`() async throws {
        let room = try await runningRoom()
        _ = try await join(room, person())
        try await room.perform(.end, by: chair)
        #expect(await room.meeting.endedAt == store.writes.last?.endedAt)
        #expect(await room.participantCount == 0)
        #expect(media.calls.contains(.end(meeting.id)))
    }

    @Test func `whoever joins while the end, a removal or a mute is being stored is reached by it`() async throws {
        let room = try await runningRoom()
        let user = person()
        let first = try await join(room, user)
        await room.report(.connected(first))
        store.hold()
        let mute = Task { try await room.perform(.mute(first, true), by: chair) }
        await store.someWriteWaits()
        let second = try await join(room, user)
        await room.report(.connected(second))
        store.release()
        _ = try await mute.value
        #expect(await room.participant(second)?.isMutedByChair == true)
        #expect(media.calls.last { $0 == .muted(second, true) || $0 == .muted(second, false) } == .muted(second, true))
        store.hold()
        let removal = Task { try await room.perform(.remove(first), by: chair) }
        await store.someWriteWaits()
        let third = try await join(room, user)
        store.release()
        _ = try await removal.value
        #expect(await room.participantCount == 0)
        for id in [first, second, third] { #expect(media.calls.contains(.leave(id))) }
        store.hold()
        let end = Task { try await room.perform(.end, by: chair) }
        await store.someWriteWaits()
        _ = try await join(room, person())
        store.release()
        _ = try await end.value
        #expect(await room.participantCount == 0)
        #expect(try await store.records.meeting(meeting.id)?.phase == .ended)
    }

    @Test func `orders that come at once are decided one after the other, and each is stored`() async throws {
        let room = try await runningRoom()
        store.hold()
        let orders = (10..<20).map { seats in Task { try await room.perform(.change(capacity(seats)), by: chair) } }
        await store.someWriteWaits()
        // What media reports waits for no store.
        let user = person()
        let id = try await join(room, user)
        await room.report(.connected(id))
        #expect(await room.participant(id)?.media.isConnected == true)
        store.release()
        for order in orders { _ = try await order.value }
        #expect(store.writes.map(\.version) == Array(2...12))
        #expect(await room.meeting == store.writes.last)
    }

    @Test func `what cannot be stored is refused and changes nothing, and the next order is taken`() async throws {
        let room = try await runningRoom()
        let before = await room.meeting
        store.refuseNext(with: .full)
        await #expect(throws: Problem.self) { try await room.perform(.end, by: chair) }
        #expect(await room.meeting == before)
        #expect(!media.calls.contains(.end(meeting.id)))
        try await room.perform(.end, by: chair)
        #expect(await room.meeting.phase == .ended)
    }
}

extension RoomTests {
    @Test func `an order whose answer from the store was lost is answered as not done, and the room goes on from what is stored`()
        async throws
    {
        let room = try await runningRoom()
        let id = try await join(room, person())
        store.refuseNext(with: .failed(code: "0", message: "the connection was cut"), isWrittenAllTheSame: true)
        await #expect(throws: Problem.self) { try await room.perform(.mute(id, true), by: chair) }
        #expect(await room.participant(id)?.isMuted == false)
        try await room.perform(.change(capacity(9)), by: chair)
        #expect(await room.participant(id)?.isMutedByChair == true)
        #expect(media.calls.contains(.muted(id, true)))
        #expect(try await store.records.meeting(meeting.id) == room.meeting)
    }

    @Test(arguments: [true, false])
    func `what became of an order without an answer is looked up without a further order`(isWritten: Bool) async throws {
        let room = try await runningRoom()
        let id = try await join(room, person())
        store.refuseNext(with: .uncertain, isWrittenAllTheSame: isWritten)
        let refusal = await #expect(throws: Problem.self) { try await room.perform(.mute(id, true), by: chair) }
        #expect(refusal?.type == .storeUncertain)
        await room.lookAgain(isTold: false)
        #expect(await room.participant(id)?.isMutedByChair == isWritten)
        #expect(try await store.records.meeting(meeting.id) == room.meeting)
    }

    @Test func `of two changes that name the same version one is made, also while the first is being stored`() async throws {
        let room = try await runningRoom()
        let tag = await room.meeting.etag
        store.hold()
        let answers = (1...2).map { number in
            Task {
                do throws(Problem) {
                    try await room.perform(.change(capacity(number)), by: chair, ifMatch: [tag])
                    return "done"
                } catch { return error.type.rawValue }
            }
        }
        await store.someWriteWaits()
        // The other one has looked at the version before, or waits for its turn.
        for _ in 0..<100 { await Task.yield() }
        store.release()
        var found: [String] = []
        for answer in answers { found.append(await answer.value) }
        #expect(found.sorted() == ["done", "stale"])
        #expect(store.writes.count == 2)  // the start, and one change
    }

    @Test func `a change that names a version is not made on what another process has stored since`() async throws {
        let room = try await runningRoom()
        var other = await room.meeting
        other.title = "Tên khác"
        other.version += 1
        try await store.records.update(other, from: 2)
        let tag = await room.meeting.etag
        let refusal = await #expect(throws: Problem.self) { try await room.perform(.change(capacity(9)), by: chair, ifMatch: [tag]) }
        #expect(refusal?.type == .stale && refusal?.arguments == ["\"3\""])
        #expect(await room.meeting == other)
        try await room.perform(.change(capacity(9)), by: chair, ifMatch: ["\"3\""])
        #expect(try await store.records.meeting(meeting.id)?.capacity == 9)
    }

    @Test func `a meeting that is being started is not deleted`() async throws {
        try await store.records.insert(secretary)
        try await store.records.insert(meeting)
        let room = Room(meeting, store: store.records, media: media, now: { [start] in start })
        store.hold()
        let starting = Task { try await room.perform(.start, by: chair) }
        await store.someWriteWaits()
        let note = AuditEntry(id: UUID(), at: start, actor: nil, actorName: "", action: "meeting.delete")
        let deleting = Task { try await room.delete(ifMatch: nil, noting: note) }
        for _ in 0..<100 { await Task.yield() }
        store.release()
        _ = try await starting.value
        await #expect(throws: Problem.self) { try await deleting.value }
        #expect(try await store.records.meeting(meeting.id)?.phase == .running)
    }

    @Test func `what another process stored is taken when the store tells of it`() async throws {
        let room = try await runningRoom()
        let id = try await join(room, person())
        var ended = await room.meeting
        ended.evolve(.ended(at: start))
        try await store.records.update(ended, from: 2)
        await room.lookAgain(isTold: true)
        #expect(await room.meeting == ended)
        #expect(media.calls.contains(.end(meeting.id)) && media.calls.contains(.leave(id)))
    }

    @Test func `what another program stored is taken, and an order that it made pointless is refused for its own reason`() async throws {
        let room = try await runningRoom()
        let id = try await join(room, person())
        var ended = await room.meeting
        ended.evolve(.ended(at: start))
        try await store.records.update(ended, from: 2)
        let refusal = await #expect(throws: Problem.self) { try await room.perform(.change(capacity(9)), by: chair) }
        #expect(refusal?.type == .ended)
        #expect(await room.participant(id) == nil)
        #expect(await room.meeting == ended)
        #expect(media.calls.contains(.end(meeting.id)) && media.calls.contains(.leave(id)))
    }
}

/// A clock that is a second and a bit later at every look.
final class Clock: Sendable {
    private let looks = Guarded(0)
    private let start: Date
    init(start: Date) { self.start = start }

    func next() -> Date {
        let look = looks.withLock { looks in
            looks += 1
            return looks
        }
        return start.addingTimeInterval(Double(look) * 1.000_250_5)
    }
}
