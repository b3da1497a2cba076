/// Exit codes of <sysexits.h>; the contract names the first two.
package enum ExitCode {
    package static let usage: Int32 = 64
    package static let input: Int32 = 66
    package static let unavailable: Int32 = 69
    package static let software: Int32 = 70
    package static let system: Int32 = 71
    package static let cannotCreate: Int32 = 73
    package static let output: Int32 = 74
    package static let `protocol`: Int32 = 76
    package static let notAllowed: Int32 = 77
}

/// Why nothing was started: one line for standard error, and an exit code.
package struct CommandFailure: Error, Equatable, Sendable {
    package var code: Int32
    package var line: String

    package init(code: Int32, line: String) {
        self.code = code
        self.line = line
    }

    package static func usage(_ line: String) -> CommandFailure { CommandFailure(code: ExitCode.usage, line: line) }
    package static func input(_ line: String) -> CommandFailure { CommandFailure(code: ExitCode.input, line: line) }
}
