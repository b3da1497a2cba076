import Foundation

/// The status line and headers of an HTTP/1.1 response (RFC 9112 §4).
struct ResponseHead {
    /// Sent with every response that does not bring its own. No inline script, no framing; camera and microphone for this origin alone.
    static let defaults: [(name: String, value: String)] = [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
        ("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()"),
        ("Cache-Control", "no-store"),
    ]

    var response: HTTPResponse
    var isHead = false
    var closes = false
    /// The server itself speaks TLS: browsers are told to come by TLS alone for a year (RFC 6797).
    var isTLS = false

    /// A response to HEAD has the headers of the GET, its Content-Length too, and no body (RFC 9110 §9.3.2).
    var hasBody: Bool { !isHead && mayHaveBody }
    private var mayHaveBody: Bool { response.status >= 200 && response.status != 204 && response.status != 304 }

    func bytes(date: Date) -> [UInt8] {
        var head = "HTTP/1.1 \(response.status) \(Self.reason(response.status))\r\nDate: \(Self.httpDate(date))\r\n"
        var seen: Set<String> = []
        for (name, value) in response.headers {
            let key = name.lowercased()
            // Framing is the server's own; a name or value with a line end would be a second header.
            if key == "content-length" || key == "connection" || key == "transfer-encoding" || !Self.isToken(name) { continue }
            seen.insert(key)
            head += "\(name): \(Self.oneLine(value))\r\n"
        }
        for (name, value) in Self.defaults where !seen.contains(name.lowercased()) { head += "\(name): \(value)\r\n" }
        if isTLS, !seen.contains("strict-transport-security") { head += "Strict-Transport-Security: max-age=31536000\r\n" }
        if mayHaveBody { head += "Content-Length: \(response.body.count)\r\n" }
        if closes { head += "Connection: close\r\n" }
        return Array((head + "\r\n").utf8)
    }

    private static func oneLine(_ value: String) -> String {
        String(String.UnicodeScalarView(value.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f || $0 == "\t" }))
    }

    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
    }

    /// IMF-fixdate, RFC 9110 §5.6.7. Written by hand: a formatter of the locale would say it in Vietnamese.
    static func httpDate(_ date: Date) -> String {
        var seconds = time_t(date.timeIntervalSince1970)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = "\(days[Int(parts.tm_wday) % 7]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon) % 12]) \(parts.tm_year + 1900)"
        return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
    }

    static func reason(_ status: Int) -> String { reasons[status] ?? "Status" }

    private static let reasons = [
        200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 302: "Found",
        303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request",
        401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout",
        409: "Conflict", 411: "Length Required", 412: "Precondition Failed", 413: "Content Too Large", 415: "Unsupported Media Type",
        417: "Expectation Failed", 422: "Unprocessable Content", 426: "Upgrade Required", 428: "Precondition Required",
        429: "Too Many Requests", 431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
        503: "Service Unavailable", 505: "HTTP Version Not Supported",
    ]
}
