import Audio
import CFloor
import Endpoint
import Foundation
import FoundationNetworking

/// Janus AudioBridge (Debian's) with participants over plain RTP, so without any encryption, on the same packets as our `audio-N`.
final class JanusCase {
    private let process = Process()
    private let folder = NSTemporaryDirectory() + "nhipcau-janus-\(UUID().uuidString)"
    private let port = UInt16.random(in: 20_000..<30_000)

    struct Result {
        var cpu = 0.0
        var participants = 0
        var memory = 0.0
        /// Packets that came back, of those that a perfect bridge sends.
        var delivered = 0.0
    }

    static let seconds = 10.0

    /// - Parameters:
    ///   - count: in the room, `speakers` of them speaking.
    static func run(count: Int, speakers: Int) async throws -> Result {
        guard let path = ["/usr/bin/janus"].first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw BenchError(description: "Janus is not installed; use make bench-peers")
        }
        let janus = try JanusCase(path)
        defer { janus.stop() }
        return try await janus.measure(count, speakers)
    }

    private init(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try """
        general: { configs_folder = "\(folder)"
          plugins_folder = "/usr/lib/x86_64-linux-gnu/janus/plugins"
          transports_folder = "/usr/lib/x86_64-linux-gnu/janus/transports"
          debug_level = 1
          session_timeout = 0 }
        plugins: { disable = "libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_videoroom.so,libjanus_voicemail.so" }
        transports: { disable = "libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so,libjanus_websockets.so" }
        """.write(toFile: folder + "/janus.jcfg", atomically: true, encoding: .utf8)
        try "general: { json = \"plain\"\n base_path = \"/janus\"\n http = true\n port = \(port)\n ip = \"127.0.0.1\" }\n".write(
            toFile: folder + "/janus.transport.http.jcfg", atomically: true, encoding: .utf8)
        try "general: { rtp_port_range = \"30000-36000\"\n local_ip = \"127.0.0.1\" }\n".write(
            toFile: folder + "/janus.plugin.audiobridge.jcfg", atomically: true, encoding: .utf8)
        process.executableURL = URL(filePath: path)
        process.arguments = ["-F", folder, "-C", folder + "/janus.jcfg"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    private func stop() {
        // It does not end by itself while participants are in.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func call(_ path: String, _ body: [String: Any]?) async throws -> [String: Any] {
        guard let url = URL(string: "http://127.0.0.1:\(port)/janus\(path)") else { throw BenchError(description: path) }
        var request = URLRequest(url: url)
        if var body {
            body["transaction"] = UUID().uuidString
            request.httpMethod = "POST"
            request.httpBody = try JSONSerialization.data(withJSONObject: body)
        }
        let (data, _) = try await URLSession.shared.data(for: request)
        let object = try JSONSerialization.jsonObject(with: data)
        return object as? [String: Any] ?? (object as? [[String: Any]])?.first ?? [:]
    }

    private func made(_ path: String, _ body: [String: Any]) async throws -> String {
        let answer = try await call(path, body)
        guard let id = (answer["data"] as? [String: Any])?["id"] else { throw BenchError(description: "Janus answers \(answer)") }
        return "\(id)"
    }

    private func measure(_ count: Int, _ speakers: Int) async throws -> Result {
        var session: String?
        for attempt in 0... {
            session = try? await made("", ["janus": "create"])
            if session != nil { break }
            guard attempt < 100 else { throw BenchError(description: "Janus does not answer") }
            try await Task.sleep(for: .milliseconds(100))
        }
        guard let session else { return Result() }
        let first = try await made("/\(session)", ["janus": "attach", "plugin": "janus.plugin.audiobridge"])
        _ = try await call(
            "/\(session)/\(first)",
            [
                "janus": "message",
                "body": [
                    "request": "create", "room": 1, "sampling_rate": 48_000, "allow_rtp_participants": true, "audiolevel_event": false,
                ],
            ])
        var (local, remote): ([UInt16], [UInt16]) = ([], [])
        for index in 0..<count {
            let port = UInt16(40_000 + index)
            local.append(port)
            remote.append(try await join(port))
        }
        return try await load(local, remote, speakers)
    }

    /// In a session of its own, whose first event is its own join.
    private func join(_ port: UInt16) async throws -> UInt16 {
        let session = try await made("", ["janus": "create"])
        let handle = try await made("/\(session)", ["janus": "attach", "plugin": "janus.plugin.audiobridge"])
        _ = try await call(
            "/\(session)/\(handle)",
            [
                "janus": "message",
                "body": [
                    "request": "join", "room": 1,
                    "rtp": ["ip": "127.0.0.1", "port": Int(port), "payload_type": 111, "audiolevel_ext": 1] as [String: Any],
                ] as [String: Any],
            ])
        for _ in 0..<20 {
            let event = try await call("/\(session)?maxev=1", nil)
            let data = (event["plugindata"] as? [String: Any])?["data"] as? [String: Any]
            guard "\(event["sender"] ?? "")" == handle, data?["audiobridge"] as? String == "joined" else { continue }
            if let port = (data?["rtp"] as? [String: Any])?["port"] as? Int { return UInt16(port) }
        }
        throw BenchError(description: "Janus gave no RTP port")
    }

    private func load(_ local: [UInt16], _ remote: [UInt16], _ speakers: Int) async throws -> Result {
        guard let path = HeadlessEndpoint.bundledMedia("speech-vi-hagiang.ogg") else { throw BenchError(description: "no speech") }
        let file = try OggOpusFile(parsing: [UInt8](Data(contentsOf: URL(filePath: path))).span.bytes)
        let speech = Packets((0..<min(500, file.packetCount)).map { Array(file[$0]) })
        let silence = Packets(try Self.silence())
        let process = process.processIdentifier
        async let received = Self.crowd(local, remote, speakers, speech, silence)
        try await Task.sleep(for: .seconds(4))
        let before = try BenchServer.cpuSeconds("/proc/\(process)/stat")
        try await Task.sleep(for: .seconds(Self.seconds))
        var result = Result()
        result.cpu = try BenchServer.cpuSeconds("/proc/\(process)/stat") - before
        result.memory = BenchServer.residentMebibytes(of: process)
        result.participants = local.count
        result.delivered = Double(await received) / (Double(local.count) * 50 * (Self.seconds + 5))
        return result
    }

    private struct Packets: Sendable {
        let bytes: [UInt8]
        let count: Int
        /// Each with its length before it.
        init(_ packets: [[UInt8]]) {
            bytes = packets.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 255)] + $0 }
            count = packets.count
        }
    }

    @concurrent
    private static func crowd(_ local: [UInt16], _ remote: [UInt16], _ speakers: Int, _ speech: Packets, _ silence: Packets) async -> Int {
        floor_crowd(
            remote, local, Int32(local.count), Int32(speakers), speech.bytes, Int32(speech.count), silence.bytes, Int32(silence.count), 111,
            1, seconds + 5)
    }

    private static func silence() throws -> [[UInt8]] {
        var encoder = try OpusEncoder()
        let pcm = [Int16](repeating: 0, count: 960)
        return try (0..<50).map { _ in
            var packet = [UInt8](repeating: 0, count: 1_276)
            var room = packet.mutableSpan
            let length = try encoder.encode(pcm.span, into: &room)
            return Array(packet[..<length])
        }
    }
}
