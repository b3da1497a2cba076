import Foundation
import Testing

@testable import Endpoint
@testable import nhipcau

struct WordsTests {
    private func words(_ words: [String]) throws -> Words { try Words(words, of: "serve", known: ["--a", "--b"], repeatable: ["--r"]) }

    @Test func `a value follows its flag, or stands behind an equals sign`() throws {
        let read = try words(["--a", "1", "--b=x=y", "--r", "1", "--r=2"])
        #expect(read["--a"] == "1" && read["--b"] == "x=y" && read.all("--r") == ["1", "2"] && read["--r"] == "2")
        #expect(try words(["--a=--b"])["--a"] == "--b" && words([])["--a"] == nil && words([]).all("--r").isEmpty)
    }

    @Test(arguments: [
        (["--c"], "unknown word \"--c\""), (["a"], "unknown word \"a\""), (["-a", "1"], "unknown word \"-a\""),
        (["--a"], "--a wants a value"),
        (["--a", "--b", "1"], "--a wants a value"), (["--a="], "--a wants a value"), (["--a", ""], "--a wants a value"),
        (["--a", "1", "--a", "2"], "--a is given twice"), (["--a", "1", "2"], "unknown word \"2\""), ([""], "unknown word \"\""),
    ])
    func `what is wrong is named, with the way to help`(given: [String], said: String) {
        let failure = #expect(throws: CommandFailure.self) { try words(given) }
        #expect(failure?.code == ExitCode.usage && failure?.line.hasPrefix("serve: \(said)") == true)
    }
}

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

    /// Words that begin with two dashes in a text of help.
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
