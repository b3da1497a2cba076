import Base
import Endpoint
import Foundation
import Store

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

    /// - Parameter words: what follows the program's name.
    static func run(_ words: [String]) async throws(CommandFailure) -> Int32 {
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
            try await EndpointCommand.run(arguments: rest)
            return 0
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
