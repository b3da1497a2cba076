import Base
import Foundation

/// Structured log lines, one event a line: `time=… level=info event=listening address=127.0.0.1:8080`.
///
/// Never give it a secret, a token or a whole SDP. What a stranger's bytes did wrong is a counter, not a line.
package final class Log: Sendable {
    package enum Level: String, Sendable, CaseIterable, Comparable {
        case debug, info, warning, error
        package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    private let minimum: Guarded<Level>
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one line without its end, from any thread; nil writes to standard error.
    package init(minimum: Level = .info, write: (@Sendable (String) -> Void)? = nil) {
        self.minimum = Guarded(minimum)
        self.write = write ?? { line in FileHandle.standardError.write(Data((line + "\n").utf8)) }
    }

    /// May change while the program runs (SIGHUP).
    package var level: Level {
        get { minimum.withLock { $0 } }
        set { minimum.withLock { $0 = newValue } }
    }

    package func debug(_ event: String, _ fields: KeyValuePairs<String, String> = [:]) { line(.debug, event, fields) }
    package func info(_ event: String, _ fields: KeyValuePairs<String, String> = [:]) { line(.info, event, fields) }
    package func warning(_ event: String, _ fields: KeyValuePairs<String, String> = [:]) { line(.warning, event, fields) }
    package func error(_ event: String, _ fields: KeyValuePairs<String, String> = [:]) { line(.error, event, fields) }

    private func line(_ level: Level, _ event: String, _ fields: KeyValuePairs<String, String>) {
        guard level >= self.level else { return }
        let time = Date().formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
        write(Self.format([("time", time), ("level", level.rawValue), ("event", event)] + fields.map { ($0.key, $0.value) }))
    }

    /// Values with blanks, quotation marks or control characters are quoted, so that a value can never forge a second field or line.
    static func format(_ fields: [(String, String)]) -> String {
        fields.map { "\($0.0)=\(quoted($0.1))" }.joined(separator: " ")
    }

    private static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty
            && value.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" && $0 != "\\" && $0.value != 0x7f }
        if isPlain { return value }
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\n": text += "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
