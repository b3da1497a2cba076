import CWebSockets

/// Reads the request that libwebsockets has parsed. It percent-decodes path and query itself, takes `/../` and `//` out of paths, and refuses NUL.
struct RequestReader {
    let wsi: OpaquePointer

    private static let methods: [(token: lws_token_indexes, name: String)] = [
        (WSI_TOKEN_GET_URI, "GET"), (WSI_TOKEN_POST_URI, "POST"), (WSI_TOKEN_OPTIONS_URI, "OPTIONS"), (WSI_TOKEN_PUT_URI, "PUT"),
        (WSI_TOKEN_PATCH_URI, "PATCH"), (WSI_TOKEN_DELETE_URI, "DELETE"), (WSI_TOKEN_HEAD_URI, "HEAD"),
    ]
    /// Headers for which libwebsockets has no token and somebody here has a use.
    private static let customHeaders = [
        "x-forwarded-proto:", "x-forwarded-host:", "x-request-id:", "forwarded:", "sec-fetch-site:", "sec-fetch-mode:",
    ]
    /// Every header for which it has a token, with the name in lower case.
    private static let knownHeaders: [(token: lws_token_indexes, name: String)] = (0..<WSI_TOKEN_COUNT.rawValue).compactMap { index in
        let token = lws_token_indexes(rawValue: index)
        guard let text = lws_token_to_string(token) else { return nil }
        let name = String(cString: UnsafeRawPointer(text).assumingMemoryBound(to: CChar.self))
        // Methods end with a blank, HTTP/2's pseudo headers begin with a colon.
        guard name.hasSuffix(":"), !name.hasPrefix(":"), name.count > 1 else { return nil }
        return (token, name.dropLast().lowercased())
    }

    /// - Returns: nil where the method is not one of those above, or path or query are not UTF-8.
    /// - Parameter peer: the address that the connection came from; trusted proxies say whom they speak for.
    func request(from peer: String, isTLS: Bool, trusted: [IPNetwork]) -> HTTPRequest? {
        guard let method = Self.methods.first(where: { lws_hdr_total_length(wsi, $0.token) > 0 }), let path = text(of: method.token),
            let query = query()
        else { return nil }
        let headers = headers()
        let client = Forwarded(peer: peer, headers: headers, trusted: trusted)
        return HTTPRequest(
            method: method.name, path: path, query: query, headers: headers, remoteAddress: client.address, isTLS: client.isTLS ?? isTLS)
    }

    /// `Transfer-Encoding : chunked` (RFC 9112 §5.1). libwebsockets takes the blank for a part of the name, so nobody would look at the header,
    /// while a lenient proxy before the server may have gone by it.
    var hasBlankBeforeColon: Bool {
        Self.spoiltNames.contains { lws_hdr_custom_length(wsi, $0, Int32($0.utf8.count)) >= 0 }
    }

    /// libwebsockets finds a name only as a whole: runs of one kind of blank, and short mixtures.
    private static let spoiltNames: [String] = {
        var mixtures: [String] = []
        for length in 1...4 {
            for bits in 0..<(1 << length) {
                let blanks: [Character] = (0..<length).map { (place: Int) -> Character in bits >> place & 1 == 0 ? " " : "\t" }
                mixtures.append(String(blanks))
            }
        }
        let short = mixtures + ["\u{0b}", "\u{0c}", "\r"]
        for length in 5...32 { mixtures += [String(repeating: " ", count: length), String(repeating: "\t", count: length)] }
        var names: [String] = []
        for name in ["transfer-encoding", "content-length"] {
            for blanks in mixtures { names.append("\(name)\(blanks):") }
            for blanks in short { names += ["\(blanks)\(name):", "\(name)\(blanks):"] }
        }
        return names
    }()

    /// "1.1", "1.0"; a request without one counts as 1.0.
    var version: String { text(of: WSI_TOKEN_HTTP).map { String($0.suffix(3)) } ?? "1.0" }

    private func text(of token: lws_token_indexes) -> String? {
        let length = Int(lws_hdr_total_length(wsi, token))
        guard length > 0 else { return nil }
        return string(capacity: length + 64) { lws_hdr_copy(wsi, $0, $1, token) }
    }

    /// - Parameter copy: writes at most so many bytes, the final NUL among them; returns how many it wrote, below 0 where they do not fit.
    private func string(capacity: Int, _ copy: (UnsafeMutablePointer<CChar>, Int32) -> Int32) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let length = Int(copy(start, Int32(capacity)))
            guard length >= 0, length < capacity else { return nil }
            return String(validating: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
        }
    }

    private func headers() -> [String: String] {
        var headers: [String: String] = [:]
        for (token, name) in Self.knownHeaders {
            if let value = text(of: token) { headers[name] = value }
        }
        for name in Self.customHeaders {
            let length = Int(lws_hdr_custom_length(wsi, name, Int32(name.utf8.count)))
            guard length > 0 else { continue }
            headers[String(name.dropLast())] = string(capacity: length + 1) {
                lws_hdr_custom_copy(wsi, $0, $1, name, Int32(name.utf8.count))
            }
        }
        return headers
    }

    private func query() -> [(name: String, value: String)]? {
        let total = Int(lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS))
        guard total > 0 else { return [] }
        var items: [(name: String, value: String)] = []
        for index in 0..<256 {
            var isThere = true
            let text = string(capacity: total + 1) {
                let length = lws_hdr_copy_fragment(wsi, $0, $1, WSI_TOKEN_HTTP_URI_ARGS, Int32(index))
                isThere = length >= 0
                return length
            }
            guard isThere else { break }
            guard let text else { return nil }
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if let name = parts.first, !name.isEmpty { items.append((String(name), parts.count > 1 ? String(parts[1]) : "")) }
        }
        return items
    }
}

/// How much body a request says it has (RFC 9112 §6.3).
enum BodyLength: Equatable {
    case none
    /// POST, PUT or PATCH that says nothing: no body, but libwebsockets would wait for one, so the connection is closed after the answer.
    case unsaid
    case bytes(Int)
    case chunked
    case refused(Refusal)

    /// - Parameter version: "1.1" or what the request line says; before it there was no chunked coding.
    init(_ request: HTTPRequest, version: String = "1.1") {
        if let coding = request.headers["transfer-encoding"] {
            // Both headers, another coding, one coding twice: two readers may find two ends (RFC 9112 §6.1, §6.3, §11.2).
            if request.headers["content-length"] != nil || coding.lowercased() != "chunked" || version != "1.1" {
                self = .refused(.badRequest(.framing))
            } else {
                self = ["POST", "PUT", "PATCH"].contains(request.method) ? .chunked : .refused(.lengthRequired)
            }
        } else if let text = request.headers["content-length"] {
            guard !text.isEmpty, text.utf8.count <= 18, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(text) else {
                self = .refused(.badRequest(.contentLength))
                return
            }
            self = length == 0 ? .none : .bytes(length)
        } else {
            self = ["POST", "PUT", "PATCH"].contains(request.method) ? .unsaid : .none
        }
    }
}
