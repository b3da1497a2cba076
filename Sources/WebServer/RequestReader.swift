/// Reads one request after another from the bytes of a connection, each within its bounds. No IO and no clock.
struct RequestReader {
    enum Outcome {
        case more
        /// The head is read and its sender waits to be told that the body is welcome (RFC 9110 §10.1.1).
        case proceed
        case request(HTTPRequest, Manner)
        /// Nothing that follows on this connection can be read.
        case refused(Refusal, language: String?)
    }
    /// How the answer goes out.
    struct Manner: Equatable {
        /// The connection ends with the answer.
        var closes = false
        /// A WebSocket is asked for.
        var upgrades = false
    }
    private enum Phase { case head, body(left: Int), chunks(ChunkedBody) }

    static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    let headLimit: Int
    let bodyLimit: Int
    private var phase = Phase.head
    private var scanner: HeadScanner
    private var bytes: [UInt8] = []
    private var pending: (request: HTTPRequest, manner: Manner)?

    init(headLimit: Int, bodyLimit: Int) {
        (self.headLimit, self.bodyLimit) = (headLimit, bodyLimit)
        scanner = HeadScanner(limit: headLimit)
    }

    /// Nothing of a request has come yet.
    var isFresh: Bool { if case .head = phase { !scanner.hasBegun } else { false } }
    /// The head is read, the body is not yet whole.
    var isInBody: Bool { if case .head = phase { false } else { true } }

    /// - Returns: also how many of the bytes were used; the rest belongs to what comes after.
    mutating func take(_ input: UnsafeRawBufferPointer) -> (outcome: Outcome, used: Int) {
        var used = 0
        if case .head = phase {
            switch scanner.take(input, into: &bytes) {
            case .more: return (.more, input.count)
            case .refused(let refusal): return (.refused(refusal, language: nil), input.count)
            case .end(let end): used = end
            }
            do throws(Refusal) {
                try begin()
            } catch {
                return (.refused(error, language: pending?.request.headers["accept-language"]), used)
            }
            if case .head = phase { return (finish(), used) }
            if used == input.count, pending?.request.headers["expect"] != nil { return (.proceed, used) }
        }
        return takeBody(input, from: used)
    }

    private mutating func takeBody(_ input: UnsafeRawBufferPointer, from start: Int) -> (outcome: Outcome, used: Int) {
        let rest = UnsafeRawBufferPointer(rebasing: input[start...])
        switch phase {
        case .head: return (.more, start)
        case .body(let left):
            let part = rest.prefix(left)
            bytes.append(contentsOf: part)
            phase = .body(left: left - part.count)
            return (part.count == left ? finish() : .more, start + part.count)
        case .chunks(var chunks):
            let outcome = chunks.take(rest, into: &bytes)
            phase = .chunks(chunks)
            let language = pending?.request.headers["accept-language"]
            switch outcome {
            case .more: return (.more, input.count)
            case .done(let used): return (finish(), start + used)
            case .tooLarge: return (.refused(.tooLarge(limit: bodyLimit), language: language), input.count)
            case .malformed: return (.refused(.badRequest(.framing), language: language), input.count)
            }
        }
    }

    /// The head is whole.
    private mutating func begin() throws(Refusal) {
        let head = try RequestHead(bytes)
        bytes.removeAll(keepingCapacity: true)
        let headers = try head.headers()
        // Refusals from here on are in the sender's language.
        pending = (HTTPRequest(method: head.method, path: "/", headers: headers), Manner())
        let length = BodyLength(headers, isHTTP11: head.isHTTP11)
        if case .refused(let refusal) = length { throw refusal }
        guard Self.methods.contains(head.method) else {
            throw head.method == "TRACE" || head.method == "CONNECT" ? .methodNotAllowed : .methodUnknown
        }
        let target = try RequestTarget(head.target, method: head.method)
        if let expect = headers["expect"], expect.lowercased() != "100-continue" { throw .expectation }
        pending = (
            HTTPRequest(method: head.method, path: target.path, query: target.query, headers: headers), Self.manner(of: head, headers)
        )
        switch length {
        case .bytes(let length) where length > bodyLimit: throw .tooLarge(limit: bodyLimit)
        case .bytes(let length):
            bytes.reserveCapacity(length)
            phase = .body(left: length)
        case .chunked: phase = .chunks(ChunkedBody(limit: bodyLimit))
        case .none, .refused: phase = .head
        }
    }

    private static func manner(of head: RequestHead, _ headers: [String: String]) -> Manner {
        let options = list(headers["connection"])
        return Manner(
            closes: !head.isHTTP11 || options.contains("close"),
            // Before 1.1 there is no upgrade (RFC 9110 §7.8).
            upgrades: head.isHTTP11 && options.contains("upgrade") && list(headers["upgrade"]).contains("websocket"))
    }

    private static func list(_ value: String?) -> [String] {
        (value ?? "").lowercased().split(separator: ",").map { String($0.drop { $0 == " " || $0 == "\t" }.trimmingBlanksAtEnd) }
    }

    private mutating func finish() -> Outcome {
        guard let (head, manner) = pending else { return .more }
        var request = head
        request.body = isInBody ? bytes : []
        pending = nil
        (phase, scanner, bytes) = (.head, HeadScanner(limit: headLimit), [])
        return .request(request, manner)
    }
}

extension Substring {
    fileprivate var trimmingBlanksAtEnd: Substring {
        var text = self
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
