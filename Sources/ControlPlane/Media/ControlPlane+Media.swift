import Base
import Foundation
import MCU
import Meetings
import Records
import Store
import WebServer

/// Joining with media: WHIP (RFC 9725) and its mirror WHEP, one offer and one answer.
extension ControlPlane {
    private static let mostOfferBytes = 256 * 1_024

    /// `POST /meetings/{id}/media?name=…&site=…&seat=…`. Who held a seat and lost its line takes it again: named by the media session of before, or found by
    /// its login, name and site.
    func joinMedia(_ call: Call) async throws(Problem) -> HTTPResponse {
        let offer = try Self.sdp(call, type: "application/sdp")
        let (caller, room) = (try call.signedInCaller, try await room(call))
        var site: Site?
        if let code = call.query("site"), !code.isEmpty {
            guard let known = sites[code] else { throw Problem(.siteNotFound, [code]) }
            try await mayStand(for: known, caller.user)
            site = known
        }
        let asked = call.query("name").flatMap { $0.isEmpty ? nil : $0 } ?? site?.name ?? caller.user.name
        let name = try RequestBody.check { () throws(ValidationFault) in try Validation.name(asked) }
        let rule = seatRule(of: caller.user)
        if rule.isPersonal, let wait = joins.withLock({ $0.take(caller.user.id, at: now()) }) {
            counters.withLock { ($0.joinsRefused, $0.joinsLimited) = ($0.joinsRefused + 1, $0.joinsLimited + 1) }
            throw Problem(.tooManyJoins, [String(wait)], headers: [("Retry-After", String(wait))])
        }
        let session = UUIDv7.make(at: now())
        let joined: Room.Joined
        do {
            joined = try await room.join(
                Room.Join(
                    session: session, name: name, site: site, offer: offer, user: caller.user, rule: rule, login: caller.session,
                    held: call.query("seat").flatMap { UUID(uuidString: $0) }))
        } catch {
            counters.withLock { $0.joinsRefused += 1 }
            throw error
        }
        counters.withLock { $0.joins += 1 }
        let action = joined.participant == session ? "media.join" : "media.return"
        await audit(caller, action, subject: joined.participant.text, detail: "\(joined.answer.kind.rawValue) \(name)")
        let location = "/api/v1/meetings/\(await room.meeting.id.text)/media/\(session.text)"
        var response = Self.sdpResponse(joined.answer, status: 201, location: location)
        // The location is the media session's; whose seat it holds is another thing once somebody came back.
        response.headers.append(("Nhipcau-Participant", joined.participant.text))
        return response
    }

    /// `PATCH` on the media session: a fragment of candidates or an ICE restart, or a second offer.
    func patchMedia(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (room, session) = (try await room(call), try call.identifier("participant", missing: .participantNotFound))
        let id = try await mayManage(session, in: room, call)
        let type = call.request.headers["content-type"]?.split(separator: ";").first?.trimmingSpaces.lowercased()
        if type == "application/sdp" {
            return try await renegotiate(id, in: room, offer: try Self.sdp(call, type: "application/sdp"), call)
        }
        let fragment = try Self.sdp(call, type: "application/trickle-ice-sdpfrag")
        do {
            guard let answer = try await media.trickle(session: session, fragment: fragment, ifMatch: call.ifMatch) else {
                return HTTPResponse(status: 204)
            }
            var headers = [(name: "Content-Type", value: "application/trickle-ice-sdpfrag")]
            // A new fragment means a new ICE session, and with it a new entity tag (RFC 9725 §4.3.3).
            if let line = answer.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix("a=ice-ufrag:") }) {
                headers.append(("ETag", "\"\(line.dropFirst(12))\""))
            }
            return HTTPResponse(status: 200, headers: headers, body: Array(answer.utf8))
        } catch {
            throw Problem(error)
        }
    }

    private func renegotiate(_ id: UUID, in room: Room, offer: String, _ call: Call) async throws(Problem) -> HTTPResponse {
        let caller = try call.signedInCaller
        do throws(Problem) {
            let (answer, before, after) = try await room.renegotiate(id, offer: offer, ifMatch: call.ifMatch)
            if before != after { await audit(caller, "media.change", subject: id.text, detail: "\(before.rawValue) → \(after.rawValue)") }
            return Self.sdpResponse(answer, status: 200, location: nil)
        } catch {
            if error.type == .notAllowed { await audit(caller, "command.refused", subject: id.text, detail: "media.change") }
            throw error
        }
    }

    /// A site belongs to the accounts that name it; one that no account names is open to all that name none.
    private func mayStand(for site: Site, _ user: UserRecord) async throws(Problem) {
        guard !user.sites.contains("*"), !user.sites.contains(site.code), !Permissions.leads(user.role) else { return }
        let owners: [UserRecord]
        do { owners = try await store.users(standingFor: site.code) } catch { throw Problem(error) }
        guard user.sites.isEmpty, owners.isEmpty else { throw Problem(.siteNotYours, [site.code]) }
    }

    /// How many media sessions a login may have in a meeting.
    func seatRule(of user: UserRecord) -> SeatRule {
        if Permissions.leads(user.role) { return .leading }
        if let most = settings.gateways[user.username] { return SeatRule(most: most, mostConnecting: most, isPersonal: false) }
        return SeatRule(most: settings.mediaSessionsPerLogin, mostConnecting: SeatRule.usual.mostConnecting, isPersonal: true)
    }

    /// `DELETE` on the media session.
    func leaveMedia(_ call: Call) async throws(Problem) -> HTTPResponse {
        let (room, session) = (try await room(call), try call.identifier("participant", missing: .participantNotFound))
        let id = try await mayManage(session, in: room, call)
        try await room.leave(id, by: try call.signedInCaller.authority)
        await audit(try call.signedInCaller, "media.leave", subject: id.text)
        return HTTPResponse(status: 200)
    }

    /// - Returns: whose seat the media session holds.
    private func mayManage(_ session: UUID, in room: Room, _ call: Call) async throws(Problem) -> UUID {
        let caller = try call.signedInCaller
        guard let id = await room.seat(of: session), let participant = await room.participant(id) else {
            throw Problem(.participantNotFound)
        }
        guard participant.user == caller.user.id || Permissions.allows(.manageMedia, for: caller.user.role) else {
            await audit(caller, "command.refused", subject: id.text, detail: "media.\(call.request.method.lowercased())")
            throw Problem(.notAllowed)
        }
        return id
    }

    /// `OPTIONS`: what can be posted here (RFC 9725 §4.2).
    func mediaOptions(_ call: Call) async throws(Problem) -> HTTPResponse {
        HTTPResponse(status: 204, headers: [("Allow", "POST, OPTIONS"), ("Accept-Post", "application/sdp")])
    }

    func mediaSessionOptions(_ call: Call) async throws(Problem) -> HTTPResponse {
        let types = "application/trickle-ice-sdpfrag, application/sdp"
        return HTTPResponse(status: 204, headers: [("Allow", "PATCH, DELETE, OPTIONS"), ("Accept-Patch", types)])
    }

    private static func sdp(_ call: Call, type: String) throws(Problem) -> String {
        let given = call.request.headers["content-type"]?.split(separator: ";").first?.trimmingSpaces.lowercased()
        guard given == type else { throw Problem(.unsupportedMediaType, [type]) }
        guard call.request.body.count <= mostOfferBytes else { throw Problem(.bodyTooLarge, [String(mostOfferBytes)]) }
        guard let text = String(validating: call.request.body, as: UTF8.self) else { throw Problem(.malformedOffer, ["1", "UTF-8"]) }
        return text
    }

    private static func sdpResponse(_ answer: JoinAnswer, status: Int, location: String?) -> HTTPResponse {
        var headers = [
            (name: "Content-Type", value: "application/sdp"), (name: "ETag", value: "\"\(answer.etag)\""),
            (name: "Accept-Patch", value: "application/trickle-ice-sdpfrag, application/sdp"), (name: "Cache-Control", value: "no-store"),
        ]
        if let location { headers.append(("Location", location)) }
        return HTTPResponse(status: status, headers: headers, body: Array(answer.answer.utf8))
    }
}
