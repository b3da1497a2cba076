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

    private func participant(_ user: UUID, kind: ParticipantKind = .participant) -> Participant {
        Participant(id: UUID(), name: "Lai Châu", site: nil, role: .participant, kind: kind, joinedAt: now, user: user)
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
        for command in [MeetingCommand.end, .change(lock), .change(layout), .mute(other.id, true), .remove(other.id)] {
            #expect(throws: MeetingRefusal.self) { try state.apply(command, by: guest, at: now) }
        }
        #expect(state.participants.count == 1)
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

    @Test func `network staff may watch but not send`() throws {
        var state = try running()
        let staff = Authority.user(id: UUID(), role: .network)
        #expect(throws: MeetingRefusal.notAllowed(.joinWithMedia)) { try state.apply(.join(participant(UUID())), by: staff, at: now) }
        _ = try state.apply(.join(participant(UUID(), kind: .viewer)), by: staff, at: now)
        #expect(state.participants.count == 1)
    }

    @Test func `the end lets go of everybody, and a speaker who leaves speaks no more`() throws {
        var state = try running()
        let (one, two) = (participant(`operator`), participant(UUID()))
        for somebody in [one, two] { _ = try state.apply(.join(somebody), by: .system, at: now) }
        _ = try state.apply(.speaker(one.id), by: .system, at: now)
        #expect(
            try state.apply(.left(one.id, reason: "consentLost"), by: .system, at: now) == [
                .speakerChanged(nil), .participantLeft(one.id, reason: "consentLost"),
            ])
        _ = try state.apply(.end, by: secretary, at: now)
        #expect(state.participants.isEmpty)
    }
}

struct ChangeLogTests {
    @Test(arguments: [0, 5, 99, 100])
    func `what was missed is handed out without a hole, or not at all`(missed: Int) {
        var log = ChangeLog(startingAfter: 1_000, capacity: 100)
        for index in 0..<250 { _ = log.append(.notice("\(index)")) }
        let changes = log.changes(after: log.sequence - missed)
        #expect(changes?.map(\.sequence) == Array((log.sequence - missed + 1)..<(log.sequence + 1)))
    }

    @Test func `numbers that are too old or were never given out get a snapshot`() {
        var log = ChangeLog(startingAfter: 1_000, capacity: 100)
        for index in 0..<250 { _ = log.append(.notice("\(index)")) }
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
