import Base
import Foundation
import Meetings
import Records
import Store
import WebServer

extension ControlPlane {
    /// `GET /meetings`.
    func listMeetings(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (limit, after) = try call.page()
        var phase: MeetingPhase?
        if let text = call.query("state") {
            guard let known = MeetingPhase(rawValue: text) else {
                throw Problem(ValidationFault("state", .notOneOf(MeetingPhase.allCases.map(\.rawValue))))
            }
            phase = known
        }
        let meetings: [Meeting]
        do { meetings = try await store.meetings(phase: phase, limit: limit, after: after) } catch { throw Problem(error) }
        let (base, counts) = (baseURL(call.request), await rooms.participantCounts())
        let values = meetings.map { $0.json(base: base, participants: counts[$0.id] ?? 0) }
        return .list(values, of: call.request.path, limit: limit, last: meetings.last?.id.text)
    }

    /// `POST /meetings`.
    func createMeeting(_ call: Call, _ new: NewMeeting) async throws(Problem) -> HTTPResponse {
        let settings = new.settings
        let caller = try call.signedInCaller
        let time = now()
        let creation = MeetingCreation(
            title: new.title, startsAt: settings.startsAt ?? time,
            durationMinutes: settings.durationMinutes ?? MeetingLimits.defaultDurationMinutes, layout: settings.layout ?? .speaker,
            isLocked: settings.isLocked ?? false, capacity: settings.capacity ?? MeetingLimits.defaultCapacity, createdBy: caller.user.id,
            createdAt: time)
        let meeting = Meeting(id: UUIDv7.make(at: time), creation)
        let note = entry(caller, "meeting.create", subject: meeting.id.text, detail: meeting.title)
        do { try await store.insert(meeting, noting: note) } catch { throw Problem(error) }
        let headers = [(name: "Location", value: "/api/v1/meetings/\(meeting.id.text)"), (name: "ETag", value: meeting.etag)]
        return .json(meeting.json(base: baseURL(call.request), participants: 0), status: 201, headers: headers)
    }

    /// `GET /meetings/{id}`.
    func showMeeting(_ call: Call) async throws(Problem) -> HTTPResponse { try await answer(with: try await room(call), call) }

    private func answer(with room: Room, _ call: Call) async throws(Problem) -> HTTPResponse {
        let meeting = await room.meeting
        let json = meeting.json(base: baseURL(call.request), participants: await room.participantCount)
        return .json(json, headers: [("ETag", meeting.etag)])
    }

    /// `PATCH /meetings/{id}`.
    func changeMeeting(_ call: Call, _ changes: MeetingChanges) async throws(Problem) -> HTTPResponse {
        let (caller, room) = (try call.signedInCaller, try await room(call))
        let meeting = await room.meeting
        guard let tags = call.versionTags else { throw Problem(.preconditionRequired, [meeting.etag], headers: [("ETag", meeting.etag)]) }
        try await perform(.change(changes), in: room, by: caller, "meeting.change", subject: meeting.id.text, ifMatch: tags)
        return try await answer(with: room, call)
    }

    /// `DELETE /meetings/{id}`.
    func deleteMeeting(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (caller, room) = (try call.signedInCaller, try await room(call))
        let meeting = await room.meeting
        let note = entry(caller, "meeting.delete", subject: meeting.id.text, detail: meeting.title)
        try await room.delete(ifMatch: call.versionTags, noting: note)
        await rooms.forget(meeting.id)
        return HTTPResponse(status: 204)
    }

    /// `POST /meetings/{id}/start`.
    func startMeeting(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (caller, room) = (try call.signedInCaller, try await room(call))
        try await perform(.start, in: room, by: caller, "meeting.start", subject: await room.meeting.id.text)
        return HTTPResponse(status: 204)
    }

    /// `POST /meetings/{id}/end`.
    func endMeeting(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (caller, room) = (try call.signedInCaller, try await room(call))
        try await perform(.end, in: room, by: caller, "meeting.end", subject: await room.meeting.id.text)
        return HTTPResponse(status: 204)
    }

    /// `GET /meetings/{id}/participants`.
    func listParticipants(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (limit, after) = try call.page()
        var participants = await (try await room(call)).participants
        if let after {
            guard let place = participants.firstIndex(where: { $0.id == after }) else { throw Problem(.participantNotFound) }
            participants.removeSubrange(...place)
        }
        let page = participants.prefix(limit)
        let leads = Permissions.leads(try call.signedInCaller.user.role)
        return .list(page.map { $0.json(leads: leads) }, of: call.request.path, limit: limit, last: page.last?.id.text)
    }

    // MARK: Parts

    func room(_ call: Call) async throws(Problem) -> Room { try await rooms.room(try call.identifier("id", missing: .meetingNotFound)) }

    /// An order of a person: done and written to the audit log, refused and written too.
    func perform(
        _ order: Order, in room: Room, by caller: Caller, _ action: String, subject: String, ifMatch tags: [String]? = nil
    ) async throws(Problem) {
        let note = entry(caller, action, subject: subject)
        let isNoted: Bool
        do {
            isNoted = try await room.perform(order, by: caller.authority, ifMatch: tags, noting: note)
        } catch {
            if error.type == .notAllowed { await audit(caller, "command.refused", subject: subject, detail: action) }
            throw error
        }
        if !isNoted { await audit(note) }
    }
}

extension Call {
    /// Entity tags that the request names, as they are written; nil where it names none. Versions are compared strongly: a weak tag is nobody's (RFC 9110 §13.1.1).
    fileprivate var versionTags: [String]? { request.headers["if-match"]?.split(separator: ",").map { $0.trimmingSpaces } }
}
