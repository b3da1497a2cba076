@testable import Store

/// What anybody with the database may send: a notice of ours or none, and one that is printed again is the same.
@c(LLVMFuzzerTestOneInput) public func fuzzStoreNotice(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
    if let notice = StoreNotice(parsing: text) { precondition(notice.text == text) }
    _ = try? StorePlace(parsing: text)
    return 0
}
