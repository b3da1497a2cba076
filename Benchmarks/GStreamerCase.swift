import Endpoint
import Foundation

/// GStreamer's way to the same picture: so many VP8 decoders, `compositor`, three encoders, in real time from a file.
enum GStreamerCase {
    private static let (seconds, parts) = (10.0, 4)

    /// - Returns: cores used, and the bare codecs as they are beside it.
    static func run(senders: Int) async throws -> (cores: Double, floor: Floor) {
        guard let clip = HeadlessEndpoint.bundledMedia("clip-person-360p.ivf") else { throw BenchError(description: "no clip") }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/gst-launch-1.0")
        let columns = Int(Double(senders).squareRoot().rounded(.up))
        let (width, height) = (1_280 / columns, 720 / columns)
        // The clip is played again and again by a pipe that never ends.
        let endless = NSTemporaryDirectory() + "nhipcau-endless-\(UUID().uuidString).ivf"
        try repeated(clip, frames: 1_200).write(to: URL(filePath: endless))
        defer { try? FileManager.default.removeItem(atPath: endless) }
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
            words += ["filesrc", "location=\(endless)", "!", "ivfparse", "!", "vp8dec", "!", "queue", "!", "c.sink_\(index)"]
        }
        process.arguments = words
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        try await Task.sleep(for: .seconds(4))
        let path = "/proc/\(process.processIdentifier)/stat"
        var floors: [Floor] = []
        var used = 0.0
        for _ in 0..<parts {
            let before = try BenchServer.cpuSeconds(path)
            try await Task.sleep(for: .seconds(seconds / Double(parts)))
            guard process.isRunning else { throw BenchError(description: "the pipeline ended: \(words.joined(separator: " "))") }
            used += try BenchServer.cpuSeconds(path) - before
            floors.append(try Floor(senders: senders))
        }
        guard let floor = Floor(meanOf: floors) else { throw BenchError(description: "the floor was not measured") }
        return (used / seconds, floor)
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
