/// Files by address, answered as browsers like it: GET and HEAD only, ETag and 304, compression left to a proxy.
///
/// The files come from a closure over something already read into memory, so no path that a stranger writes reaches the file system.
package struct StaticFiles: Sendable {
    package typealias File = (body: [UInt8], contentType: String, etag: String)
    private let find: @Sendable (String) -> File?
    private let headers: [(name: String, value: String)]

    /// - Parameter headers: added to every file, as its Content-Security-Policy.
    /// - Parameter find: the file at a percent-decoded path that begins with "/"; its entity tag is without quotation marks.
    package init(headers: [(name: String, value: String)] = [], find: @escaping @Sendable (String) -> File?) {
        (self.headers, self.find) = (headers, find)
    }

    /// - Returns: nil where there is no such file.
    package func response(to request: HTTPRequest) -> HTTPResponse? {
        guard let file = find(request.path) else { return nil }
        guard request.method == "GET" || request.method == "HEAD" else {
            return HTTPResponse(status: 405, headers: [("Allow", "GET, HEAD")])
        }
        let tag = "\"\(file.etag)\""
        // Asked again every time (a tag costs 200 bytes): after an upgrade no browser mixes old modules with new ones.
        let cached = headers + [("ETag", tag), ("Cache-Control", "no-cache")]
        if Self.matches(request.headers["if-none-match"], tag) { return HTTPResponse(status: 304, headers: cached) }
        return HTTPResponse(status: 200, headers: cached + [("Content-Type", file.contentType)], body: file.body)
    }

    /// Weak comparison, RFC 9110 §13.1.2.
    static func matches(_ header: String?, _ tag: String) -> Bool {
        guard let header else { return false }
        return header.split(separator: ",").contains { part in
            let candidate = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            let text = String(candidate)
            return text == "*" || text == tag || text == "W/" + tag
        }
    }
}
