import Testing

@testable import WebServer

struct LogTests {
    @Test func `a value cannot forge a second field or a second line`() {
        #expect(Log.format([("event", "x"), ("name", "a b\" level=error\nnext")]) == "event=x name=\"a b\\\" level=error\\nnext\"")
        #expect(Log.format([("empty", "")]) == "empty=\"\"")
    }
}

struct BodyLengthTests {
    private func length(_ method: String, _ headers: [String: String]) -> BodyLength {
        BodyLength(HTTPRequest(method: method, path: "/", headers: headers))
    }

    @Test func `a length is taken only where it is one`() {
        #expect(length("POST", ["content-length": "12"]) == .bytes(12))
        #expect(length("POST", ["content-length": "0"]) == BodyLength.none)
        #expect(length("GET", [:]) == BodyLength.none)
        for bad in ["-1", "1 2", "0x10", "99999999999999999999", ""] {
            guard case .refused = length("POST", ["content-length": bad]) else {
                Issue.record("\(bad) was taken")
                continue
            }
        }
        #expect(length("POST", ["transfer-encoding": "chunked"]) == .chunked)
    }
}
