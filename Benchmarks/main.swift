import Base
import Foundation

// `make bench`: prints what the media core costs, beside the bare libraries on the same work in the same run. No test reads these figures.

func complain(_ line: String) -> Never {
    FileHandle.standardError.write(Data("bench: \(line)\n".utf8))
    exit(64)
}

let words: Arguments
do throws(CommandFailure) {
    words = try Arguments(
        Array(CommandLine.arguments.dropFirst()), of: "bench",
        known: ["--case", "--before", "--rounds", "--json", "--plot", "--pictures"], switches: ["--peers"], help: "make help")
} catch { complain(error.line) }
guard let executable = ProcessInfo.processInfo.environment["NHIPCAU"] else {
    complain("NHIPCAU must name the built executable; use make bench")
}
let peers = ["janus-100", "janus-50-all", "gstreamer-9"]
let names =
    ["floor", "latency", "allocations", "storm", "growth", "channel", "views", "quality", "quality-choices"] + Catalogue.all.map(\.name)
    + (words.has("--peers") ? peers : [])
// One case, or some by commas: those that a ratio compares. `peers` is all that stands beside one.
let wanted = words["--case"]?.split(separator: ",").flatMap { name in
    name == "peers" ? ["audio-500", "audio-50-all"] + peers : [String(name)]
}
if let unknown = wanted?.first(where: { !names.contains($0) }) {
    complain("there is no case \(unknown); known are \(names.joined(separator: ", ")), and peers")
}
let compared = ["video-25-10", "video-9-300", "audio-500", "storm"]
let byName = ["quality-choices"]  // what only somebody who chooses anew wants to see
let chosen = names.filter { wanted?.contains($0) ?? (words["--before"] == nil ? !byName.contains($0) : compared.contains($0)) }

say(Machine.line)
if let before = words["--before"] {
    guard FileManager.default.isExecutableFile(atPath: before) else { complain("\(before) is no executable") }
    for name in chosen {
        do {
            if name == "storm" {
                try await StormPair.run(before: before, now: executable).printOut()
            } else if let load = Catalogue.all.first(where: { $0.name == name }) {
                var pair = PairCase(load, before: before, now: executable)
                try await pair.run(rounds: words["--rounds"].flatMap { Int($0) } ?? PairCase.usualRounds)
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
if let file = words["--json"] { try book.json.write(to: URL(filePath: file)) }
if let file = words["--plot"], let plot = book.plot { try plot.write(toFile: file, atomically: true, encoding: .utf8) }
