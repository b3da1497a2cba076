import Endpoint
import Foundation
import Video

/// Sound in to sound out, picture in to picture out, through a server on loopback: one site sends marks, another measures how late they come.
enum LatencyCase {
    static func run(_ server: BenchServer) async throws -> [Figure] {
        let report = NSTemporaryDirectory() + "nhipcau-latency-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: report) }
        let sender = try server.endpoint("Phát", ["--kind", "publisher", "--audio", "marks", "--video", "marks", "--duration", "34"])
        let listener = try server.endpoint("Thu", ["--kind", "viewer", "--decode", "all", "--duration", "30", "--report", report])
        listener.waitUntilExit()
        sender.waitUntilExit()
        guard let one = try BenchServer.report(report).first else { throw BenchError(description: "the listener wrote no report") }
        func spread(_ part: String) throws -> [String: Any] {
            guard let spread = (one[part] as? [String: Any])?["latencyMilliseconds"] as? [String: Any] else {
                throw BenchError(description: "no marks were found in the \(part)")
            }
            return spread
        }
        let (sound, picture) = (try spread("sound"), try spread("picture"))
        func number(_ spread: [String: Any], _ name: String) -> Double { spread[name] as? Double ?? Double(spread[name] as? Int ?? 0) }
        return [
            Figure(name: "sound in to sound out, median", value: number(sound, "median"), unit: "ms"),
            Figure(name: "sound in to sound out, most", value: number(sound, "most"), unit: "ms"),
            Figure(name: "sound marks", value: number(sound, "count"), unit: ""),
            Figure(name: "picture in to picture out, median", value: number(picture, "median"), unit: "ms"),
            Figure(name: "picture in to picture out, most", value: number(picture, "most"), unit: "ms"),
            Figure(name: "picture marks", value: number(picture, "count"), unit: ""),
            Figure(name: "picture after sound, medians", value: number(picture, "median") - number(sound, "median"), unit: "ms"),
        ]
    }
}

/// Twelve sites that send 640×360 and sound and receive the composed picture: the server's CPU beside the bare codecs on the same frames.
enum CostCase {
    private static let seconds = 20

    static func run(_ server: BenchServer) async throws -> [Figure] {
        guard let clip = HeadlessEndpoint.bundledMedia("clip-person-360p.ivf") else {
            throw BenchError(description: "clip-person-360p.ivf is not installed")
        }
        let sites = try server.endpoint(
            "Điểm cầu", ["--count", "12", "--audio", "tone:440", "--video", clip, "--decode", "none", "--duration", String(seconds + 12)])
        try await Task.sleep(for: .seconds(6))
        let before = try await Sample(server)
        try await Task.sleep(for: .seconds(seconds))
        let after = try await Sample(server)
        let memory = server.residentMebibytes()
        sites.waitUntilExit()
        return try figures(before, after, memory, clip)
    }

    private struct Sample {
        var cpu: Double
        var decoded: Double
        var composed: Double
        var ticks: Double
        var sent: Double
        var skipped: Double

        init(_ server: BenchServer) async throws {
            decoded = try await server.metric("nhipcau_media_frames_decoded_total")
            composed = try await server.metric("nhipcau_media_pictures_composed_total")
            ticks = try await server.metric("nhipcau_media_ticks_total")
            sent = try await server.metric("nhipcau_media_datagrams_sent_total")
            skipped = try await server.metric("nhipcau_media_pictures_skipped_total")
            cpu = try server.cpuSeconds()
        }
    }

    private static func figures(_ before: Sample, _ after: Sample, _ memory: Double, _ clip: String) throws -> [Figure] {
        let ivf = try IVFReader(parsing: [UInt8](Data(contentsOf: URL(filePath: clip))))
        let (decode, encode, opus) = (try Codecs.decodeSeconds(ivf), try Codecs.encodeSeconds(ivf), try Codecs.opusSeconds())
        let (decoded, composed, ticks) = (after.decoded - before.decoded, after.composed - before.composed, after.ticks - before.ticks)
        // Each tick decodes twelve senders and encodes the mix for the listeners and for each of the five who are heard.
        let floor = decoded * decode + composed * encode + ticks * (12 * opus.decode + 6 * opus.encode)
        let cpu = after.cpu - before.cpu
        return [
            Figure(name: "server CPU", value: cpu / Double(seconds) * 100, unit: "% of a core"),
            Figure(name: "codec floor of the same frames", value: floor / Double(seconds) * 100, unit: "% of a core"),
            Figure(name: "server CPU against the floor", value: cpu / floor, unit: "×"),
            Figure(name: "bare VP8 decode 640×360", value: decode * 1_000, unit: "ms"),
            Figure(name: "bare VP8 encode 1280×720", value: encode * 1_000, unit: "ms"),
            Figure(
                name: "bare Opus decode / encode of 20 ms", value: opus.decode * 1_000,
                unit: String(format: "ms / %.3f ms", opus.encode * 1_000)),
            Figure(name: "frames decoded a second", value: decoded / Double(seconds), unit: ""),
            Figure(name: "pictures composed a second", value: composed / Double(seconds), unit: ""),
            Figure(name: "pictures left out", value: after.skipped - before.skipped, unit: ""),
            Figure(name: "datagrams sent a second", value: (after.sent - before.sent) / Double(seconds), unit: ""),
            Figure(name: "server memory", value: memory, unit: "MiB"),
        ]
    }
}
