import Foundation
import Meetings

@testable import Records
@testable import Store

/// Bodies as they might lie in a database that somebody else wrote to: read or refused, never a trap; what was read and is written again reads as the same.
@c(LLVMFuzzerTestOneInput) public func fuzzStoredRecord(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let body = String(decoding: UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
    let id = "0199b1a0-0000-7000-8000-000000000001"
    func document(_ kind: String, _ body: String, id: String = id) -> Document { Document(kind: kind, id: id, version: 3, body: body) }
    if let user = try? UserRecord(document("user", body)) {
        precondition((try? UserRecord(document("user", user.body))) == user)
        _ = user.fields
    }
    if let session = try? SessionRecord(document("session", body, id: "00ff")) {
        precondition((try? SessionRecord(document("session", session.body, id: "00ff")))?.user == session.user)
        _ = session.fields
    }
    if (try? Meeting(document("meeting", body))) != nil { return 0 }
    if let entry = try? AuditEntry(StoredEvent(number: 1, key: id, body: body)) {
        precondition((try? AuditEntry(StoredEvent(number: 1, key: id, body: entry.event.body)))?.detail == entry.detail)
    }
    return 0
}
