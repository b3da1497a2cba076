import Testing

@testable import Base

struct ArgumentsTests {
    private func words(_ words: [String]) throws(CommandFailure) -> Arguments {
        try Arguments(words, of: "serve", known: ["--a", "--b"], repeatable: ["--r"], switches: ["--s"])
    }

    @Test func `a value follows its flag, or stands behind an equals sign`() throws {
        let read = try words(["--a", "1", "--b=x=y", "--r", "1", "--r=2"])
        #expect(read["--a"] == "1" && read["--b"] == "x=y" && read.all("--r") == ["1", "2"] && read["--r"] == "2")
        #expect(try words(["--s", "--a", "1"]).has("--s") && words(["--a", "1"]).has("--s") == false)
        #expect(try words(["--a=--b"])["--a"] == "--b" && words([])["--a"] == nil && words([]).all("--r").isEmpty)
    }

    @Test(arguments: [
        (["--c"], "unknown word \"--c\""), (["a"], "unknown word \"a\""), (["-a", "1"], "unknown word \"-a\""),
        (["--a"], "--a wants a value"),
        (["--a", "--b", "1"], "--a wants a value"), (["--a="], "--a wants a value"), (["--a", ""], "--a wants a value"),
        (["--a", "1", "--a", "2"], "--a is given twice"), (["--a", "1", "2"], "unknown word \"2\""),
        (["--s", "--s"], "--s is given twice"), (["--s=1"], "unknown word \"--s=1\""), ([""], "unknown word \"\""),
    ])
    func `what is wrong is named, with the way to help`(given: [String], said: String) {
        let failure = #expect(throws: CommandFailure.self) { try words(given) }
        #expect(failure?.code == ExitCode.usage && failure?.line.hasPrefix("serve: \(said)") == true)
    }
}
