import Foundation

/// All that one run measured.
@MainActor
final class Book {
    private var figures: [(name: String, figures: [Figure])] = []
    private var results: [String: LoadCase.Result] = [:]
    private var floors: [Int: Floor] = [:]

    func run(_ name: String, _ executable: String, hook: String?) async throws {
        switch name {
        case "floor": enter(name, try floor(12).figures)
        case "latency":
            let server = try await BenchServer(executable)
            defer { server.stop() }
            enter(name, try await LatencyCase.run(server))
        case "allocations":
            guard let hook else { return say("allocations: NHIPCAU_HOOK names no library; use make bench") }
            let file = NSTemporaryDirectory() + "nhipcau-allocations-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: file) }
            let result = try await Catalogue.video(9, 41).run(executable, hook: (hook, file))
            results[name] = result
            enter(name, result.figures(nil))
        default:
            guard let load = Catalogue.all.first(where: { $0.name == name }) else { return }
            // Beside the case, since the machine is not the same from one minute to the next.
            let floor = try Floor(senders: max(1, load.visible))
            floors[load.visible] = floor
            let result = try await load.run(executable)
            results[name] = result
            enter(name, result.figures(floor))
        }
    }

    private func floor(_ senders: Int) throws -> Floor {
        if let known = floors[senders] { return known }
        let floor = try Floor(senders: senders)
        floors[senders] = floor
        return floor
    }

    private func enter(_ name: String, _ lines: [Figure]) {
        figures.append((name, lines))
        for line in lines { say("\(name.padding(toLength: 18, withPad: " ", startingAt: 0)) \(line.line)") }
    }

    // MARK: Ratios

    private func printRatio(_ name: String, _ value: Double, atMost limit: Double) {
        let isMet = value <= limit ? "met" : "missed"
        say(
            "ratio  \(name.padding(toLength: 66, withPad: " ", startingAt: 0)) \(String(format: "%9.3f", value))  ≤ \(limit)  \(isMet)")
    }

    func printRatios() {
        if let one = results["video-25-10"], let floor = floors[25] {
            printRatio("video-25-10: server CPU against the floor", one.cpu / floor.seconds(of: one.work), atMost: 1.15)
        }
        if let few = results["video-9-100"], let many = results["video-9-300"], let floor = floors[9] {
            let listeners = many.sessions - few.sessions
            // Eight of ten take the high tier: what the further ones were sent, whatever tier they have.
            var work = Work()
            (work.sent, work.soundSent) = (many.work.sent - few.work.sent, many.work.soundSent - few.work.soundSent)
            printRatio("one more listener: CPU against seal and send", (many.cpu - few.cpu) / floor.seconds(of: work), atMost: 1.3)
            printRatio("memory for one more listener, KiB", (many.memory - few.memory) * 1_024 / listeners, atMost: 400)
        }
        if let few = results["video-9-10"], let many = results["video-9-300"] {
            printRatio("mixing and composing, 300 listeners against 10, growth", many.mixing / few.mixing - 1, atMost: 0.02)
        }
        if let one = results["audio-500"] {
            printRatio("audio-500: Opus encodes a tick", one.work.opusEncoded / one.ticks, atMost: 4)
        }
        if let one = results["allocations"]?.allocationsPerThousand { printRatio("allocations for 1000 packets", one, atMost: 1) }
    }

    var json: Data {
        get throws {
            let object = Dictionary(uniqueKeysWithValues: figures.map { name, lines in
                (name, Dictionary(uniqueKeysWithValues: lines.map { ($0.name, $0.value) }))
            })
            return try JSONSerialization.data(
                withJSONObject: ["machine": Machine.line, "cases": object], options: [.prettyPrinted, .sortedKeys])
        }
    }
}
