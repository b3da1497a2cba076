import Endpoint
import Foundation

/// GStreamer's way to the same picture: so many VP8 decoders, `compositor`, three encoders, in real time from a file. The machine's speed drifts by more
/// than the two differ, so they are measured in turn, several times.
struct GStreamerCase {
    private static let (rounds, seconds, parts) = (4, 6.0, 3)
    private let senders: Int
    private let file: String
    /// The pipeline's.
    private(set) var cpu = 0.0
    private(set) var measured = 0.0
    private var floors: [Floor] = []
    private(set) var ours = LoadCase.Result()

    var floor: Floor? { Floor(meanOf: floors) }
    var cores: Double { cpu / measured }

    var figures: [Figure] {
        [Figure(name: "GStreamer's CPU", value: cores * 100, unit: "% of a core")]
            + ours.figures.map { Figure(name: "beside it: \($0.name)", value: $0.value, unit: $0.unit) }
    }

    static func run(_ executable: String, senders: Int, listeners: Int) async throws -> GStreamerCase {
        // The clip is played again and again by a pipe that never ends.
        guard let clip = HeadlessEndpoint.bundledMedia("clip-person-360p.ivf") else { throw BenchError(description: "no clip") }
        var made = GStreamerCase(senders: senders, file: NSTemporaryDirectory() + "nhipcau-endless-\(UUID().uuidString).ivf")
        defer { try? FileManager.default.removeItem(atPath: made.file) }
        try repeated(clip, frames: 4_000).write(to: URL(filePath: made.file))
        // The pipeline decodes whole pictures.
        let load = Catalogue.video(senders, listeners, size: "whole")
        let server = try await BenchServer(executable, layout: load.layout)
        defer { server.stop() }
        for _ in 0..<rounds {
            try await made.measureServer(server, load, sessions: Double(senders + listeners))
            try await made.measurePipeline()
        }
        return made
    }

    private mutating func measureServer(_ server: BenchServer, _ load: LoadCase, sessions: Double) async throws {
        var processes = try LoadCase.start(load.crowds, server)
        defer { LoadCase.end(&processes) }
        try await LoadCase.wait(for: sessions, at: server)
        try await Task.sleep(for: .seconds(8))
        try await load.measure(server, seconds: Self.seconds, parts: Self.parts, floors: Self.parts, into: &ours)
        ours.memory = server.residentMebibytes()
        LoadCase.end(&processes)
        try await LoadCase.wait(for: 0, at: server)
    }

    private mutating func measurePipeline() async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/gst-launch-1.0")
        process.arguments = words
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        defer {
            // Foundation's threads have SIGTERM blocked, and so has what they start.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        try await Task.sleep(for: .seconds(4))
        let path = "/proc/\(process.processIdentifier)/stat"
        for _ in 0..<Self.parts {
            let (before, began) = (try BenchServer.cpuSeconds(path), Date.now)
            try await Task.sleep(for: .seconds(Self.seconds / Double(Self.parts)))
            guard process.isRunning else { throw BenchError(description: "the pipeline ended: \(words.joined(separator: " "))") }
            cpu += try BenchServer.cpuSeconds(path) - before
            measured += Date.now.timeIntervalSince(began)
            floors.append(try Floor(senders: senders))
        }
    }

    private var words: [String] {
        let columns = Int(Double(senders).squareRoot().rounded(.up))
        let (width, height) = (1_280 / columns, 720 / columns)
        var words = ["-q", "compositor", "name=c", "background=black"]
        for index in 0..<senders {
            words += ["sink_\(index)::xpos=\(index % columns * width)", "sink_\(index)::ypos=\(index / columns * height)"]
            words += ["sink_\(index)::width=\(width)", "sink_\(index)::height=\(height)"]
        }
        words += ["!", "video/x-raw,format=I420,width=1280,height=720,framerate=25/1", "!", "identity", "sync=true", "!", "tee", "name=t"]
        for (width, height, rate) in [(1_280, 720, 1_500_000), (640, 360, 500_000), (320, 180, 150_000)] {
            words += ["t.", "!", "queue", "!", "videoscale", "!", "video/x-raw,width=\(width),height=\(height)", "!"]
            words += ["vp8enc", "deadline=1", "cpu-used=8", "target-bitrate=\(rate)", "!", "fakesink", "sync=false"]
        }
        for index in 0..<senders {
            words += ["filesrc", "location=\(file)", "!", "ivfparse", "!", "vp8dec", "!", "queue", "!", "c.sink_\(index)"]
        }
        return words
    }

    /// An IVF file with the clip's frames again and again, each with its own time.
    private static func repeated(_ path: String, frames: Int) throws -> Data {
        let source = [UInt8](try Data(contentsOf: URL(filePath: path)))
        guard source.count > 44 else { throw BenchError(description: "\(path) is no IVF") }
        var packets: [ArraySlice<UInt8>] = []
        var at = 32
        while at + 12 <= source.count {
            let size = (0..<4).reduce(0) { $0 | Int(source[at + $1]) << (8 * $1) }
            guard at + 12 + size <= source.count else { break }
            packets.append(source[(at + 12)..<(at + 12 + size)])
            at += 12 + size
        }
        var made = Data(source[0..<32])
        for index in 0..<frames {
            let packet = packets[index % packets.count]
            for shift in 0..<4 { made.append(UInt8(packet.count >> (8 * shift) & 255)) }
            for shift in 0..<8 { made.append(UInt8(index >> (8 * shift) & 255)) }
            made.append(contentsOf: packet)
        }
        return made
    }
}
