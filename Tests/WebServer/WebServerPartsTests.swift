import Testing

@testable import WebServer

struct LogTests {
    @Test func `a value cannot forge a second field or a second line`() {
        #expect(Log.format([("event", "x"), ("name", "a b\" level=error\nnext")]) == "event=x name=\"a b\\\" level=error\\nnext\"")
        #expect(Log.format([("empty", "")]) == "empty=\"\"")
    }
}
