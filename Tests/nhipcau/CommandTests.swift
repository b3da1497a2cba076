import Base
import Foundation
import Testing

@testable import Endpoint
@testable import nhipcau

struct CommandTests {
    @Test(arguments: [
        ([], "a subcommand is missing"), (["fly"], "no subcommand \"fly\""), (["version", "now"], "\"now\" is one"),
        (["help", "fly"], "no subcommand \"fly\""),
        (["help", "serve", "demo"], "one subcommand"), (["serve", "--port", "1"], "unknown word \"--port\""),
        (["serve", "--listen"], "--listen wants a value"),
        (["demo", "--sites", "26"], "--sites"), (["demo", "--sites=0"], "--sites"),
        (["user", "list", "--sites", "1"], "unknown word \"--sites\""),
    ])
    func `a command that cannot be meant ends with 64 and says why`(words: [String], said: String) async {
        let failure = await #expect(throws: CommandFailure.self) { try await Command.run(words) }
        #expect(failure?.code == ExitCode.usage && failure?.line.contains(said) == true, "\(failure?.line ?? "")")
    }

    @Test func `accounts of a folder without a database are none, and no database is made`() async {
        let folder = FileManager.default.temporaryDirectory.appending(path: "nhipcau-\(UUID().uuidString)").path
        let failure = await #expect(throws: CommandFailure.self) { try await Command.run(["user", "list", "--data", folder]) }
        #expect(
            failure?.code == ExitCode.input && failure?.line.contains(folder) == true && !FileManager.default.fileExists(atPath: folder))
    }

    @Test func `help explains each subcommand that it lists`() throws {
        let listed = try #require(Help.all).split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            return words.first == "nhipcau" && words.count > 1 ? String(words[1]) : nil
        }
        #expect(Set(listed) == ["serve", "endpoint", "demo", "user", "store", "version", "help"])
        for name in listed { #expect(Help.of(name)?.contains("nhipcau \(name)") == true) }
        #expect(Help.of("fly") == nil)
    }

    /// Arguments that begin with two dashes in a text of help.
    private func flags(_ text: String?) -> Set<String> {
        let words = (text ?? "").split { !$0.isLetter && $0 != "-" }
        return Set(words.filter { $0.hasPrefix("--") && $0.count > 2 }.map(String.init))
    }

    @Test func `help for serve names the flags that serve knows, and no other`() {
        let named = flags(Help.of("serve"))
        for flag in named {
            // A known flag without a value wants one; an unknown one is unknown.
            let failure = #expect(throws: CommandFailure.self) { try Configuration.parse([flag]) }
            #expect(failure?.line.contains("wants a value") == true, "\(flag)")
        }
        #expect(named.count == 14)
    }

    @Test func `help for endpoint names the flags that endpoint knows, and no other`() {
        #expect(flags(Help.of("endpoint")) == EndpointOptions.known)
    }
}
