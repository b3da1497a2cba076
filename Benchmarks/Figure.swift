import Foundation

/// One number of a case.
struct Figure {
    var name: String
    var value: Double
    var unit: String
    var line: String {
        "\(name.padding(toLength: 44, withPad: " ", startingAt: 0)) \(String(format: "%10.3f", value)) \(unit)"
    }
}

struct BenchError: Error, CustomStringConvertible {
    var description: String
}

enum Machine {
    /// What the figures were measured on.
    static var line: String {
        let model = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n").first {
            $0.hasPrefix("model name")
        }
        let name = model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
        return "\(name), \(ProcessInfo.processInfo.activeProcessorCount) cores; \(Codecs.versions)"
    }
}

/// A line at once, also into a pipe.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
