import Foundation

/// The browser side, as files in memory: what the pages are made of and which address answers with which.
///
/// Everything is read once. A request is a look-up in a dictionary, so no path that a stranger writes ever reaches the file system.
package enum WebPages {
    /// Answer pages with this as `Content-Security-Policy`. Nothing inline, nothing from elsewhere; WebSockets of the same origin are `'self'`.
    package static let contentSecurityPolicy =
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

    private static let files = SiteFolder.files()

    /// - Parameter path: of the request, percent-decoded, without the query, as `/modules/main.js` or `/meetings/0192…`.
    /// - Returns: the bytes, their media type and an entity tag without quotation marks; nil where there is no such file or page.
    ///   The pages' own addresses (`/`, `/login`, `/meetings`, `/meetings/{id}`) all answer with `index.html`: the modules in it read the address.
    package static func file(at path: String) -> (body: [UInt8], contentType: String, etag: String)? {
        guard let file = files[isPage(path) ? "/index.html" : path] else { return nil }
        return (file.body, file.contentType, file.etag)
    }

    /// Every address of a file, for tests and for warming caches.
    package static var paths: [String] { files.keys.sorted() }

    private static func isPage(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        switch parts.count {
        case 0: return path.count <= 1
        case 1: return parts[0] == "login" || parts[0] == "meetings"
        case 2: return parts[0] == "meetings" && parts[1].utf8.allSatisfy(isIdentifierByte)
        default: return false
        }
    }

    private static func isIdentifierByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "-"): true
        default: false
        }
    }
}
