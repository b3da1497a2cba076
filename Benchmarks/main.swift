import Foundation

// `make bench`: prints what the media core costs, beside the bare codecs on the same work in the same run. No test reads these figures.

let words = Array(CommandLine.arguments.dropFirst())
func value(of flag: String) -> String? { words.firstIndex(of: flag).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil } }

guard let executable = ProcessInfo.processInfo.environment["NHIPCAU"] else {
    FileHandle.standardError.write(Data("bench: NHIPCAU must name the built executable; use make bench\n".utf8))
    exit(64)
}
let cases: [(name: String, run: (BenchServer) async throws -> [Figure])] = [
    ("latency", LatencyCase.run), ("video-12-12", CostCase.run),
]
let chosen = cases.filter { value(of: "--case") == nil || $0.name == value(of: "--case") }
guard !chosen.isEmpty else {
    FileHandle.standardError.write(
        Data("bench: there is no case \(value(of: "--case") ?? ""); known are \(cases.map(\.name).joined(separator: ", "))\n".utf8))
    exit(64)
}

print(Machine.line)
var results: [String: [Figure]] = [:]
for (name, run) in chosen {
    do {
        let server = try await BenchServer(executable)
        defer { server.stop() }
        let figures = try await run(server)
        results[name] = figures
        for figure in figures { print("\(name.padding(toLength: 14, withPad: " ", startingAt: 0)) \(figure.line)") }
    } catch {
        print("\(name): \(error)")
        exit(1)
    }
}
if let file = value(of: "--json") {
    let object = results.mapValues { figures in Dictionary(uniqueKeysWithValues: figures.map { ($0.name, $0.value) }) }
    let data = try JSONSerialization.data(
        withJSONObject: ["machine": Machine.line, "cases": object], options: [.prettyPrinted, .sortedKeys])
    try data.write(to: URL(filePath: file))
}
