import Base
import Foundation

extension EndpointOptions {
    /// - Parameter arguments: what follows `endpoint` on the command line.
    /// - Parameter environment: the value of a variable; asked only for what no word says.
    package init(parsing arguments: [String], environment: (String) -> String? = { _ in nil }) throws(CommandFailure) {
        let words = try Arguments(arguments, of: "endpoint", known: Self.known)
        guard let server = words["--server"] else { throw .misused("--server is missing.") }
        guard let url = URL(string: server), ["http", "https"].contains(url.scheme), url.host() != nil else {
            throw .misused("--server \(server) is not an http or https URL.")
        }
        guard let meeting = words["--meeting"], !meeting.isEmpty else { throw .misused("--meeting is missing.") }
        self.init(server: url, meeting: meeting, name: words["--name"] ?? "endpoint")
        try readSecrets(words, environment)
        guard token != nil || (username != nil && password != nil) else {
            throw .misused("--token, --token-file or NHIPCAU_TOKEN, or --username and --password or NHIPCAU_PASSWORD, is missing.")
        }
        (site, report, label) = (words["--site"], words["--report"], words["--label"])
        kind = try Self.choice("--kind", words, kind)
        decoding = try Self.choice("--decode", words, decoding)
        media = try Self.choice("--media", words, media)
        size = try Self.choice("--size", words, size)
        if let word = words["--audio"] { sound = try Self.sound(word) }
        if let word = words["--video"] { pictures = try Self.pictures(word) }
        try readNumbers(words)
    }

    /// Words go before the file, and that before the environment; an account named by words before a token of the environment.
    private mutating func readSecrets(_ words: Arguments, _ environment: (String) -> String?) throws(CommandFailure) {
        (token, username, password) = (words["--token"], words["--username"], words["--password"])
        if let file = words["--token-file"] {
            guard token == nil else { throw .misused("--token and --token-file are one too many.") }
            guard let bytes = FileManager.default.contents(atPath: file), bytes.count <= 65_536 else {
                throw .input(file, "cannot be read; name a file with the token as its first line.")
            }
            let line = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init)
            token = line?.trimmingCharacters(in: .whitespaces)
            guard let token, !token.isEmpty else { throw .input(file, "has no token in its first line.") }
        }
        if token == nil, username == nil { token = environment("NHIPCAU_TOKEN").flatMap { $0.isEmpty ? nil : $0 } }
        if token == nil, username != nil, password == nil { password = environment("NHIPCAU_PASSWORD") }
    }

    static let known: Set<String> = [
        "--server", "--token", "--token-file", "--username", "--password", "--meeting", "--name", "--site", "--kind", "--audio", "--video",
        "--count", "--duration", "--report", "--label", "--media", "--limit", "--speak-schedule", "--listen-tones", "--decode", "--size",
    ]

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ flag: String, _ words: Arguments, _ standard: Choice
    ) throws(CommandFailure) -> Choice {
        guard let word = words[flag] else { return standard }
        guard let choice = Choice(rawValue: word) else {
            throw .misused("\(flag) \(word) is none of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return choice
    }

    private static func sound(_ word: String) throws(CommandFailure) -> Sound {
        if word == "none" { return .none }
        if word == "silence" { return .silence }
        if word == "hum" { return .hum }
        if word == "marks" { return .marks }
        guard word.hasPrefix("tone:") else { return .file(word) }
        guard let hertz = Int(word.dropFirst(5)), (50...20_000).contains(hertz) else {
            throw .misused("--audio \(word): HZ is a number from 50 to 20000.")
        }
        return .tone(hertz)
    }

    private static func pictures(_ word: String) throws(CommandFailure) -> Pictures {
        if word == "none" { return .none }
        if word == "pattern" { return .pattern }
        if word == "marks" { return .marks }
        guard word.hasPrefix("colour:") else { return .file(word) }
        let digits = word.dropFirst(7)
        guard digits.count == 6, digits.allSatisfy(\.isHexDigit), let colour = UInt32(digits, radix: 16) else {
            throw .misused("--video \(word): RRGGBB is six hexadecimal digits.")
        }
        return .colour(colour)
    }

    private mutating func readNumbers(_ words: Arguments) throws(CommandFailure) {
        if let word = words["--count"] {
            guard let count = Int(word), (1...Self.mostEndpoints).contains(count) else {
                throw .misused("--count \(word) is not a number from 1 to \(Self.mostEndpoints).")
            }
            self.count = count
        }
        if let word = words["--limit"] {
            guard let bits = Int(word), (30_000...100_000_000).contains(bits) else {
                throw .misused("--limit \(word) is not a number of bit/s from 30000 to 100000000.")
            }
            limit = bits
        }
        if let word = words["--duration"] { duration = try Self.seconds(word, of: "--duration") }
        if let word = words["--listen-tones"] {
            let tones = word.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
            guard tones.count <= Self.mostTones, tones.allSatisfy({ (50...20_000).contains($0) }) else {
                throw .misused("--listen-tones \(word) is not a list of at most \(Self.mostTones) numbers from 50 to 20000.")
            }
            listenTones = tones
        }
        guard let word = words["--speak-schedule"] else { return }
        let parts = word.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count) else { throw .misused("--speak-schedule \(word) is not ON/OFF/OFFSET in seconds.") }
        let times = try parts.map { part throws(CommandFailure) in try Self.seconds(part, of: "--speak-schedule") }
        guard times[0] > .zero else { throw .misused("--speak-schedule \(word): ON is nothing.") }
        schedule = Schedule(on: times[0], off: times[1], offset: times.count == 3 ? times[2] : .zero)
    }

    private static func seconds(_ word: String, of flag: String) throws(CommandFailure) -> Duration {
        guard let seconds = Double(word), seconds >= 0, seconds <= 31_536_000 else {
            throw .misused("\(flag) \(word) is not a number of seconds.")
        }
        return .milliseconds(Int64((seconds * 1_000).rounded()))
    }
}
