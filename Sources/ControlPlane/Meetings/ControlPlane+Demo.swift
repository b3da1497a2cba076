import Base
import Foundation
import Meetings
import Records
import Store

/// A running meeting and a token that may join it.
package struct DemoMeeting: Sendable {
    package var id: UUID
    package var token: String
}

extension ControlPlane {
    /// Names of the directory's sites by code.
    package var siteNames: [String: String] {
        Dictionary(sites.entries.map { ($0.site.code, $0.site.name) }) { first, _ in first }
    }

    /// The login of the simulated sites; a gateway, since they are many.
    package static let demoUsername = "diem-cau-mo-phong"

    /// Makes and starts a meeting, and a login of an operator for its simulated sites. In the audit log as everything else.
    package func makeDemoMeeting(title: String) async throws -> DemoMeeting {
        let username = Self.demoUsername
        var found = try await store.user(named: username)
        if found == nil {
            let made = UserRecord(
                id: UUIDv7.make(at: now()), username: username, name: "Điểm cầu mô phỏng", role: .operator, organisation: sites.centreName,
                passwordHash: try await passwords.hash(Secrets.token()), createdAt: now())
            try await store.insert(made, noting: entry(nil, "user.create", subject: made.id.text, detail: "\(username), demonstration"))
            found = made
        }
        guard let user = found else { throw StoreError.missing }
        let token = Secrets.token()
        let session = SessionRecord(
            tokenHash: Secrets.sha256(token), user: user.id, createdAt: now(), expiresAt: now().addingTimeInterval(30 * 86_400),
            address: "demo")
        try await store.insert(session, most: settings.sessionsPerUser)
        let time = now()
        let creation = MeetingCreation(
            title: title, startsAt: time, durationMinutes: 120, layout: .grid, createdBy: user.id, createdAt: time)
        let meeting = Meeting(id: UUIDv7.make(at: time), creation)
        try await store.insert(meeting, noting: entry(nil, "meeting.create", subject: meeting.id.text, detail: title))
        try await rooms.room(meeting.id).perform(.start, by: .system)
        return DemoMeeting(id: meeting.id, token: token)
    }
}
