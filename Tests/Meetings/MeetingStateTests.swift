import Foundation
import Testing

@testable import Meetings

struct MeetingStateTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let secretary = Authority.user(id: UUID(), role: .secretary)
    private let `operator` = UUID()
    private var guest: Authority { .user(id: `operator`, role: .operator) }

    private func running(capacity: Int = 3) throws -> MeetingState {
        var state = MeetingState(
            Meeting(
                id: UUID(), title: "Giao ban", startsAt: now, durationMinutes: 60, capacity: capacity, createdBy: UUID(), createdAt: now))
        _ = try state.apply(.start, by: secretary, at: now)
        return state
    }

    private func participant(_ user: UUID, kind: ParticipantKind = .participant, role: MeetingRole = .participant) -> Participant {
        Participant(id: UUID(), name: "Lai Châu", site: nil, role: role, kind: kind, joinedAt: now, user: user)
    }

    private func join(_ state: inout MeetingState, _ user: UUID, by authority: Authority, _ rule: SeatRule = .usual) throws -> UUID {
        let one = participant(user)
        _ = try state.apply(.join(one, rule), by: authority, at: now)
        return one.id
    }

    @Test func `a meeting is started, ended, and never begins again`() throws {
        var state = try running()
        #expect(state.meeting.phase == .running && state.meeting.version == 2)
        let events = try state.apply(.end, by: secretary, at: now)
        #expect(events.last == .meetingEnded && state.meeting.endedAt == now)
        #expect(throws: MeetingRefusal.alreadyEnded) { try state.apply(.start, by: secretary, at: now) }
    }

    @Test func `an operator may not start, lock, change the picture or mute others`() throws {
        var state = try running()
        let other = participant(UUID())
        _ = try state.apply(.join(other), by: secretary, at: now)
        var lock = MeetingChanges()
        lock.isLocked = true
        var layout = MeetingChanges()
        layout.layout = .one
        for command in [Order.end, .change(lock), .change(layout), .mute(other.id, true), .remove(other.id)] {
            #expect(throws: MeetingRefusal.self) { try state.apply(command, by: guest, at: now) }
        }
        #expect(state.presence.participants.count == 1)
    }

    @Test func `an operator may mute itself and leave`() throws {
        var state = try running()
        let me = participant(`operator`)
        _ = try state.apply(.join(me), by: guest, at: now)
        #expect(try state.apply(.mute(me.id, true), by: guest, at: now).count == 1)
        #expect(try state.apply(.remove(me.id), by: guest, at: now) == [.participantLeft(me.id, reason: "left")])
    }

    @Test func `a full or locked meeting, or one that does not run, lets nobody in`() throws {
        var state = try running(capacity: 1)
        _ = try state.apply(.join(participant(`operator`)), by: guest, at: now)
        #expect(throws: MeetingRefusal.full(capacity: 1)) { try state.mayJoin(by: guest) }
        var open = try running()
        var lock = MeetingChanges()
        lock.isLocked = true
        _ = try open.apply(.change(lock), by: secretary, at: now)
        #expect(throws: MeetingRefusal.locked) { try open.mayJoin(by: guest) }
        _ = try open.apply(.end, by: secretary, at: now)
        #expect(throws: MeetingRefusal.notRunning(.ended)) { try open.mayJoin(by: guest) }
    }

    @Test(arguments: [UserRole.network, .auditor])
    func `who belongs to no meeting neither sends nor watches`(role: UserRole) throws {
        var state = try running()
        let staff = Authority.user(id: UUID(), role: role)
        for kind in ParticipantKind.allCases {
            #expect(throws: MeetingRefusal.notAllowed(.joinAsViewer)) {
                try state.apply(.join(participant(UUID(), kind: kind)), by: staff, at: now)
            }
        }
        #expect(throws: MeetingRefusal.notAllowed(.joinAsViewer)) { try state.mayJoin(by: staff) }
        #expect(state.presence.participants.isEmpty)
    }

    @Test func `one login gets four seats, two of them unconnected, whatever joins at once`() throws {
        var state = try running(capacity: 200)
        var taken: [UUID] = []
        for _ in 0..<200 {
            guard let id = try? join(&state, `operator`, by: guest) else { continue }
            if taken.count >= 2 { #expect(state.presence.participant(taken[taken.count - 2])?.media.isConnected == true) }
            taken.append(id)
            if taken.count >= 2 { for one in taken { _ = state.take(.connected(one)) } }
        }
        #expect(taken.count == 4 && state.presence.participants.map(\.id) == taken)
        #expect(throws: MeetingRefusal.tooManySessions(most: 4)) { try state.mayJoin(by: guest) }
        _ = try state.apply(.remove(taken[0]), by: guest, at: now)
        let again = try join(&state, `operator`, by: guest)
        #expect(state.presence.sessions(of: `operator`) == taken[1...] + [again])
        // Two that do not connect are enough.
        var other = try running(capacity: 200)
        for _ in 0..<2 { _ = try join(&other, `operator`, by: guest) }
        #expect(throws: MeetingRefusal.tooManyConnecting(retryAfterSeconds: 10)) { try join(&other, `operator`, by: guest) }
        // A gateway brings as many as was configured.
        for _ in 0..<30 { _ = try join(&other, UUID(), by: guest, SeatRule(most: 40, mostConnecting: 40, isPersonal: false)) }
    }

    @Test func `who leads finds a seat in a full meeting, and a seat that nobody reached is given away`() throws {
        var state = try running(capacity: 200)
        for _ in 0..<200 {
            let user = UUID()
            let id = try join(&state, user, by: .user(id: user, role: .operator))
            if id != state.presence.participants.first?.id { _ = state.take(.connected(id)) }
        }
        #expect(throws: MeetingRefusal.full(capacity: 200)) { try state.mayJoin(by: guest) }
        #expect(state.seatToFree(at: now.addingTimeInterval(9), patience: 10) == nil)
        #expect(state.seatToFree(at: now.addingTimeInterval(10), patience: 10) == state.presence.participants.first?.id)
        guard case .user(let chair, _) = secretary else { return }
        _ = try join(&state, chair, by: secretary, .leading)
        #expect(state.presence.count == 201)
    }

    @Test func `who leads finds four seats beyond a full meeting, and does not fill another hall`() throws {
        var state = try running(capacity: 1)
        _ = try join(&state, UUID(), by: guest)
        guard case .user(let chair, _) = secretary else { return }
        for _ in 0..<4 { _ = try join(&state, chair, by: secretary, .leading) }
        #expect(throws: MeetingRefusal.full(capacity: 1)) { try state.mayJoin(by: secretary, .leading) }
        _ = try join(&state, UUID(), by: .user(id: UUID(), role: .admin), .leading)
        // While there are seats it takes as many as it brings.
        var wide = try running(capacity: 60)
        for _ in 0..<60 { _ = try join(&wide, chair, by: secretary, .leading) }
        #expect(wide.presence.count == 60)
    }

    @Test func `what a chair mutes stays muted, for every session of the person, until a chair lifts it`() throws {
        var state = try running(capacity: 9)
        let first = try join(&state, `operator`, by: guest)
        _ = state.take(.connected(first))
        let second = try join(&state, `operator`, by: guest)
        // Its own mute is its own to lift.
        _ = try state.apply(.mute(first, true), by: guest, at: now)
        _ = try state.apply(.mute(first, false), by: guest, at: now)
        _ = try state.apply(.mute(first, true), by: secretary, at: now)
        _ = try state.apply(.camera(second, shown: false), by: secretary, at: now)
        for id in [first, second] {
            #expect(state.presence.participant(id)?.isMutedByChair == true && state.presence.participant(id)?.isCameraOffByChair == true)
            #expect(throws: MeetingRefusal.mutedByChair) { try state.apply(.mute(id, false), by: guest, at: now) }
            #expect(throws: MeetingRefusal.cameraOffByChair) { try state.apply(.camera(id, shown: true), by: guest, at: now) }
        }
        // Leaving and coming back lifts nothing, nor does a restart of the server: it lasts with the meeting.
        for id in [first, second] { _ = try state.apply(.remove(id), by: guest, at: now) }
        var later = MeetingState(state.meeting)
        let third = try join(&later, `operator`, by: guest)
        #expect(later.presence.participant(third)?.isMuted == true && later.presence.participant(third)?.isCameraOff == true)
        #expect(throws: MeetingRefusal.mutedByChair) { try later.apply(.mute(third, false), by: guest, at: now) }
        _ = try later.apply(.mute(third, false), by: secretary, at: now)
        _ = try later.apply(.camera(third, shown: true), by: secretary, at: now)
        #expect(later.presence.participant(third)?.isMuted == false && later.meeting.restrictions.isEmpty)
    }

    @Test func `whom a chair removes stays out until a chair lets it in again`() throws {
        var state = try running(capacity: 9)
        for _ in 0..<2 { _ = try join(&state, `operator`, by: guest) }
        let events = try state.apply(.remove(state.presence.participants[0].id), by: secretary, at: now)
        #expect(events.count { if case .participantLeft(_, "removed") = $0 { true } else { false } } == 2 && events.last == .removedChanged)
        #expect(throws: MeetingRefusal.keptOut) { try join(&state, `operator`, by: guest) }
        #expect(throws: MeetingRefusal.notAllowed(.remove)) { try state.apply(.readmit(`operator`), by: guest, at: now) }
        #expect(state.meeting.restrictions.removed == [`operator`: "Lai Châu"])
        _ = try state.apply(.readmit(`operator`), by: secretary, at: now)
        _ = try join(&state, `operator`, by: guest)
        #expect(state.presence.count == 1 && state.meeting.restrictions.isEmpty)
    }

    @Test func `levels, tiers and figures of lines are for those who lead, everything else is for everybody`() throws {
        var state = try running()
        let id = try join(&state, `operator`, by: guest)
        var media = ParticipantMedia()
        media.isConnected = true
        (media.level, media.isSpeaking) = (-30, true)
        let begun = state.take(.measured(id, media))
        let isForAll = if case .participantChanged = begun.first { true } else { false }
        (media.level, media.tier, media.line.lossUp, media.line.quality) = (-12, "low", 0.2, "poor")
        let figures = state.take(.measured(id, media))
        let isForLeaders = if case .participantMeasured = figures.first { true } else { false }
        #expect(isForAll && isForLeaders && figures.count == 1)
    }

    @Test func `the end lets go of everybody, and a speaker who leaves speaks no more`() throws {
        var state = try running()
        let (one, two) = (participant(`operator`), participant(UUID()))
        for somebody in [one, two] { _ = try state.apply(.join(somebody), by: .system, at: now) }
        _ = state.take(.speaker(one.id))
        #expect(
            state.take(.left(one.id, reason: "consentLost")) == [
                .speakerChanged(nil), .participantLeft(one.id, reason: "consentLost"),
            ])
        _ = try state.apply(.end, by: secretary, at: now)
        #expect(state.presence.participants.isEmpty)
    }
}

struct ChangeLogTests {
    @Test(arguments: [0, 5, 99, 100])
    func `what was missed is handed out without a hole, or not at all`(missed: Int) {
        var log = ChangeLog(startingAfter: 1_000, capacity: 100)
        for index in 0..<250 { _ = log.append(.announced("\(index)")) }
        let changes = log.changes(after: log.sequence - missed)
        #expect(changes?.map(\.sequence) == Array((log.sequence - missed + 1)..<(log.sequence + 1)))
    }

    @Test func `numbers that are too old or were never given out get a snapshot`() {
        var log = ChangeLog(startingAfter: 1_000, capacity: 100)
        for index in 0..<250 { _ = log.append(.announced("\(index)")) }
        #expect(log.changes(after: 1_001) == nil && log.changes(after: 5_000) == nil && log.changes(after: -1) == nil)
    }
}

struct ValidationTests {
    @Test func `names come out in NFC without white space around them`() throws {
        #expect(try Validation.name("  Đắk Lắk \n".decomposedStringWithCanonicalMapping) == "Đắk Lắk")
    }

    @Test(arguments: [
        "", "   ", "a\u{202e}b", "a\nb", "a\u{0}b", String(repeating: "x", count: 81), "e" + String(repeating: "\u{301}", count: 5_000),
    ])
    func `names that are empty, hide something or are too long are refused`(name: String) {
        #expect(throws: ValidationFault.self) { try Validation.name(name) }
    }
}
