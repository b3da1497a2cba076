import Endpoint
import Foundation
import Store

/// Exit codes of <sysexits.h> that the contract names.
enum ExitCode {
    static let usage: Int32 = 64
    static let input: Int32 = 66
    static let unavailable: Int32 = 69
    static let cannotCreate: Int32 = 73

    /// Of a store that does not open.
    static func of(_ error: StoreError) -> Int32 {
        switch error {
        case .gone, .slow: unavailable
        case .badPlace: input
        default: cannotCreate
        }
    }
}

/// Why nothing was started: one line on standard error, and an exit code.
struct CommandFailure: Error, Equatable {
    var code: Int32
    var line: String

    static func usage(_ line: String) -> CommandFailure { CommandFailure(code: ExitCode.usage, line: line) }
    static func input(_ line: String) -> CommandFailure { CommandFailure(code: ExitCode.input, line: line) }
}

@main
enum Command {
    static let version = "0.1.0"

    static func main() async {
        Allocator.prepare()
        let words = Array(CommandLine.arguments.dropFirst())
        ProcessSecrets.hideWords(after: ["--token", "--password", "--store"])
        do throws(CommandFailure) {
            exit(try await run(words))
        } catch {
            FileHandle.standardError.write(Data("nhipcau: \(error.line)\n".utf8))
            exit(error.code)
        }
    }

    private static func run(_ words: [String]) async throws(CommandFailure) -> Int32 {
        let rest = Array(words.dropFirst())
        switch words.first {
        case "serve": return try await Serve.run(rest)
        case "demo": return try await Demo.run(rest)
        case "user":
            umask(0o077)
            return try await UserCommand.run(rest)
        case "store":
            umask(0o077)
            return try await StoreCommand.run(rest)
        case "endpoint":
            if rest.first == "--help" { return show(Help.of("endpoint")) }
            return await EndpointCommand.run(arguments: rest)
        case "version", "--version":
            guard rest.isEmpty else { throw .usage("version takes no words; \"\(rest[0])\" is one") }
            return show("nhipcau \(version)\n")
        case "help", "--help", "-h":
            guard rest.count <= 1 else { throw .usage("help takes one subcommand") }
            guard let text = rest.first.map({ Help.of($0) }) ?? Help.all else {
                throw .usage("there is no subcommand \"\(rest[0])\"; nhipcau help lists them")
            }
            return show(text)
        case nil: throw .usage("a subcommand is missing; nhipcau help lists them")
        case let word?: throw .usage("there is no subcommand \"\(word)\"; nhipcau help lists them")
        }
    }

    private static func show(_ text: String?) -> Int32 {
        FileHandle.standardOutput.write(Data((text ?? "").utf8))
        return 0
    }
}
