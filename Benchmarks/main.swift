import Foundation

// `make bench`: prints what the media core costs, beside the bare libraries on the same work in the same run. No test reads these figures.

let words = Array(CommandLine.arguments.dropFirst())
func value(of flag: String) -> String? { words.firstIndex(of: flag).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil } }
func complain(_ line: String) -> Never {
    FileHandle.standardError.write(Data("bench: \(line)\n".utf8))
    exit(64)
}

guard let executable = ProcessInfo.processInfo.environment["NHIPCAU"] else {
    complain("NHIPCAU must name the built executable; use make bench")
}
let peers = ["janus-100", "janus-50-all", "gstreamer-9"]
let names =
    ["floor", "latency", "allocations", "storm", "growth", "channel", "views", "quality", "quality-choices"] + Catalogue.all.map(\.name)
    + (words.contains("--peers") ? peers : [])
// One case, or some by commas: those that a ratio compares. `peers` is all that stands beside one.
let wanted = value(of: "--case")?.split(separator: ",").flatMap { name in
    name == "peers" ? ["audio-500", "audio-50-all"] + peers : [String(name)]
}
if let unknown = wanted?.first(where: { !names.contains($0) }) {
    complain("there is no case \(unknown); known are \(names.joined(separator: ", ")), and peers")
}
let compared = ["video-25-10", "video-9-300", "audio-500", "storm"]
let byName = ["quality-choices"]  // what only somebody who chooses anew wants to see
let chosen = names.filter { wanted?.contains($0) ?? (value(of: "--before") == nil ? !byName.contains($0) : compared.contains($0)) }

say(Machine.line)
if let before = value(of: "--before") {
    guard FileManager.default.isExecutableFile(atPath: before) else { complain("\(before) is no executable") }
    for name in chosen {
        do {
            if name == "storm" {
                try await StormPair.run(before: before, now: executable).printOut()
            } else if let load = Catalogue.all.first(where: { $0.name == name }) {
                var pair = PairCase(load, before: before, now: executable)
                try await pair.run(rounds: value(of: "--rounds").flatMap { Int($0) } ?? PairCase.usualRounds)
                pair.printOut()
            } else {
                complain("\(name) is not compared with a build before")
            }
        } catch {
            say("\(name): \(error)")
            exit(1)
        }
    }
    exit(0)
}
let book = Book()
for name in chosen {
    do {
        try await book.run(name, executable, hook: ProcessInfo.processInfo.environment["NHIPCAU_HOOK"])
    } catch {
        say("\(name): \(error)")
        exit(1)
    }
}
book.printRatios()
if let file = value(of: "--json") { try book.json.write(to: URL(filePath: file)) }
if let file = value(of: "--plot"), let plot = book.plot { try plot.write(toFile: file, atomically: true, encoding: .utf8) }
