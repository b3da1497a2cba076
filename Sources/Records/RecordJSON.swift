import Base
import Formats
import Foundation
import Meetings
import Store

// Bodies of documents and events: JSON with members in a fixed order, dates as milliseconds since 1970, identifiers in lower case.

/// Reads the members of a stored body. What no version of the program wrote is a failure of the store, never a trap.
struct StoredFields {
    private let value: JSONValue

    init(_ body: String) throws(StoreError) {
        do { value = try JSONValue(parsing: [UInt8](body.utf8)) } catch { throw Self.foreign }
        guard case .object = value else { throw Self.foreign }
    }

    static let foreign = StoreError.failed(code: "record", message: "a row has a value that this program did not write")

    func string(_ name: String) throws(StoreError) -> String {
        guard case .string(let text)? = value[name] else { throw Self.foreign }
        return text
    }

    func int(_ name: String) throws(StoreError) -> Int {
        guard case .int(let number)? = value[name] else { throw Self.foreign }
        return number
    }

    func bool(_ name: String) throws(StoreError) -> Bool {
        guard case .bool(let answer)? = value[name] else { throw Self.foreign }
        return answer
    }

    func date(_ name: String) throws(StoreError) -> Date { Date(timeIntervalSince1970: Double(try int(name)) / 1_000) }

    /// nil where it is null.
    func optionalDate(_ name: String) throws(StoreError) -> Date? { value[name] == .null ? nil : try date(name) }

    func id(_ name: String) throws(StoreError) -> UUID { try Self.id(try string(name)) }

    func optionalID(_ name: String) throws(StoreError) -> UUID? { value[name] == .null ? nil : try id(name) }

    func choice<Choice: RawRepresentable<String>>(_ name: String, _ type: Choice.Type) throws(StoreError) -> Choice {
        guard let choice = Choice(rawValue: try string(name)) else { throw Self.foreign }
        return choice
    }

    func strings(_ name: String) throws(StoreError) -> [String] {
        guard case .array(let values)? = value[name] else { throw Self.foreign }
        var texts: [String] = []
        for value in values {
            guard case .string(let text) = value else { throw Self.foreign }
            texts.append(text)
        }
        return texts
    }

    /// A part that has a coding of its own; nil where it is null.
    func decoded<Part: Decodable>(_ name: String, _ type: Part.Type) throws(StoreError) -> Part? {
        guard let part = value[name], part != .null else { return nil }
        // Whatever the decoder objects to, it is not what this program writes.
        guard let decoded = try? JSONDecoder().decode(type, from: Data(part.bytes)) else { throw Self.foreign }
        return decoded
    }

    static func id(_ text: String) throws(StoreError) -> UUID {
        guard let id = UUID(uuidString: text) else { throw foreign }
        return id
    }
}

extension JSONValue {
    static func milliseconds(_ date: Date) -> JSONValue { .int(Int((date.timeIntervalSince1970 * 1_000).rounded())) }
    static func milliseconds(_ date: Date?) -> JSONValue { date.map { .milliseconds($0) } ?? .null }
    static func id(_ id: UUID) -> JSONValue { .string(id.text) }
}

extension UserRecord {
    static let kind = "user"

    init(_ document: Document) throws(StoreError) {
        let fields = try StoredFields(document.body)
        self.init(
            id: try StoredFields.id(document.id), username: try fields.string("username"), name: try fields.string("name"),
            role: try fields.choice("role", UserRole.self), organisation: try fields.string("organisation"),
            passwordHash: try fields.string("passwordHash"), createdAt: try fields.date("createdAt"))
        isDisabled = try fields.bool("isDisabled")
        isDeleted = try fields.bool("isDeleted")
        sites = try fields.strings("sites")
        version = document.version
    }

    var body: String {
        JSONValue.object([
            ("username", .string(username)), ("name", .string(name)), ("role", .string(role.rawValue)),
            ("organisation", .string(organisation)), ("passwordHash", .string(passwordHash)), ("createdAt", .milliseconds(createdAt)),
            ("isDisabled", .bool(isDisabled)), ("isDeleted", .bool(isDeleted)), ("sites", .array(sites.map { .string($0) })),
        ]).text
    }

    var fields: [Field] {
        var fields = [Field("username", username, isUnique: true)]
        if !isDeleted { fields += [Field("listed", "1")] + sites.map { Field("site", $0) } }
        if isOpenAdministrator { fields.append(Field("administrator", "1")) }
        return fields
    }
}

extension SessionRecord {
    static let kind = "session"

    init(_ document: Document) throws(StoreError) {
        let fields = try StoredFields(document.body)
        guard let hash = Self.tokenHash(document.id) else { throw StoredFields.foreign }
        self.init(
            tokenHash: hash, user: try fields.id("user"), createdAt: try fields.date("createdAt"), expiresAt: try fields.date("expiresAt"),
            address: try fields.string("address"))
    }

    static func id(_ tokenHash: [UInt8]) -> String {
        tokenHash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// From hexadecimal digits; nil where they are none.
    static func tokenHash(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue ?? -1 }
        guard digits.count.isMultiple(of: 2), !digits.contains(-1) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// With leading zeros, so that bytes are in the order of time.
    static func sortable(_ date: Date) -> String {
        let text = String(max(0, Int((date.timeIntervalSince1970 * 1_000).rounded())))
        return String(repeating: "0", count: max(0, 15 - text.count)) + text
    }

    var body: String {
        JSONValue.object([
            ("user", .id(user)), ("createdAt", .milliseconds(createdAt)), ("expiresAt", .milliseconds(expiresAt)),
            ("address", .string(address)),
        ]).text
    }

    var fields: [Field] { [Field("user", user.text), Field("expires", Self.sortable(expiresAt))] }
}

extension Meeting {
    static let kind = "meeting"

    init(_ document: Document) throws(StoreError) {
        let fields = try StoredFields(document.body)
        self.init(
            id: try StoredFields.id(document.id), title: try fields.string("title"), phase: try fields.choice("phase", MeetingPhase.self),
            startsAt: try fields.date("startsAt"), durationMinutes: try fields.int("durationMinutes"),
            endedAt: try fields.optionalDate("endedAt"), layout: try fields.choice("layout", MeetingLayout.self),
            isLocked: try fields.bool("isLocked"), capacity: try fields.int("capacity"), createdBy: try fields.id("createdBy"),
            createdAt: try fields.date("createdAt"), version: document.version)
        restrictions = try fields.decoded("restrictions", Restrictions.self) ?? Restrictions()
    }

    var json: JSONValue {
        .object([
            ("title", .string(title)), ("phase", .string(phase.rawValue)), ("startsAt", .milliseconds(startsAt)),
            ("durationMinutes", .int(durationMinutes)), ("endedAt", .milliseconds(endedAt)), ("layout", .string(layout.rawValue)),
            ("isLocked", .bool(isLocked)), ("capacity", .int(capacity)), ("createdBy", .id(createdBy)),
            ("createdAt", .milliseconds(createdAt)), ("restrictions", restrictionsJSON),
        ])
    }

    private var restrictionsJSON: JSONValue {
        // Identifiers, names and times: neither encoding them nor reading that back can fail.
        guard !restrictions.isEmpty, let data = try? JSONEncoder().encode(restrictions) else { return .null }
        // As above.
        return (try? JSONValue(parsing: [UInt8](data))) ?? .null
    }

    var fields: [Field] { [Field("phase", phase.rawValue)] }

    /// Events of the meeting, in order.
    var stream: String { Self.stream(id) }
    static func stream(_ id: UUID) -> String { "meeting/\(id.text)" }

    /// What the meeting is from this version on.
    var storedEvent: NewEvent {
        NewEvent(body: JSONValue.object([("type", .string("stored")), ("version", .int(version)), ("meeting", json)]).text)
    }
}

extension AuditEntry {
    static let stream = "audit"

    init(_ event: StoredEvent) throws(StoreError) {
        let fields = try StoredFields(event.body)
        self.init(
            id: try StoredFields.id(event.key), at: try fields.date("at"), actor: try fields.optionalID("actor"),
            actorName: try fields.string("actorName"), action: try fields.string("action"), subject: try fields.string("subject"),
            detail: try fields.string("detail"), address: try fields.string("address"))
    }

    var event: NewEvent {
        NewEvent(
            key: id.text,
            body: JSONValue.object([
                ("at", .milliseconds(at)), ("actor", .optional(actor?.text)), ("actorName", .string(actorName)),
                ("action", .string(action)), ("subject", .string(subject)), ("detail", .string(detail)), ("address", .string(address)),
            ]).text)
    }
}
