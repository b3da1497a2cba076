import Formats
import Foundation
import Meetings

/// Why the directory of sites was not taken.
package enum DirectoryError: Error, Equatable, CustomStringConvertible {
    case notJSON
    case missing(String)
    case doubleCode(String)
    package var description: String {
        switch self {
        case .notJSON: "the directory of sites is not JSON"
        case .missing(let what): "the directory of sites lacks \(what)"
        case .doubleCode(let code): "the directory of sites has the code \(code) twice"
        }
    }
}

/// The sites that may take part, by code.
struct SiteDirectory: Sendable {
    struct Entry: Sendable {
        var site: Site
        /// As the file says: "tỉnh", "thành phố", or "centre".
        var kind: String
    }
    private(set) var entries: [Entry]
    private let byCode: [String: Site]
    private(set) var centreName = ""

    init(sites entries: [Entry]) {
        self.entries = entries
        byCode = Dictionary(entries.map { ($0.site.code, $0.site) }) { first, _ in first }
    }

    /// - Parameter bytes: `{centre: {code, name, site}, provinces: [{code, name, kind}]}`; further members are passed over.
    init(parsing bytes: [UInt8]) throws(DirectoryError) {
        // Where in the file the mistake is nobody asks: it is one of ours, or a tool's.
        guard let file = try? JSONValue(parsing: bytes) else { throw .notJSON }
        guard case .array(let provinces)? = file["provinces"] else { throw .missing("provinces") }
        var entries: [Entry] = []
        if let centre = file["centre"] { entries.append(try Self.entry(centre, name: "site", kind: "centre")) }
        for province in provinces { entries.append(try Self.entry(province, name: "name", kind: nil)) }
        var codes: Set<String> = []
        for entry in entries where !codes.insert(entry.site.code).inserted { throw .doubleCode(entry.site.code) }
        self.init(sites: entries)
        if case .string(let name)? = file["centre"]?["name"] { centreName = name }
    }

    subscript(code: String) -> Site? { byCode[code] }

    private static func entry(_ value: JSONValue, name: String, kind: String?) throws(DirectoryError) -> Entry {
        guard case .string(let code)? = value["code"] else { throw .missing("code") }
        guard case .string(let text)? = value[name] else { throw .missing("\(name) (code \(code))") }
        var own = kind ?? ""
        if kind == nil, case .string(let word)? = value["kind"] { own = word }
        return Entry(site: Site(code: code, name: text), kind: own)
    }
}
