import Formats
import Foundation
import MCU
import Meetings
import Records
import Store
import WebServer

/// What the API answers instead of doing what was asked: RFC 9457. The words are found when it is known who reads them.
struct Problem: Error, Sendable {
    var type: ProblemType
    /// Fill the places of the detail's words, in order.
    var arguments: [String] = []
    var headers: [(name: String, value: String)] = []
    /// Extension members (RFC 9457 §3.2), such as the field's name.
    var members: [(String, JSONValue)] = []
    /// What is wrong with a value; its words depend on the language too.
    private var fault: ValidationFault?

    init(
        _ type: ProblemType, _ arguments: [String] = [], headers: [(name: String, value: String)] = [], members: [(String, JSONValue)] = []
    ) {
        self.type = type
        self.arguments = arguments
        self.headers = headers
        self.members = members
    }

    func json(in language: Language) -> JSONValue {
        let words = Words.of(type, in: language)
        let fixed: [(String, JSONValue)] = [
            ("type", .string(type.uri)), ("title", .string(words.title)), ("status", .int(type.status)),
            ("detail", .string(words.detail(arguments + (fault.map { [Words.reason($0.reason, in: language)] } ?? [])))),
        ]
        return .object(fixed + members)
    }

    func response(in language: Language) -> HTTPResponse {
        let own = [
            (name: "Content-Type", value: "application/problem+json"), (name: "Content-Language", value: language.rawValue),
            (name: "Cache-Control", value: "no-store"), (name: "Vary", value: "Accept-Language"),
        ]
        return HTTPResponse(status: type.status, headers: own + headers, body: json(in: language).bytes)
    }

    static func field(_ type: ProblemType, _ name: String, _ more: String...) -> Problem {
        Problem(type, [name] + more, members: [("field", .string(name))])
    }
}

extension Problem {
    init(_ refusal: MeetingRefusal) {
        switch refusal {
        case .notAllowed: self.init(.notAllowed)
        case .notRunning: self.init(.notRunning)
        case .alreadyEnded: self.init(.ended)
        case .locked: self.init(ProblemType.locked)
        case .full(let capacity): self.init(.full, [String(capacity)], headers: [("Retry-After", "30")])
        case .unknownParticipant: self.init(.participantNotFound)
        case .tooManySessions(let most): self.init(.tooManySessions, [String(most)], headers: [("Retry-After", "30")])
        case .tooManyConnecting(let seconds):
            self.init(.tooManyConnecting, [String(seconds)], headers: [("Retry-After", String(seconds))])
        case .mutedByChair: self.init(ProblemType.mutedByChair)
        case .cameraOffByChair: self.init(ProblemType.cameraOffByChair)
        case .keptOut: self.init(ProblemType.keptOut)
        case .capacityBelowPresent(let present): self.init(.capacityTooSmall, [String(present)])
        }
    }

    init(_ refusal: JoinRefusal) {
        switch refusal {
        case .malformed(let line, let reason):
            self.init(.malformedOffer, [String(line), reason], members: [("line", .int(line))])
        case .unsupported(let mediaLine, let reason):
            self.init(.unsupportedOffer, [String(mediaLine), reason], members: [("mediaLine", .int(mediaLine))])
        case .insecure(let reason): self.init(.insecureOffer, [reason])
        case .full(let capacity): self.init(.full, [String(capacity)], headers: [("Retry-After", "30")])
        case .unknownSession: self.init(.participantNotFound)
        case .mayNotSend: self.init(.notAllowed)
        case .stale(let etag): self.init(.stale, ["\"\(etag)\""], headers: [("ETag", "\"\(etag)\"")])
        case .busy(let seconds): self.init(.mediaBusy, [String(seconds)], headers: [("Retry-After", String(max(1, seconds)))])
        }
    }

    /// - Parameter missing: what a missing row is called.
    init(_ error: StoreError, missing: ProblemType = .meetingNotFound) {
        switch error {
        case .stale(let current): self.init(.stale, ["\"\(current)\""], headers: [("ETag", "\"\(current)\"")])
        case .missing: self.init(missing)
        case .taken: self.init(.usernameTaken)
        case .needed: self.init(.lastAdministrator)
        case .unwritable: self.init(.storeReadOnly, headers: [("Retry-After", "30")])
        case .newerSchema: self.init(.storeNewer, headers: [("Retry-After", "60")])
        case .full: self.init(.storeFull, headers: [("Retry-After", "30")])
        case .gone: self.init(.storeGone, headers: [("Retry-After", "5")])
        case .slow: self.init(.storeSlow, headers: [("Retry-After", "5")])
        case .uncertain: self.init(.storeUncertain, headers: [("Retry-After", "5")])
        case .notADatabase, .badPlace, .closed, .failed: self.init(.storeFailed, headers: [("Retry-After", "5")])
        }
    }

    init(_ refusal: PasswordRefusal) {
        let seconds = if case .busy(let seconds) = refusal { seconds } else { 1 }
        self.init(.busy, [String(seconds)], headers: [("Retry-After", String(seconds))])
    }

    init(_ fault: JSONFault) {
        self.init(
            .malformedJSON, [String(fault.line), String(fault.column), fault.reason.rawValue],
            members: [("line", .int(fault.line)), ("column", .int(fault.column))])
    }

    init(_ fault: ValidationFault) {
        self.init(.invalidValue, [fault.field], members: [("field", .string(fault.field))])
        self.fault = fault
    }
}
