import Testing

@testable import WebServer

struct ForwardedTests {
    private let trusted = ["10.0.0.0/8", "192.0.2.1", "2001:db8:aa::/48"].compactMap { IPNetwork($0) }

    private func client(_ headers: [String: String], peer: String = "10.0.0.1") -> String {
        Forwarded(peer: peer, headers: headers, trusted: trusted).address
    }

    @Test(arguments: [
        ("203.0.113.5", "203.0.113.5"), ("198.51.100.1, 203.0.113.5, 10.9.9.9", "203.0.113.5"), ("203.0.113.5:4711", "203.0.113.5"),
        ("[2001:db8::7]:80", "2001:db8::7"), ("2001:DB8:0::7", "2001:db8::7"), ("::ffff:203.0.113.5", "203.0.113.5"),
        ("10.1.1.1,10.2.2.2", "10.1.1.1"),
        ("", "10.0.0.1"), ("unknown", "10.0.0.1"), ("203.0.113.5, unknown", "10.0.0.1"), ("203.0.113.5, , 10.1.1.1", "10.1.1.1"),
        ("1.2.3", "10.0.0.1"),
        ("203.0.113.5:x", "10.0.0.1"), ("203.0.113.005", "10.0.0.1"), ("fe80::1%eth0", "10.0.0.1"), ("[203.0.113.5]", "10.0.0.1"),
    ])
    func `the last address of the list that is no proxy's is the client's`(list: String, expected: String) {
        #expect(client(["x-forwarded-for": list]) == expected)
    }

    @Test(arguments: [
        ("for=203.0.113.5", "203.0.113.5"), ("For=\"[2001:db8::7]:4711\";proto=https", "2001:db8::7"),
        ("for=1.1.1.1, for=203.0.113.5;by=10.0.0.1", "203.0.113.5"),
        ("for=203.0.113.5, for=_hidden", "10.0.0.1"), ("for=unknown", "10.0.0.1"), ("for=\"203.0.113.5:_port\"", "203.0.113.5"),
        ("for=\"1.1.1.1, for=203.0.113.5", "10.0.0.1"), ("for=1.1.1.1;for=203.0.113.5", "10.0.0.1"), ("proto=https", "10.0.0.1"),
        ("for=1.1.1.1;by=\"a,b\\\"c\"", "1.1.1.1"), ("x", "10.0.0.1"), ("=;,", "10.0.0.1"),
    ])
    func `the standard header is read with its quotes, ports and names that hide`(header: String, expected: String) {
        #expect(client(["forwarded": header]) == expected)
    }

    @Test func `who is no trusted proxy says nothing, and two headers that differ say nothing either`() {
        #expect(client(["x-forwarded-for": "203.0.113.5"], peer: "203.0.113.99") == "203.0.113.99")
        #expect(client(["x-forwarded-for": "203.0.113.5", "forwarded": "for=203.0.113.6"]) == "10.0.0.1")
        #expect(client(["x-forwarded-for": "203.0.113.5", "forwarded": "for=203.0.113.5"]) == "203.0.113.5")
        #expect(client(["x-forwarded-for": "203.0.113.5"], peer: "2001:db8:aa::9") == "203.0.113.5")
        let secure = Forwarded(peer: "192.0.2.1", headers: ["x-forwarded-proto": "http, https"], trusted: trusted)
        #expect(secure.isTLS == true)
        #expect(Forwarded(peer: "192.0.2.2", headers: ["x-forwarded-proto": "https"], trusted: trusted).isTLS == nil)
    }

    @Test func `networks are read as they are written and no other way`() {
        for bad in ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "::/129", "10.0.0.0/8/8", "example.vn", "10.0.0.0/", "/8"] {
            #expect(IPNetwork(bad) == nil, "\(bad)")
        }
        for (network, address, isIn) in [
            ("0.0.0.0/0", "203.0.113.5", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "203.0.113.5", true),
            ("10.128.0.0/9", "10.127.0.1", false),
            ("2001:db8::/65", "2001:db8::7fff:0:0:1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false), ("::1", "::1", true),
            ("127.0.0.1/32", "127.0.0.2", false),
        ] {
            let found = IPNetwork(network).flatMap { block in IPAddress(address).map { block.contains($0) } }
            #expect(found == isIn, "\(network) \(address)")
        }
    }
}

struct ChunkedBodyTests {
    /// - Returns: `.done` with the number of bytes of all that were taken.
    private func take(_ text: String, pieces: Int, limit: Int = 64) -> (ChunkedBody.Outcome, String) {
        var (chunks, body, outcome) = (ChunkedBody(limit: limit), [UInt8](), ChunkedBody.Outcome.more)
        var rest = Array(text.utf8)[...]
        var before = 0
        while !rest.isEmpty, outcome == .more {
            let piece = Array(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            outcome = piece.withUnsafeBytes { chunks.take($0, into: &body) }
            if case .done(let used) = outcome { outcome = .done(before + used) }
            before += piece.count
        }
        return (outcome, String(decoding: body, as: UTF8.self))
    }

    @Test(arguments: 1...9)
    func `a body is the same however its bytes come`(pieces: Int) {
        #expect(take("5\r\nhello\r\n6;a=\"b\"\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n", pieces: pieces) == (.done(42), "hello world"))
        #expect(take("0\r\n\r\n", pieces: pieces) == (.done(5), ""))
        #expect(take("00000b \t;x\r\nhello world\r\n0\r\n\r\nGET /", pieces: pieces) == (.done(30), "hello world"))
        #expect(take("41\r\n", pieces: pieces).0 == .tooLarge)
        #expect(take("20\r\n" + String(repeating: "a", count: 32) + "\r\n21\r\n", pieces: pieces).0 == .tooLarge)
        for bad in [
            "g\r\n", "\r\n", "5\nhello", "5\r\nhello!\r\n", "5\r\nhello\n0\r\n\r\n", "-5\r\n", "0x5\r\n", "5 \r\nhello", "000000005\r\n",
            "0\r\nX\n\r\n", "0\r\n\rX",
        ] {
            #expect(take(bad, pieces: pieces).0 == .malformed, "\(bad)")
        }
        #expect(take("1;" + String(repeating: "a", count: 9_000) + "\r\n", pieces: pieces * 100).0 == .malformed)
    }
}

struct ConnectionBoundsTests {
    private func bounds() -> ConnectionBounds { ConnectionBounds(limit: 64, perAddress: 16, unprovenPerAddress: 4, perMachine: 32) }

    @Test func `of one address the oldest that says nothing goes for the next`() {
        var bounds = bounds()
        for id in 1...4 as ClosedRange<UInt64> {
            #expect(bounds.ask("192.0.2.1", .stranger) == .take(leave: nil))
            bounds.add(id, "192.0.2.1")
        }
        #expect(bounds.ask("192.0.2.1", .stranger) == .take(leave: 1))
        bounds.add(5, "192.0.2.1")
        bounds.set(2, .busy)
        #expect(bounds.ask("192.0.2.1", .stranger) == .take(leave: nil))
        #expect(bounds.ask("192.0.2.2", .stranger) == .take(leave: nil))
        #expect(bounds.count(of: "192.0.2.1") == 4)
    }

    @Test func `who is busy is never asked to go, who is idle is`() {
        var bounds = bounds()
        for id in 1...16 as ClosedRange<UInt64> {
            bounds.add(id, "192.0.2.1")
            bounds.set(id, .busy)
        }
        #expect(bounds.ask("192.0.2.1", .stranger) == .refuse)
        bounds.set(7, .idle)
        #expect(bounds.ask("192.0.2.1", .stranger) == .take(leave: 7))
    }

    @Test func `above three quarters the oldest unproven of all goes, and the machine itself keeps room`() {
        var bounds = bounds()
        for id in 1...48 as ClosedRange<UInt64> {
            bounds.add(id, "192.0.2.\(id)")
            if id != 30 { bounds.set(id, .busy) }
        }
        #expect(bounds.ask("198.51.100.1", .stranger) == .take(leave: 30))
        for id in 100..<109 as Range<UInt64> {
            bounds.add(id, "192.0.2.\(id)")
            bounds.set(id, .busy)
        }
        #expect(bounds.ask("198.51.100.1", .stranger) == .refuse)
        #expect(bounds.ask("127.0.0.1", .machine) == .take(leave: nil))
    }

    @Test func `a trusted proxy has many behind it`() {
        var bounds = bounds()
        for id in 1...40 as ClosedRange<UInt64> {
            #expect(bounds.ask("10.0.0.1", .proxy) == .take(leave: nil))
            bounds.add(id, "10.0.0.1")
        }
    }
}
