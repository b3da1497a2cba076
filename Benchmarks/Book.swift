import Foundation

/// All that one run measured.
@MainActor
final class Book {
    private var figures: [(name: String, figures: [Figure])] = []
    private var results: [String: LoadCase.Result] = [:]
    private var foreign: [String: JanusCase.Result] = [:]
    private var storm: StormCase.Result?
    private var growth: GrowthCase.Result?
    private var gstreamer: GStreamerCase?

    func run(_ name: String, _ executable: String, hook: String?) async throws {
        switch name {
        case "floor": enter(name, try Floor(senders: 12).figures)
        case "latency":
            let server = try await BenchServer(executable)
            defer { server.stop() }
            enter(name, try await LatencyCase.run(server))
        case "allocations":
            guard let hook else { return say("allocations: NHIPCAU_HOOK names no library; use make bench") }
            let file = NSTemporaryDirectory() + "nhipcau-allocations-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: file) }
            // Media alone: who follows a channel is told by control, which may allocate.
            let result = try await Catalogue.video(9, 300, size: "whole").run(executable, hook: (hook, file))
            results[name] = result
            enter(name, result.figures)
        case "growth":
            let result = try await GrowthCase.run(executable)
            growth = result
            enter(name, result.figures)
        case "channel":
            for size in ChannelCase.sizes { enter(name, try await ChannelCase.run(executable, size).figures) }
        case "views": enter(name, try await ViewsCase.run())
        case "storm":
            let result = try await StormCase.run(executable)
            storm = result
            enter(name, result.figures)
        case "quality": enter(name, try QualityCase.run(.usual, pictures: words["--pictures"]))
        case "quality-choices": enter(name, try QualityCase.run(.choices, pictures: nil))
        case "janus-100": try await janus(name, count: 100, speakers: 3)
        case "janus-50-all": try await janus(name, count: 50, speakers: 50)
        case "gstreamer-9":
            let result = try await GStreamerCase.run(executable, senders: 9, listeners: 10)
            gstreamer = result
            enter(name, result.figures)
        default:
            guard let load = Catalogue.all.first(where: { $0.name == name }) else { return }
            let result = try await load.run(executable)
            results[name] = result
            enter(name, result.figures)
        }
    }

    private func janus(_ name: String, count: Int, speakers: Int) async throws {
        let result = try await JanusCase.run(count: count, speakers: speakers)
        foreign[name] = result
        enter(
            name,
            [
                Figure(name: "Janus CPU", value: result.cpu / JanusCase.seconds * 100, unit: "% of a core"),
                Figure(name: "participants", value: Double(result.participants), unit: ""),
                Figure(name: "packets that came back, of all", value: result.delivered * 100, unit: "%"),
                Figure(name: "Janus memory", value: result.memory, unit: "MiB"),
            ])
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

    private func printGrowth(_ growth: GrowthCase.Result) {
        guard let floor = growth.many.floor else { return }
        printRatio("one more listener: CPU against seal and send", growth.more / floor.seconds(of: growth.work), atMost: 1.3)
        if let seconds = floor.listenerSeconds(of: growth.work) {
            printRatio("the same, sealed and sent to 300 with keys and sockets of their own", growth.more / seconds, atMost: 1.3)
        }
        say(String(format: "       one more packet to one more listener: %.2f µs", growth.more / growth.work.sent * 1e6))
        let (memory, listeners) = (growth.many.memory - growth.few.memory, growth.many.sessions - growth.few.sessions)
        printRatio("memory for one more listener, KiB", memory * 1_024 / listeners, atMost: 400)
        printRatio("mixing and composing, 300 listeners against 10, growth", growth.growth, atMost: 0.02)
        if let growth = growth.growthOfWork {
            printRatio("the same, where the bare codecs beside each cost the same", growth, atMost: 0.02)
        }
    }

    private func printRatios(_ gstreamer: GStreamerCase) {
        let (ours, theirs) = (gstreamer.ours, gstreamer.cores)
        printRatio("video-9-10: CPU against GStreamer", ours.cpu / ours.seconds / theirs, atMost: 0.45)
        printRatio("the same, its threads of pictures alone: what the pipeline does", ours.pictures / ours.seconds / theirs, atMost: 0.45)
        guard let one = ours.floor, let other = gstreamer.floor else { return }
        // The pipeline has the machine for itself, a server has its peers beside it: the same frames cost the bare codecs so much more there.
        let speed = one.codecSeconds(of: ours.work) / other.codecSeconds(of: ours.work)
        printRatio(
            String(format: "the same, where the bare codecs beside each cost as 1 to %.2f", speed),
            ours.cpu / ours.seconds / theirs / speed,
            atMost: 0.45)
    }

    func printRatios() {
        if let one = results["video-25-10"], let least = one.least {
            printRatio("video-25-10: server CPU against the floor", one.cpu / least, atMost: 1.15)
        }
        if let growth { printGrowth(growth) }
        if let one = results["audio-500"] {
            printRatio("audio-500: Opus encodes a tick", (one.work.opusEncoded / one.ticks * 10).rounded() / 10, atMost: 4)
        }
        if let storm {
            printRatio("storm: sound of those already in, concealed, %", storm.concealed * 100, atMost: 0.1)
            printRatio("storm: first picture, 95th percentile, ms", storm.first95, atMost: 2_000)
            printRatio("storm: key frames a second and tier", storm.keyFramesPerSecond, atMost: 1)
        }
        if let ours = results["audio-500"], let theirs = foreign["janus-100"] {
            let (one, other) = (ours.cpu / ours.seconds / ours.sessions, theirs.cpu / JanusCase.seconds / Double(theirs.participants))
            printRatio("audio-500: CPU a participant against Janus", one / other, atMost: 0.05)
        }
        if let ours = results["audio-50-all"], let theirs = foreign["janus-50-all"] {
            printRatio(
                "audio-50 all speaking: CPU against Janus", ours.cpu / ours.seconds / (theirs.cpu / JanusCase.seconds), atMost: 1 / 3)
        }
        if let gstreamer { printRatios(gstreamer) }
        if let one = results["video-9-41-all"], let floor = one.floor {
            // What the issue's machine spends on a decode and on the encodes, for scale.
            let scale = (floor.videoDecode + floor.videoEncode.reduce(0, +)) / (0.00033 + 0.0045 + 0.001 + 0.00035)
            printRatio("video-9-41 all sending: CPU against FreeSWITCH's 140 %", one.cpu / one.seconds / (1.4 * scale), atMost: 0.3)
        }
        if let one = results["allocations"]?.allocationsPerThousand { printRatio("allocations for 1000 packets", one, atMost: 1) }
    }

    /// How the cost grows; nil where too few of the cases were run.
    var plot: String? {
        func points(_ prefix: String, _ suffixes: [Int]) -> [(Double, Double)] {
            suffixes.compactMap { suffix in
                results["\(prefix)-\(suffix)"].map { ($0.sessions, $0.cpu / $0.seconds * 100) }
            }
        }
        var lines = [
            Plot.Line(name: "audio, 3 speaking", colour: "#1a6fb0", points: points("audio", [10, 100, 500, 1_000])),
            Plot.Line(name: "video, 9 seen", colour: "#c0392b", points: points("video-9", [10, 41, 100, 300])),
            Plot.Line(name: "video, 25 seen", colour: "#8e44ad", points: points("video-25", [10, 41, 100, 300])),
        ]
        if let janus = foreign["janus-100"] {
            let each = janus.cpu / JanusCase.seconds / Double(janus.participants) * 100
            lines.append(
                Plot.Line(name: "Janus, audio (at 100)", colour: "#7f8c8d", points: [(0, 0), (Double(janus.participants), each * 100)]))
        }
        lines.removeAll { $0.points.count < 2 }
        return lines.isEmpty ? nil : Plot(title: "CPU of the server, % of a core", lines: lines).svg
    }

    var json: Data {
        get throws {
            let object = Dictionary(
                uniqueKeysWithValues: figures.map { name, lines in
                    (name, Dictionary(uniqueKeysWithValues: lines.map { ($0.name, $0.value) }))
                })
            return try JSONSerialization.data(
                withJSONObject: ["machine": Machine.line, "cases": object], options: [.prettyPrinted, .sortedKeys])
        }
    }
}
