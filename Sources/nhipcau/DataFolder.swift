import Base
import Foundation
import WebServer

/// The folder of the database and keys: for the server's own user alone.
enum DataFolder {
    /// First thing in a server: whatever is made from here on, by SQLite and OpenSSL too, nobody else may read.
    static func closeToOthers() { umask(0o077) }

    /// Makes the folder, and takes from group and others what older versions gave them of the files in it.
    static func prepare(_ folder: String, _ log: Log) throws(CommandFailure) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandFailure(
                code: ExitCode.cannotCreate, line: "--data \(folder): the folder cannot be made; name one that this user may write to")
        }
        let probe = folder + "/.writable"
        guard FileManager.default.createFile(atPath: probe, contents: Data()) else {
            throw CommandFailure(
                code: ExitCode.cannotCreate, line: "--data \(folder): the folder cannot be written to; change its owner or name another")
        }
        // An empty file that stays does no harm.
        try? FileManager.default.removeItem(atPath: probe)
        if let mode = mode(folder), mode & 0o077 != 0 {
            log.warning(
                "data-folder-open",
                ["folder": folder, "mode": String(mode & 0o777, radix: 8), "advice": "chmod 700: database and keys are in it"])
        }
        for file in own(folder) {
            guard let have = mode(file), have & 0o077 != 0, chmod(file, have & 0o700) != 0 else { continue }
            log.warning("data-file-open", ["file": file, "advice": "chmod 600, or change its owner to the server's user"])
        }
    }

    /// The database with its journals, and keys.
    private static func own(_ folder: String) -> [String] {
        // What cannot be listed was just made, or is said by the store, which opens it next.
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasPrefix("nhipcau.sqlite") }
        // Without TLS there is no such folder.
        let tls = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/tls")) ?? []
        return names.map { "\(folder)/\($0)" } + tls.map { "\(folder)/tls/\($0)" }
    }

    /// Permission bits of a plain file or a folder; nil for a link, which is not followed.
    private static func mode(_ path: String) -> mode_t? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFLNK else { return nil }
        return status.st_mode & 0o7777
    }
}
