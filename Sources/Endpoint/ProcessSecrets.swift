import Foundation

/// Secrets that a process was started with. Whoever is on the machine reads command lines (`ps`, `/proc/PID/cmdline`), and the same user the
/// environment: both are overwritten in place once they are read.
package enum ProcessSecrets {
    /// The value of an environment variable, which is then gone from `/proc/PID/environ` and for children. Call it before there are threads that
    /// read the environment.
    package static func take(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        memset(value, Int32(UInt8(ascii: "*")), strlen(value))
        unsetenv(name)
        return text
    }

    /// Overwrites the values of these flags in the process's own command line.
    package static func hideWords(after flags: Set<String>) {
        guard let area = commandLine() else { return }
        var isSecret = false
        for word in area.split(separator: 0, omittingEmptySubsequences: false) {
            let bytes = UnsafeMutableRawBufferPointer(rebasing: area[word.startIndex..<word.endIndex])
            if isSecret {
                for index in bytes.indices { bytes[index] = UInt8(ascii: "*") }
                isSecret = false
                continue
            }
            let end = bytes.firstIndex(of: UInt8(ascii: "=")) ?? bytes.endIndex
            guard flags.contains(String(decoding: bytes[..<end], as: UTF8.self)) else { continue }
            if end == bytes.endIndex { isSecret = true }
            for index in bytes.indices where index > end { bytes[index] = UInt8(ascii: "*") }
        }
    }

    /// The memory that the kernel shows as the command line: fields 48 and 49 of `/proc/self/stat` (proc(5)). Swift's own arguments are a copy.
    private static func commandLine() -> UnsafeMutableRawBufferPointer? {
        guard let stat = FileManager.default.contents(atPath: "/proc/self/stat") else { return nil }
        // The second field is the name in parentheses and may hold blanks; counting begins behind it.
        let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 46, let start = UInt(fields[45]), let end = UInt(fields[46]), start > 0, start < end, end - start <= 1 << 21
        else {
            return nil
        }
        return UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(bitPattern: start), count: Int(end - start))
    }
}
