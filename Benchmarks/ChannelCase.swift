import Foundation

/// What the meeting channel costs: so many sites that are really in, of which every tenth speaks and falls silent in turn, and as many site operators who follow the
/// channel and read all that comes, with a secretary beside them who mutes sites.
struct ChannelCase {
    static let sizes = [50, 150, 400, 700]
    private static let seconds = 20
    private static let mutes = 12
    /// Channels of one login.
    private static let channelsPerLogin = 30
    private static let password = "do-dac-2026"

    struct Row {
        var size = 0
        var kilobits = 0.0
        var most = 0.0
        var leading = 0.0
        var cpu = 0.0
        var snapshot = 0.0
        var median = 0.0
        var slowest = 0.0
        var arrived = 0
        var texts = 0.0
        var messages = 0.0

        var figures: [Figure] {
            [
                Figure(name: "\(size): told to each operator, mean", value: kilobits, unit: "kbit/s"),
                Figure(name: "\(size): told to the one told most", value: most, unit: "kbit/s"),
                Figure(name: "\(size): told to who leads", value: leading, unit: "kbit/s"),
                Figure(name: "\(size): CPU of the server but media", value: cpu, unit: "% of a core"),
                Figure(name: "\(size): texts made", value: texts, unit: "/s"),
                Figure(name: "\(size): messages", value: messages, unit: "/s"),
                Figure(name: "\(size): a joiner's snapshot", value: snapshot, unit: "KiB"),
                Figure(name: "\(size): mute to its followers, median", value: median * 1_000, unit: "ms"),
                Figure(name: "\(size): mute to its followers, slowest", value: slowest * 1_000, unit: "ms"),
            ]
        }
    }

    static func run(_ executable: String, _ size: Int) async throws -> Row {
        // The sites come by a gateway, as those of a room system: a chair's decision meets the one.
        let server = try await BenchServer(executable, configuration: "{\"gateways\": {\"cong\": 2000}}")
        let readers = ChannelReaders()
        var processes: [Process] = []
        defer {
            readers.stop()
            LoadCase.end(&processes)
            server.stop()
        }
        let gateway = try await login(server, "cong")
        // A tenth speaks, in three parts that take turns.
        let speaking = max(1, size / 30)
        var crowds = [("Điểm cầu", Crowd(name: "", count: size - 3 * speaking, media: "audio").words(600))]
        for offset in [0, 2, 4] {
            let words = Crowd(name: "", count: speaking, audio: "tone:440", media: "audio").words(600)
            crowds.append(("Điểm nói \(offset)", words + ["--speak-schedule", "2/4/\(offset)"]))
        }
        for (name, words) in crowds {
            processes.append(try server.endpoint(name, words, token: gateway))
            try await Task.sleep(for: .milliseconds(200))
        }
        try await LoadCase.wait(for: Double(size), at: server)
        try readers.add(port: server.port, meeting: server.meeting, token: server.token)
        for first in stride(from: 0, to: size, by: channelsPerLogin) {
            let token = try await login(server, "nguoi-truc-\(first)")
            for _ in first..<min(size, first + channelsPerLogin) {
                try readers.add(port: server.port, meeting: server.meeting, token: token)
            }
        }
        try await Task.sleep(for: .seconds(8))
        var row = Row()
        row.size = size
        let begun = readers.take()
        guard begun.open == size + 1 else { throw BenchError(description: "\(begun.open) of \(size + 1) channels are open") }
        row.snapshot = Double(begun.first.max() ?? 0) / 1_024
        try await measure(server, readers, &row)
        try await mute(server, readers, &row)
        return row
    }

    private static func measure(_ server: BenchServer, _ readers: ChannelReaders, _ row: inout Row) async throws {
        let (cpu, before) = (channelSeconds(server), try await server.metrics())
        _ = readers.take()
        let begun = ChannelReaders.now()
        try await Task.sleep(for: .seconds(seconds))
        let (counted, taken) = (readers.take(), ChannelReaders.now() - begun)
        row.cpu = (channelSeconds(server) - cpu) / taken * 100
        let after = try await server.metrics()
        func rate(_ name: String) -> Double { ((after[name] ?? 0) - (before[name] ?? 0)) / taken }
        row.texts = rate("nhipcau_channel_texts_total")
        row.messages = rate("nhipcau_channel_messages_total")
        let rates = counted.bytes.map { Double($0) * 8 / 1_000 / taken }
        row.leading = rates[0]
        row.kilobits = rates.dropFirst().reduce(0, +) / Double(rates.count - 1)
        row.most = rates.dropFirst().max() ?? 0
    }

    /// Of all threads but those of media.
    private static func channelSeconds(_ server: BenchServer) -> Double {
        server.cpuSeconds(exceptThreads: ["media", "mixer", "codec"])
    }

    private static func mute(_ server: BenchServer, _ readers: ChannelReaders, _ row: inout Row) async throws {
        let sites = try await server.list("/api/v1/meetings/\(server.meeting)/participants?limit=\(mutes)").compactMap {
            $0["id"] as? String
        }
        var delays: [Double] = []
        for site in sites {
            // What comes after the order and names the site is what it said; nothing else changes of who is silent.
            readers.lookFor("\"id\":\"\(site)\"")
            let sent = ChannelReaders.now()
            readers.send("{\"id\":1,\"type\":\"mute\",\"participantId\":\"\(site)\",\"muted\":true}", from: 0)
            for _ in 0..<40 {
                try await Task.sleep(for: .milliseconds(25))
                if readers.marks.count == row.size + 1 { break }
            }
            delays += readers.marks.map { $0 - sent }
        }
        delays.sort()
        row.arrived = delays.count
        guard delays.count == sites.count * (row.size + 1) else {
            throw BenchError(description: "\(delays.count) of \(sites.count * (row.size + 1)) were told of a mute within a second")
        }
        row.median = delays[delays.count / 2]
        row.slowest = delays[delays.count - 1]
    }

    private static func login(_ server: BenchServer, _ name: String) async throws -> String {
        let (_, made) = try await server.call("POST", "/api/v1/users", ["username": name, "role": "operator", "password": password])
        guard made == 201 else { throw BenchError(description: "no account could be made (\(made))") }
        let (session, _) = try await server.call("POST", "/api/v1/session", ["username": name, "password": password])
        guard let token = session["token"] as? String else { throw BenchError(description: "\(name) could not sign in") }
        return token
    }
}
