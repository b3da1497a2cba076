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
let names = ["floor", "latency", "allocations", "storm"] + Catalogue.all.map(\.name) + (words.contains("--peers") ? peers : [])
if let wanted = value(of: "--case"), !names.contains(wanted) {
    complain("there is no case \(wanted); known are \(names.joined(separator: ", "))")
}
let chosen = names.filter { value(of: "--case") == nil || $0 == value(of: "--case") }

say(Machine.line)
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
