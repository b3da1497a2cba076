/// Exit codes of <sysexits.h> that the contract names.
enum ExitCode {
    static let usage: Int32 = 64
    static let input: Int32 = 66
    static let unavailable: Int32 = 69
    static let cannotCreate: Int32 = 73
}

/// Why nothing was started: one line on standard error, and an exit code.
struct CommandFailure: Error, Equatable {
    var code: Int32
    var line: String

    static func usage(_ line: String) -> CommandFailure { CommandFailure(code: ExitCode.usage, line: line) }
    static func input(_ line: String) -> CommandFailure { CommandFailure(code: ExitCode.input, line: line) }
}
