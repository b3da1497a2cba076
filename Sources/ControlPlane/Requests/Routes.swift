import Meetings

/// Every address of the API, and what a body sent there is. `api/openapi.json` describes the same: a test holds the two together.
enum Routes {
    static let all: [Route] = [
        Route("POST", "/api/v1/session", .open, Credentials.self, ControlPlane.signIn),
        Route("GET", "/api/v1/session", .signedIn, ControlPlane.showSession),
        Route("DELETE", "/api/v1/session", .signedIn, ControlPlane.signOut),
        Route("POST", "/api/v1/session/password", .signedIn, OwnPassword.self, ControlPlane.changeOwnPassword),
        Route("GET", "/api/v1/meetings", .act(.seeMeetings), ControlPlane.listMeetings),
        Route("POST", "/api/v1/meetings", .act(.createMeeting), NewMeeting.self, ControlPlane.createMeeting),
        Route("GET", "/api/v1/meetings/{id}", .act(.seeMeetings), ControlPlane.showMeeting),
        Route("PATCH", "/api/v1/meetings/{id}", .signedIn, MeetingChanges.self, ControlPlane.changeMeeting),
        Route("DELETE", "/api/v1/meetings/{id}", .act(.deleteMeeting), ControlPlane.deleteMeeting),
        Route("POST", "/api/v1/meetings/{id}/start", .act(.startMeeting), ControlPlane.startMeeting),
        Route("POST", "/api/v1/meetings/{id}/end", .act(.endMeeting), ControlPlane.endMeeting),
        Route("GET", "/api/v1/meetings/{id}/participants", .act(.seeMeetings), ControlPlane.listParticipants),
        Route("GET", "/api/v1/meetings/{id}/events", .act(.seeMeetings), ControlPlane.needUpgrade),
        Route("POST", "/api/v1/meetings/{id}/commands", .signedIn, bodies: CommandKind.all.map(\.shape), ControlPlane.postCommand),
        Route("POST", "/api/v1/meetings/{id}/media", .act(.joinAsViewer), ControlPlane.joinMedia),
        Route("OPTIONS", "/api/v1/meetings/{id}/media", .open, ControlPlane.mediaOptions),
        Route("PATCH", "/api/v1/meetings/{id}/media/{participant}", .signedIn, ControlPlane.patchMedia),
        Route("DELETE", "/api/v1/meetings/{id}/media/{participant}", .signedIn, ControlPlane.leaveMedia),
        Route("OPTIONS", "/api/v1/meetings/{id}/media/{participant}", .open, ControlPlane.mediaSessionOptions),
        Route("GET", "/api/v1/sites", .signedIn, ControlPlane.listSites),
        Route("GET", "/api/v1/users", .act(.manageUsers), ControlPlane.listUsers),
        Route("POST", "/api/v1/users", .act(.manageUsers), NewUser.self, ControlPlane.createUser),
        Route("GET", "/api/v1/users/{id}", .act(.manageUsers), ControlPlane.showUser),
        Route("PATCH", "/api/v1/users/{id}", .act(.manageUsers), UserChanges.self, ControlPlane.changeUser),
        Route("DELETE", "/api/v1/users/{id}", .act(.manageUsers), ControlPlane.deleteUser),
        Route("DELETE", "/api/v1/users/{id}/sessions", .act(.manageUsers), ControlPlane.endUserSessions),
        Route("POST", "/api/v1/users/{id}/password", .act(.manageUsers), NewPassword.self, ControlPlane.setUserPassword),
        Route("GET", "/api/v1/audit", .act(.readAudit), ControlPlane.listAudit),
        Route("GET", "/api/v1/openapi.json", .open, ControlPlane.openAPI),
        Route("GET", "/healthz", .open, ControlPlane.healthy),
        Route("GET", "/readyz", .open, ControlPlane.ready),
        Route("GET", "/metrics", .open, ControlPlane.showMetrics),
    ]
}
