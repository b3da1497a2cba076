import Foundation

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
