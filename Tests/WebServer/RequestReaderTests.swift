import Testing

@testable import WebServer

/// What a reader made of bytes, in words that compare.
private enum Read: Equatable {
    case request(method: String, path: String, body: String, closes: Bool, upgrades: Bool)
    case proceed
    case refused(Refusal)
}

/// With 512 bytes for a head and 64 for a body.
private func read(_ text: String, pieces: Int = .max) -> [Read] {
    var (reader, found) = (RequestReader(headLimit: 512, bodyLimit: 64), [Read]())
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        var piece = Array(rest.prefix(pieces))
        rest = rest.dropFirst(pieces)
        while !piece.isEmpty {
            let (outcome, used) = piece.withUnsafeBytes { reader.take($0) }
            piece.removeFirst(used)
            switch outcome {
            case .more: break
            case .proceed: found.append(.proceed)
            case .request(let request, let manner):
                found.append(
                    .request(
                        method: request.method, path: request.path, body: String(decoding: request.body, as: UTF8.self),
                        closes: manner.closes, upgrades: manner.upgrades))
            case .refused(let refusal, _): return found + [.refused(refusal)]
            }
        }
    }
    return found
}

private func request(_ method: String, _ path: String, _ body: String = "", closes: Bool = false, upgrades: Bool = false) -> Read {
    .request(method: method, path: path, body: body, closes: closes, upgrades: upgrades)
}

struct RequestReaderTests {
    @Test(arguments: [1, 2, 3, 7, 50, .max])
    func `requests are the same however their bytes come, one behind the other`(pieces: Int) {
        let text =
            "\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n" + "POST /b?c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
            + "PUT /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"
            + "POST /e HTTP/1.1\r\nHost:\r\n\r\n"
            + "GET /f HTTP/1.0\r\n\r\n" + "GET /g HTTP/1.1\r\nHost: x\r\nConnection: x ,\tClose\r\n\r\n"
        #expect(
            read(text, pieces: pieces) == [
                request("GET", "/a"), request("POST", "/b", "hello"),
                request("PUT", "/d", "abc"),
                request("POST", "/e"), request("GET", "/f", closes: true), request("GET", "/g", closes: true),
            ])
    }

    @Test(
        arguments: [
            "X : y", " X: y", "\tX: y", "X", "X y: z", ": y", "X\u{b}: y", "X: \u{0}", "X: a\u{7f}", "Transfer-Encoding : chunked",
            "X: a\r\n b", "X\r\nContent-Length: 5", "X: a\nY: b", "X: a\rY: b", "X: a\r\r\nY: b", "Transfer-Encoding: identity",
            "Transfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Content-Length: 5\r\nContent-Length: 5", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding:", "\u{e9}: x",
        ], [1, .max])
    func `a head that may be read in two ways is refused`(line: String, pieces: Int) {
        #expect(read("POST / HTTP/1.1\r\nHost: x\r\n\(line)\r\n\r\nhello", pieces: pieces) == [.refused(.badRequest(.framing))])
    }

    @Test(arguments: ["", "5, 5", "5 5", "+5", "-1", "0x5", "5x", "\u{665}", "99999999999999999999"])
    func `a length is one whole number`(length: String) {
        #expect(read("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\n\r\nhello") == [.refused(.badRequest(.contentLength))])
    }

    @Test func `chunks are of HTTP 1 point 1`() {
        #expect(read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == [.refused(.badRequest(.framing))])
        #expect(read("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == [request("GET", "/")])
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", Refusal.badRequest(.host)), ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .badRequest(.host)),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .badRequest(.host)), ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .versionUnknown),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequest(.requestLine)), ("GET /\r\nHost: a\r\n\r\n", .badRequest(.requestLine)),
        ("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequest(.requestLine)),
        ("GET /%f HTTP/1.1\r\nHost: a\r\n\r\n", .badRequest(.encoding)),
        ("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", .badRequest(.encoding)), ("GET /%c3 HTTP/1.1\r\nHost: a\r\n\r\n", .badRequest(.encoding)),
        ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", .methodNotAllowed), ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", .methodNotAllowed),
        ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", .methodUnknown),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n", .tooLarge(limit: 64)),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n", .tooLarge(limit: 64)),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\n", .badRequest(.framing)),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n", .expectation),
        ("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", .badRequest(.twice)),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 600), .headTooLarge),
        ("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "a:\r\n", count: 122) + "\r\n", .headTooLarge),
    ])
    func `what cannot be answered is refused with its reason`(text: String, refusal: Refusal) {
        #expect(read(text) == [.refused(refusal)])
        #expect(read(text, pieces: 1) == [.refused(refusal)])
    }

    @Test func `who waits to be welcomed is, once, and only where a body is still to come`() {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
        let whole = request("POST", "/", "{}")
        #expect(read(head + "{}", pieces: head.utf8.count) == [.proceed, whole])
        #expect(read(head + "{}") == [whole])
        #expect(read("GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n") == [request("GET", "/")])
    }

    @Test(arguments: [
        ("Connection: Upgrade\r\nUpgrade: websocket", true), ("connection: keep-alive, uPGRADE\r\nupgrade: x/1, WebSocket\t", true),
        ("Upgrade: websocket", false), ("Connection: upgrade", false), ("Connection: upgrade\r\nUpgrade: h2c", false),
        ("Connection: upgrade\r\nUpgrade: websockets", false),
    ])
    func `a WebSocket is asked for by both headers`(lines: String, expected: Bool) {
        #expect(
            read("GET / HTTP/1.1\r\nHost: x\r\n\(lines)\r\n\r\n") == [request("GET", "/", upgrades: expected)])
    }

    @Test func `headers that are lists are put together, cookies with semicolons`() throws {
        let text = "GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nCookie: a=b\r\nx-a:\t2 \r\nCookie: c=d\r\nX-B: \u{1ea5}\r\n\r\n"
        let headers = try RequestHead(Array(text.utf8)).headers()
        #expect(headers == ["host": "x", "x-a": "1, 2", "cookie": "a=b; c=d", "x-b": "\u{1ea5}"])
    }
}

struct RequestTargetTests {
    private func path(_ target: String) -> String? { try? RequestTarget(target, method: "GET").path }

    @Test(arguments: [
        ("/", "/"), ("/a/b", "/a/b"), ("/a/", "/a/"), ("//a///b", "/a/b"), ("/a/./b/../c", "/a/c"), ("/../../etc/passwd", "/etc/passwd"),
        ("/%2e%2e/%2E%2e/x", "/x"), ("/a%2f..%2fb", "/b"), ("/a/..", "/"), ("/a/.", "/a/"), ("/...", "/..."), ("/.a", "/.a"),
        ("/a+b", "/a+b"),
        ("/t%C3%ACm", "/tìm"), ("/tìm", "/tìm"), ("http://x/a", "/a"), ("HTTPS://x:1", "/"), ("http://x?y", "/"), ("/a?b/../c", "/a"),
        ("/\\..\\x", "/\\..\\x"),
    ])
    func `a path is decoded and has no way up`(target: String, expected: String) {
        #expect(path(target) == expected)
    }

    @Test(arguments: ["", "a", "*", "/%", "/%4", "/%4g", "/%00", "/%ff", "/a#b", "ftp://x/a", "x:443", "/?a=%"])
    func `what is no target is none`(target: String) { #expect(path(target) == nil) }

    @Test func `a query is read as forms write it`() throws {
        let query = try RequestTarget("/?a=1&b=x+y%2B%26&&=z&c&d=e=f&t%C3%ACm=L%C3%A0o", method: "GET").query
        #expect(query.map(\.name) == ["a", "b", "c", "d", "tìm"])
        #expect(query.map(\.value) == ["1", "x y+&", "", "e=f", "Lào"])
        #expect(throws: Refusal.self) { try RequestTarget("/?" + String(repeating: "a&", count: 300), method: "GET") }
        #expect(try RequestTarget("*", method: "OPTIONS").path == "*")
    }
}
