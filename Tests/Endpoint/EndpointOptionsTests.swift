import Base
import Foundation
import Testing

@testable import Endpoint

struct EndpointOptionsTests {
    static let least = ["--server", "https://localhost:8443", "--meeting", "m1", "--token", "t"]

    @Test func `the words of the contract and the further ones are understood`() throws {
        let options = try EndpointOptions(
            parsing: Self.least + [
                "--name", "Đắk Lắk", "--audio", "tone:440", "--video", "colour:00ff80", "--count", "3", "--duration", "2.5", "--report",
                "-",
                "--site=66", "--kind", "publisher", "--decode", "audio", "--listen-tones", "440,660", "--speak-schedule", "6/30/12",
            ])
        #expect(options.name(of: 2) == "Đắk Lắk 3" && options.sound == .tone(440) && options.pictures == .colour(0x00ff80))
        #expect(options.count == 3 && options.duration == .milliseconds(2_500) && options.report == "-" && options.site == "66")
        #expect(options.kind == .publisher && options.decoding == .audio && options.listenTones == [440, 660])
        #expect(options.schedule == .init(on: .seconds(6), off: .seconds(30), offset: .seconds(12)))
    }

    @Test func `files, none and marks are told apart`() throws {
        #expect(try EndpointOptions(parsing: Self.least).sound == .none)
        #expect(try EndpointOptions(parsing: Self.least + ["--audio", "marks"]).sound == .marks)
        #expect(try EndpointOptions(parsing: Self.least + ["--audio", "a/b.ogg"]).sound == .file("a/b.ogg"))
        #expect(try EndpointOptions(parsing: Self.least + ["--video", "pattern"]).pictures == .pattern)
    }

    @Test(arguments: [
        ["--audio", "tone:x"], ["--audio", "tone:30000"], ["--video", "colour:12345"], ["--video", "colour:+12345"], ["--count", "0"],
        ["--count", "2001"], ["--duration", "-1"], ["--duration", "nan"], ["--kind", "guest"], ["--decode", "some"],
        ["--listen-tones", "1,"],
        ["--speak-schedule", "0/5"], ["--speak-schedule", "5"], ["--colour", "red"], ["--name"], ["--name", "--site"],
        ["--token", "again"],
    ])
    func `what is not understood is a usage error that names the word`(words: [String]) {
        let failure = #expect(throws: CommandFailure.self) { try EndpointOptions(parsing: Self.least + words) }
        #expect(failure?.code == 64 && failure?.line.contains(words[0]) == true)
    }

    @Test(arguments: ["--server", "--meeting", "--token"])
    func `what is needed is asked for`(flag: String) throws {
        var words = Self.least
        let place = try #require(words.firstIndex(of: flag))
        words.removeSubrange(place...place + 1)
        let failure = #expect(throws: CommandFailure.self) { try EndpointOptions(parsing: words) }
        #expect(failure?.code == 64 && failure?.line.contains(flag) == true)
    }

    @Test func `a media file that is missing or not what it says ends with 66 and its name`() throws {
        let missing = #expect(throws: CommandFailure.self) { try EncodedSound.make(.file("/nowhere/a.ogg")) }
        #expect(missing?.code == 66 && missing?.line.contains("/nowhere/a.ogg") == true)
        let other = #expect(throws: CommandFailure.self) { try EncodedSound.make(.file(#filePath)) }
        #expect(other?.code == 66)
        let pictures = #expect(throws: CommandFailure.self) { try EncodedPictures.make(.file(#filePath), label: "") }
        #expect(pictures?.code == 66)
    }
}
