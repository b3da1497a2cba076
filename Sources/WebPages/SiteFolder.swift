import Foundation

/// One file of the site.
struct SiteFile: Sendable {
    var body: [UInt8]
    var contentType: String
    var etag: String
}

/// Finds and reads the folder `site` that the build copies beside the executable.
enum SiteFolder {
    /// - Returns: the files by their address, each beginning with "/"; empty where the folder is missing.
    static func files() -> [String: SiteFile] {
        let folder = location
        guard let names = FileManager.default.enumerator(atPath: folder.path) else { return [:] }
        var files: [String: SiteFile] = [:]
        for case let name as String in names {
            // A page that cannot be read is not found, like one that is not there.
            guard let type = contentType(of: name), let data = try? Data(contentsOf: folder.appendingPathComponent(name)) else { continue }
            let body = [UInt8](data)
            files["/" + name] = SiteFile(body: body, contentType: type, etag: entityTag(of: body))
        }
        return files
    }

    /// An installed executable has its resources in `/usr/share/nhipcau` or beside it; one of the build tree finds them by `Bundle.module`,
    /// which ends the process where it does not, and so is asked last.
    private static var location: URL {
        let bundle = "nhipcau_WebPages.resources/site"
        let executable = Bundle.main.bundleURL
        let installed = [
            executable.appendingPathComponent(bundle), executable.appendingPathComponent("../share/nhipcau/" + bundle).standardized,
        ]
        return installed.first { FileManager.default.fileExists(atPath: $0.path) } ?? Bundle.module.bundleURL.appendingPathComponent("site")
    }

    /// Files with other endings are not served.
    private static func contentType(of name: String) -> String? {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "json": "application/json"
        case "svg": "image/svg+xml"
        default: nil
        }
    }

    /// FNV-1a, 64 bits: changes with the content and is the same in every process. Nobody is trusted by it, so it need not resist attack.
    private static func entityTag(of body: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
