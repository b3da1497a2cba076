import Foundation
import FoundationNetworking

/// A server process of its own with a running meeting; ended by its id.
final class BenchServer {
    let executable: String
    /// Whose headless endpoints make the load.
    private let endpoints: String
    let origin: String
    let port: UInt16
    private let process = Process()
    private let folder = NSTemporaryDirectory() + "nhipcau-bench-\(UUID().uuidString)"
    private(set) var token = ""
    private(set) var meeting = ""

    /// - Parameters:
    ///   - hook: the library that counts allocations (`Benchmarks/hook`), and where it writes.
    ///   - endpoints: the executable whose headless endpoints make the load; nil for the server's own.
    ///   - configuration: what a configuration file says besides.
    init(
        _ executable: String, layout: String = "grid", hook: (library: String, file: String)? = nil, endpoints: String? = nil,
        configuration: String? = nil
    ) async throws {
        self.executable = executable
        self.endpoints = endpoints ?? executable
        port = UInt16.random(in: 20_000..<60_000)
        origin = "http://127.0.0.1:\(port)"
        process.executableURL = URL(filePath: executable)
        process.arguments = [
            "serve", "--listen", "127.0.0.1:\(port)", "--media-port", "0", "--media-address", "127.0.0.1", "--data", folder, "--log-level",
            "error",
        ]
        if let configuration {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try configuration.write(toFile: folder + "/own.json", atomically: true, encoding: .utf8)
            process.arguments? += ["--config", folder + "/own.json"]
        }
        var more = ["NHIPCAU_ADMIN_PASSWORD": "do-dac-2026"]
        if let hook { (more["LD_PRELOAD"], more["NHIPCAU_ALLOCATIONS"]) = (hook.library, hook.file) }
        process.environment = ProcessInfo.processInfo.environment.merging(more) { _, new in new }
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        for _ in 0..<200 {
            if let (_, status) = try? await call("GET", "/readyz"), status == 200 { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        let (session, _) = try await call("POST", "/api/v1/session", ["username": "admin", "password": "do-dac-2026"])
        token = session["token"] as? String ?? ""
        meeting = try await makeMeeting(layout: layout)
    }

    /// A running meeting for a thousand sites.
    func makeMeeting(layout: String = "grid") async throws -> String {
        let (made, status) = try await call("POST", "/api/v1/meetings", ["title": "Đo đạc", "layout": layout, "capacity": 1_000])
        guard status == 201, let id = made["id"] as? String else { throw BenchError(description: "no meeting could be made (\(status))") }
        _ = try await call("POST", "/api/v1/meetings/\(id)/start")
        return id
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: folder)
    }

    @discardableResult
    func call(_ method: String, _ path: String, _ body: [String: Any]? = nil) async throws -> ([String: Any], Int) {
        guard let url = URL(string: origin + path) else { throw BenchError(description: "bad address \(path)") }
        var request = URLRequest(url: url)
        request.httpMethod = method
        if !token.isEmpty { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        if let body {
            request.httpBody = try JSONSerialization.data(withJSONObject: body)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        } else if method == "POST" {
            request.httpBody = Data()
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
        return (object ?? [:], (response as? HTTPURLResponse)?.statusCode ?? 0)
    }

    /// A list, as it is answered.
    func list(_ path: String) async throws -> [[String: Any]] {
        guard let url = URL(string: origin + path) else { throw BenchError(description: "bad address \(path)") }
        var request = URLRequest(url: url)
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        let (data, _) = try await URLSession.shared.data(for: request)
        return (try? JSONSerialization.jsonObject(with: data)) as? [[String: Any]] ?? []
    }

    /// Of the pictures of the senders, the middle one; nil where nobody sends.
    func linesSent() async throws -> Int? {
        var heights: [Int] = []
        var after = ""
        while true {
            let page = try await list("/api/v1/meetings/\(meeting)/participants?limit=200" + after)
            heights += page.compactMap { participant in
                guard let video = participant["video"] as? [String: Any], let height = video["height"] as? Int, height > 0 else {
                    return nil
                }
                return height
            }
            guard page.count == 200, let last = page.last?["id"] as? String else { break }
            after = "&after=\(last)"
        }
        return heights.isEmpty ? nil : heights.sorted()[heights.count / 2]
    }

    /// Every metric's sum over its labels.
    func metrics() async throws -> [String: Double] {
        guard let url = URL(string: origin + "/metrics") else { return [:] }
        let (data, _) = try await URLSession.shared.data(from: url)
        var sums: [String: Double] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            guard let value = line.split(separator: " ").last.flatMap({ Double($0) }) else { continue }
            sums[String(line.prefix { $0 != " " && $0 != "{" }), default: 0] += value
        }
        return sums
    }

    func metric(_ name: String) async throws -> Double { try await metrics()[name] ?? 0 }

    /// Seconds of CPU that the server has used.
    func cpuSeconds() throws -> Double { try Self.cpuSeconds("/proc/\(process.processIdentifier)/stat") }

    /// The same of the threads whose names begin so.
    func cpuSeconds(ofThreads names: [String]) -> Double { cpuSeconds { name in names.contains { name.hasPrefix($0) } } }

    /// The same of all other threads.
    func cpuSeconds(exceptThreads names: [String]) -> Double { cpuSeconds { name in !names.contains { name.hasPrefix($0) } } }

    private func cpuSeconds(where isMeant: (_ name: String) -> Bool) -> Double {
        let folder = "/proc/\(process.processIdentifier)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.reduce(0) { sum, thread in
            let name = (try? String(contentsOfFile: "\(folder)/\(thread)/comm", encoding: .utf8)) ?? ""
            guard !name.isEmpty, isMeant(name) else { return sum }
            return sum + ((try? Self.cpuSeconds("\(folder)/\(thread)/stat")) ?? 0)
        }
    }

    static func cpuSeconds(_ path: String) throws -> Double {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        // The name, in parentheses, may hold blanks: fields are counted behind it.
        let fields = (text.split(separator: ")").last ?? "").split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw BenchError(description: "/proc is odd")
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    func residentMebibytes() -> Double { Self.residentMebibytes(of: process.processIdentifier) }

    static func residentMebibytes(of process: Int32) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) / 1_024
    }

    /// Starts `nhipcau endpoint` with these words.
    /// - Parameter login: a token of its own; nil for the administrator's.
    func endpoint(_ name: String, _ words: [String], meeting other: String? = nil, token login: String? = nil) throws -> Process {
        let endpoint = Process()
        endpoint.executableURL = URL(filePath: endpoints)
        endpoint.arguments =
            ["endpoint", "--server", origin, "--token", login ?? token, "--meeting", other ?? meeting, "--name", name] + words
        endpoint.standardOutput = FileHandle.nullDevice
        try endpoint.run()
        return endpoint
    }

    /// Reads an endpoint's report.
    static func report(_ path: String) throws -> [[String: Any]] {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path))) as? [String: Any]
        return object?["endpoints"] as? [[String: Any]] ?? []
    }
}
