import Base
import Foundation
import TestSupport
import Testing

@testable import Meetings

struct EventTests {
    private let user = UUID(uuidString: "0191A2B3-0000-7000-8000-000000000001") ?? UUID()
    private let moment = Date(timeIntervalSince1970: 1_800_000_000.125)

    private var creation: MeetingCreation {
        MeetingCreation(
            title: "Giao ban", startsAt: moment, durationMinutes: 90, layout: .grid, isLocked: true, capacity: 63, createdBy: user,
            createdAt: moment)
    }

    private var changes: MeetingChanges {
        var changes = MeetingChanges()
        changes.title = "Giao ban quý III"
        changes.isLocked = false
        return changes
    }

    /// What is in databases is read for ever: these texts may not change.
    private var texts: [(event: Event, text: String)] {
        let id = user.uuidString
        return [
            (
                .created(creation),
                #"{"capacity":63,"createdAt":1800000000125,"createdBy":"\#(id)","durationMinutes":90,"event":"meeting.created","layout":"grid","locked":true,"startsAt":1800000000125,"title":"Giao ban"}"#
            ),
            (.started, #"{"event":"meeting.started"}"#),
            (.ended(at: moment), #"{"at":1800000000125,"event":"meeting.ended"}"#),
            (.changed(changes), #"{"event":"meeting.changed","locked":false,"title":"Giao ban quý III"}"#),
            (.personMuted(user, true), #"{"event":"person.muted","user":"\#(id)"}"#),
            (.personMuted(user, false), #"{"event":"person.unmuted","user":"\#(id)"}"#),
            (.personHidden(user, true), #"{"event":"person.hidden","user":"\#(id)"}"#),
            (.personHidden(user, false), #"{"event":"person.shown","user":"\#(id)"}"#),
            (.personRemoved(user, name: "Lai Châu"), #"{"event":"person.removed","name":"Lai Châu","user":"\#(id)"}"#),
            (.personReadmitted(user), #"{"event":"person.readmitted","user":"\#(id)"}"#),
        ]
    }

    @Test func `each event is written as it always was, and read again`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for (event, text) in texts {
            #expect(String(decoding: try encoder.encode(event), as: UTF8.self) == text)
            #expect(try JSONDecoder().decode(Event.self, from: Data(text.utf8)) == event)
        }
    }

    @Test(arguments: [#"{"event":"meeting.adjourned"}"#, #"{"event":"meeting.ended"}"#, #"{"event":"person.muted","user":"me"}"#, "{}"])
    func `an event that is not known, or not whole, is refused`(text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Event.self, from: Data(text.utf8)) }
    }

    @Test func `without its creation there is no meeting`() {
        #expect(Meeting(id: user, events: []) == nil)
        #expect(Meeting(id: user, events: [Event.started]) == nil)
        #expect(Meeting(id: user, events: [.created(creation), .started])?.phase == .running)
    }

    /// What a seeded person orders of a meeting in which a few come and go.
    private struct Crowd {
        var random: SeededGenerator
        let chair = UUID()
        let people = (0..<4).map { _ in UUID() }

        mutating func authority() -> Authority {
            Int.random(in: 0..<3, using: &random) == 0
                ? .user(id: people.randomElement(using: &random) ?? chair, role: .operator) : .user(id: chair, role: .secretary)
        }

        mutating func order(_ state: MeetingState, by authority: Authority, at now: Date) -> Order {
            let target = state.presence.participants.randomElement(using: &random)?.id ?? UUID()
            var changes = MeetingChanges()
            switch Int.random(in: 0..<12, using: &random) {
            case 0: return .start
            case 1: return Int.random(in: 0..<100, using: &random) == 0 ? .end : .start
            case 2: return .readmit(people.randomElement(using: &random) ?? chair)
            case 3:
                changes.capacity = Int.random(in: 1...8, using: &random)
                changes.title = Bool.random(using: &random) ? "A" : nil
                return .change(changes)
            case 4:
                changes.isLocked = Bool.random(using: &random)
                return .change(changes)
            case 5: return .mute(target, Bool.random(using: &random))
            case 6: return .camera(target, shown: Bool.random(using: &random))
            case 7: return .remove(target)
            default: return .join(guest(authority, at: now), .usual)
            }
        }

        mutating func guest(_ authority: Authority, at now: Date) -> Participant {
            guard case .user(let id, let role) = authority else { return guest(.user(id: chair, role: .secretary), at: now) }
            var guest = Participant(
                id: UUID(), name: "Điểm", site: nil, role: Permissions.meetingRole(for: role, kind: .participant), kind: .participant,
                joinedAt: now, user: id)
            guest.isPersonal = role == .operator
            guest.media.isConnected = Bool.random(using: &random)
            return guest
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `whatever is ordered, the events alone make the meeting again, written and read`(seed: UInt64) throws {
        var crowd = Crowd(random: SeededGenerator(seed: seed))
        var events: [Event] = [.created(creation)]
        var state = MeetingState(Meeting(id: user, creation))
        for step in 0..<400 {
            let now = moment.addingTimeInterval(Double(step))
            let authority = crowd.authority()
            guard let decision = try? state.decide(crowd.order(state, by: authority, at: now), by: authority, at: now) else { continue }
            events += decision.events
            _ = state.carryOut(decision)
        }
        let read = try JSONDecoder().decode([Event].self, from: JSONEncoder().encode(events))
        #expect(Meeting(id: user, events: read) == state.meeting)
        #expect(state.meeting.version == events.count && (events.count > 10 || state.meeting.phase == .ended))
    }

    /// The store is awaited between deciding and carrying out, and people come, go and are measured meanwhile.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `whatever happens while an order is stored, what was stored is what is, and reaches everybody`(seed: UInt64) throws {
        var crowd = Crowd(random: SeededGenerator(seed: seed))
        var open = creation
        (open.isLocked, open.capacity) = (false, 8)
        var state = MeetingState(Meeting(id: user, open))
        for step in 0..<400 {
            let now = moment.addingTimeInterval(Double(step))
            let authority = crowd.authority()
            guard let decision = try? state.decide(crowd.order(state, by: authority, at: now), by: authority, at: now) else { continue }
            var stored = state.meeting
            for event in decision.events { stored.evolve(event) }
            for _ in 0..<Int.random(in: 0..<4, using: &crowd.random) {
                let other = crowd.authority()
                if let own = try? state.decide(.join(crowd.guest(other, at: now), .usual), by: other, at: now) { _ = state.carryOut(own) }
                if Bool.random(using: &crowd.random), let gone = state.presence.participants.randomElement(using: &crowd.random) {
                    _ = state.take(.left(gone.id, reason: "consentLost"))
                }
            }
            _ = state.carryOut(decision)
            #expect(state.meeting == stored)
            let kept = state.meeting.restrictions
            for person in state.presence.participants where person.isPerson {
                #expect(kept.removed[person.user] == nil && state.meeting.phase == .running)
                #expect(!kept.muted.contains(person.user) || person.isMuted && person.isMutedByChair)
                #expect(!kept.hidden.contains(person.user) || person.isCameraOff && person.isCameraOffByChair)
            }
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `the events between two versions lead from one to the other`(seed: UInt64) throws {
        var crowd = Crowd(random: SeededGenerator(seed: seed))
        var state = MeetingState(Meeting(id: user, creation))
        var seen = state
        for step in 0..<200 {
            let now = moment.addingTimeInterval(Double(step))
            let authority = crowd.authority()
            if let decision = try? state.decide(crowd.order(state, by: authority, at: now), by: authority, at: now) {
                _ = state.carryOut(decision)
            }
            guard Int.random(in: 0..<5, using: &crowd.random) == 0 else { continue }
            var folded = seen.meeting
            for event in folded.events(to: state.meeting) { folded.evolve(event) }
            folded.version = state.meeting.version
            #expect(folded == state.meeting)
            let (events, notices) = seen.catchUp(with: state.meeting)
            #expect(seen.meeting == state.meeting)
            #expect(seen.meeting.events(to: state.meeting).isEmpty && notices.first == .meetingChanged(state.meeting))
            if events.contains(where: { if case .ended = $0 { true } else { false } }) { #expect(notices.last == .meetingEnded) }
        }
    }
}
