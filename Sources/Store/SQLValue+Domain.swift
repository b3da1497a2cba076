import Foundation
import Meetings

// How the domain's values lie in columns: dates as milliseconds since 1970, identifiers as lower-case text, which sorts as UUIDv7 does.
extension SQLValue {
    static func date(_ date: Date) -> SQLValue { .integer(Int64((date.timeIntervalSince1970 * 1_000).rounded())) }
    static func date(_ date: Date?) -> SQLValue { date.map { .date($0) } ?? .null }
    static func uuid(_ id: UUID) -> SQLValue { .text(id.text) }
    static func uuid(_ id: UUID?) -> SQLValue { id.map { .uuid($0) } ?? .null }
    static func number(_ value: Int) -> SQLValue { .integer(Int64(value)) }

    var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    var string: String { if case .text(let value) = self { value } else { "" } }
    var bytes: [UInt8] { if case .blob(let value) = self { value } else { [] } }
    var int: Int { Int(integer ?? 0) }
    var date: Date? { integer.map { Date(timeIntervalSince1970: Double($0) / 1_000) } }
    var uuid: UUID? { UUID(uuidString: string) }
}

/// What a row with a value that no version of the program wrote is answered with.
private let foreignRow = StoreError.failed(code: 0, message: "a row has a value that this program did not write")

extension UserRecord {
    static let columns = "id, username, name, role, organisation, password_hash, created_at, is_disabled, is_deleted, sites"
    init(row: [SQLValue]) throws(StoreError) {
        guard let id = row[0].uuid, let role = UserRole(rawValue: row[3].string), let created = row[6].date else { throw foreignRow }
        self.init(
            id: id, username: row[1].string, name: row[2].string, role: role, organisation: row[4].string, passwordHash: row[5].string,
            createdAt: created)
        (isDisabled, isDeleted) = (row[7].int != 0, row[8].int != 0)
        sites = row[9].string.split(separator: ",").map(String.init)
    }
    var row: [SQLValue] {
        [
            .uuid(id), .text(username), .text(name), .text(role.rawValue), .text(organisation), .text(passwordHash), .date(createdAt),
            .number(isDisabled ? 1 : 0), .number(isDeleted ? 1 : 0), .text(sites.isEmpty ? "" : ",\(sites.joined(separator: ",")),"),
        ]
    }
}

extension SessionRecord {
    static let columns = "token_hash, user, created_at, expires_at, address"
    init(row: [SQLValue]) throws(StoreError) {
        guard let user = row[1].uuid, let created = row[2].date, let expires = row[3].date else { throw foreignRow }
        self.init(tokenHash: row[0].bytes, user: user, createdAt: created, expiresAt: expires, address: row[4].string)
    }
    var row: [SQLValue] { [.blob(tokenHash), .uuid(user), .date(createdAt), .date(expiresAt), .text(address)] }
}

extension Meeting {
    static let columns =
        "id, title, phase, starts_at, duration_minutes, ended_at, layout, is_locked, capacity, created_by, created_at, version, restrictions"
    init(row: [SQLValue]) throws(StoreError) {
        guard let id = row[0].uuid, let phase = MeetingPhase(rawValue: row[2].string), let starts = row[3].date,
            let layout = MeetingLayout(rawValue: row[6].string), let creator = row[9].uuid, let created = row[10].date
        else { throw foreignRow }
        self.init(
            id: id, title: row[1].string, phase: phase, startsAt: starts, durationMinutes: row[4].int, endedAt: row[5].date, layout: layout,
            isLocked: row[7].int != 0, capacity: row[8].int, createdBy: creator, createdAt: created, version: row[11].int)
        let text = row[12].string
        guard !text.isEmpty else { return }
        guard let kept = try? JSONDecoder().decode(Restrictions.self, from: Data(text.utf8)) else { throw foreignRow }
        restrictions = kept
    }
    private var restrictionsText: String {
        guard !restrictions.isEmpty, let data = try? JSONEncoder().encode(restrictions) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }
    var row: [SQLValue] {
        [
            .uuid(id), .text(title), .text(phase.rawValue), .date(startsAt), .number(durationMinutes), .date(endedAt),
            .text(layout.rawValue),
            .number(isLocked ? 1 : 0), .number(capacity),
            .uuid(createdBy), .date(createdAt), .number(version), .text(restrictionsText),
        ]
    }
}

extension AuditEntry {
    static let columns = "id, at, actor, actor_name, action, subject, detail, address"
    init(row: [SQLValue]) throws(StoreError) {
        guard let id = row[0].uuid, let at = row[1].date else { throw foreignRow }
        self.init(
            id: id, at: at, actor: row[2].uuid, actorName: row[3].string, action: row[4].string, subject: row[5].string,
            detail: row[6].string, address: row[7].string)
    }
    var row: [SQLValue] {
        [
            .uuid(id), .date(at), .uuid(actor), .text(actorName), .text(action), .text(subject), .text(detail), .text(address),
        ]
    }
}
