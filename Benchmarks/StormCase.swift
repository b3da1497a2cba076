import Foundation

/// Three hundred viewers join a running meeting at once: what those already in hear of it, and how soon the newcomers see.
enum StormCase {
    private static let (joiners, processes) = (300, 6)
    /// After the last join, in which key frames are counted.
    private static let keyFrameSeconds = 2.0
    /// From the first join on, in which the server's CPU is counted: whatever takes longer is in it.
    private static let cpuSeconds = 8.0

    struct Result {
        var concealed = 0.0
        var gap = 0.0
        /// Milliseconds from asking to join to the first picture, at the 95th percentile, and of the last.
        var first95 = 0.0
        var firstMost = 0.0
        var seen = 0
        var keyFramesPerSecond = 0.0
        /// Until the last of the joins was answered and connected.
        var seconds = 0.0
        var late = 0.0
        var skipped = 0.0
        /// The server's, of a core, in the first `cpuSeconds` from the first join on.
        var cpu = 0.0

        var figures: [Figure] {
            [
                Figure(name: "sound of those already in, concealed", value: concealed * 100, unit: "%"),
                Figure(name: "longest gap in their sound", value: gap, unit: "ms"),
                Figure(name: "joiners who saw a picture", value: Double(seen), unit: ""),
                Figure(name: "all connected after", value: seconds, unit: "s"),
                Figure(name: "first picture, 95th percentile", value: first95, unit: "ms"),
                Figure(name: "first picture, last", value: firstMost, unit: "ms"),
                Figure(name: "key frames a second and tier", value: keyFramesPerSecond, unit: ""),
                Figure(name: "ticks late", value: late, unit: ""),
                Figure(name: "pictures left out", value: skipped, unit: ""),
            ]
        }
    }

    /// - Parameter endpoints: the executable whose headless endpoints make the load; nil for the server's own.
    static func run(_ executable: String, endpoints: String? = nil) async throws -> Result {
        let server = try await BenchServer(executable, endpoints: endpoints)
        defer { server.stop() }
        let folder = NSTemporaryDirectory() + "nhipcau-storm-\(UUID().uuidString)/"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var present: [Process] = []
        for crowd in Catalogue.senders(9) { present.append(try server.endpoint(crowd.name, crowd.words(60))) }
        present.append(try server.endpoint("Nghe", ["--kind", "viewer", "--decode", "none", "--report", folder + "present.json"]))
        defer { for process in present where process.isRunning { process.terminate() } }
        try await Task.sleep(for: .seconds(8))
        let names = ["key_frames_total", "ticks_late_total", "pictures_skipped_total"]
        var before: [String: Double] = [:]
        for name in names { before[name] = try await server.metric("nhipcau_media_" + name) }
        let (start, spent) = (Date.now, try server.cpuSeconds())
        var crowds: [Process] = []
        for index in 0..<processes {
            let words = Crowd(name: "Ùa \(index)", count: joiners / processes, kind: "viewer").words(15)
            crowds.append(try server.endpoint("Ùa \(index)", words + ["--report", folder + "\(index).json"]))
        }
        var result = Result()
        while try await server.metric("nhipcau_media_sessions") < Double(joiners + 10), Date.now.timeIntervalSince(start) < 40 {
            try await Task.sleep(for: .milliseconds(100))
        }
        result.seconds = Date.now.timeIntervalSince(start)
        // As long as the last ones wait for their first picture.
        try await Task.sleep(for: .seconds(keyFrameSeconds))
        let passed = Date.now.timeIntervalSince(start)
        func more(_ name: String) async throws -> Double { try await server.metric("nhipcau_media_" + name) - (before[name] ?? 0) }
        // One each second makes n + 1 in n seconds.
        result.keyFramesPerSecond = max(0, try await more("key_frames_total") - 1) / passed
        try await Task.sleep(for: .seconds(max(0, cpuSeconds - Date.now.timeIntervalSince(start))))
        result.cpu = (try server.cpuSeconds() - spent) / Date.now.timeIntervalSince(start)
        for process in crowds { process.waitUntilExit() }
        (result.late, result.skipped) = (try await more("ticks_late_total"), try await more("pictures_skipped_total"))
        for process in present { process.terminate() }
        for process in present { process.waitUntilExit() }
        try read(folder, into: &result)
        return result
    }

    private static func read(_ folder: String, into result: inout Result) throws {
        func number(_ part: [String: Any]?, _ name: String) -> Double? { (part?[name] as? NSNumber)?.doubleValue }
        guard let one = try BenchServer.report(folder + "present.json").first, let sound = one["sound"] as? [String: Any] else {
            throw BenchError(description: "the listener wrote no report")
        }
        (result.concealed, result.gap) = (number(sound, "concealedFraction") ?? 1, number(sound, "longestGapMilliseconds") ?? 0)
        var first: [Double] = []
        for index in 0..<processes {
            for one in try BenchServer.report(folder + "\(index).json") {
                if let time = number(one["picture"] as? [String: Any], "firstMilliseconds") { first.append(time) }
            }
        }
        first.sort()
        result.seen = first.count
        guard !first.isEmpty else { return }
        (result.first95, result.firstMost) = (first[min(first.count - 1, first.count * 95 / 100)], first[first.count - 1])
    }
}
