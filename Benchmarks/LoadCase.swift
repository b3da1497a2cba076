import Endpoint
import Foundation
import RTP

/// Endpoints of one kind.
struct Crowd {
    var name: String
    var count: Int
    var kind = "participant"
    var audio = "silence"
    var video = "none"
    var media = "both"
    /// b=TIAS, which chooses the tier.
    var limit: Int?
    /// Pictures are sent in the lines of their tile, or whole.
    var size = "tile"

    func words(_ seconds: Int) -> [String] {
        var words = ["--count", String(count), "--kind", kind, "--audio", audio, "--video", video, "--media", media, "--size", size]
        words += ["--decode", "none", "--duration", String(seconds)]
        if let limit { words += ["--limit", String(limit)] }
        return words
    }
}

/// A meeting with crowds in it, and what the server spends on it.
struct LoadCase {
    var name: String
    var layout = "grid"
    var crowds: [Crowd]
    /// Meetings; each gets all crowds.
    var meetings = 1
    /// Senders of pictures that are seen, for the floor.
    var visible = 0
    /// Listeners that the floor of sealing and sending is measured with; 0 for none.
    var listeners = 0
    /// In how many parts is measured; between two of them the floor is.
    var parts = 4
    /// All parts together.
    var seconds = 10.0
    private static let settling = 6.0

    /// What was measured, and the floor of the same work.
    struct Result {
        var cpu = 0.0
        var mixing = 0.0
        /// Of that, decoding, composing and encoding pictures.
        var pictures = 0.0
        var work = Work()
        var memory = 0.0
        var sessions = 0.0
        var ticks = 0.0
        var late = 0.0
        /// Of the pictures that most senders sent.
        var lines = 0
        /// Pictures that each second should have; 0 where nobody is seen.
        var picturesDue = 0.0
        var skipped = 0.0
        var composed = 0.0
        var notSent = 0.0
        var keyFrames = 0.0
        var allocations: Double?
        var floors: [Floor] = []
        /// That were measured.
        var seconds = 0.0
        var floor: Floor? { Floor(meanOf: floors) }
        var allocationsPerThousand: Double? { allocations.map { $0 / max(1, work.sent + work.received) * 1_000 } }
        /// Seconds of a core that the bare libraries take for the same.
        var least: Double? { floor.map { $0.seconds(of: work) } }
        /// With libvpx set up as the server does.
        var leastAsConfigured: Double? { floor.map { $0.seconds(of: work, own: true) } }

        /// Takes in what was measured after this.
        mutating func add(_ other: Result) {
            cpu += other.cpu
            mixing += other.mixing
            pictures += other.pictures
            if let more = other.allocations { allocations = (allocations ?? 0) + more }
        }

        /// What was handled between two samples, of which a share is taken.
        fileprivate mutating func count(_ before: Sample, _ after: Sample, share: Double) {
            func passed(_ name: String) -> Double { ((after.values[name] ?? 0) - (before.values[name] ?? 0)) * share }
            var work = Work()
            defer { self.work.add(work) }
            sessions = after.values["sessions"] ?? 0
            work.videoDecoded = passed("frames_decoded_total")
            for tier in TierTable.usual.tiers { work.encoded[tier.id.index] = passed("pictures_encoded_\(tier.label)_total") }
            (work.opusDecoded, work.opusEncoded) = (passed("sound_decoded_total"), passed("sound_encoded_total"))
            (work.sent, work.soundSent) = (passed("datagrams_sent_total"), passed("sound_sent_total"))
            (work.received, work.soundReceived) = (passed("datagrams_received_total"), passed("sound_received_total"))
            ticks += passed("ticks_total")
            late += passed("ticks_late_total") / share
            composed += passed("pictures_composed_total")
            skipped += passed("pictures_skipped_total") / share
            notSent += passed("datagrams_not_sent_total") / share
            keyFrames += passed("key_frames_total") / share
        }

        /// The work was done: a hundredth of the pictures may be missing, and one tick of sound in a thousand may be late. A cost means nothing without.
        var isHeld: Bool {
            let made = seconds > 0 ? composed / seconds : 0
            return late <= ticks / 1_000 && (picturesDue == 0 || made >= picturesDue * 0.99 && skipped <= picturesDue * seconds * 0.01)
        }

        var figures: [Figure] {
            let time = max(seconds, 0.001)
            var figures = [
                Figure(name: "server CPU", value: cpu / time * 100, unit: "% of a core"),
                Figure(name: "of it mixing, composing, codecs", value: mixing / time * 100, unit: "% of a core"),
                Figure(name: "sessions", value: sessions, unit: ""),
                Figure(name: "server memory", value: memory, unit: "MiB"),
                Figure(name: "datagrams received a second", value: work.received / time, unit: ""),
                Figure(name: "datagrams sent a second", value: work.sent / time, unit: ""),
                Figure(name: "datagrams not sent", value: notSent, unit: ""),
                Figure(name: "pictures decoded a second", value: work.videoDecoded / time, unit: ""),
                Figure(name: "pictures composed a second", value: composed / time, unit: ""),
                Figure(name: "pictures left out", value: skipped, unit: ""),
                Figure(name: "lines of the senders' pictures", value: Double(lines), unit: ""),
                Figure(name: "work held: pictures made, sound on time (0: not)", value: isHeld ? 1 : 0, unit: ""),
                Figure(name: "key frames", value: keyFrames, unit: ""),
                Figure(name: "Opus decodes a tick", value: work.opusDecoded / max(1, ticks), unit: ""),
                Figure(name: "Opus encodes a tick", value: work.opusEncoded / max(1, ticks), unit: ""),
                Figure(name: "ticks late", value: late, unit: ""),
            ]
            if let least {
                figures.append(Figure(name: "floor of the same frames and packets", value: least / time * 100, unit: "% of a core"))
                figures.append(Figure(name: "server CPU against the floor", value: cpu / least, unit: "×"))
            }
            if let leastAsConfigured {
                figures.append(
                    Figure(name: "server CPU against the floor with libvpx set up as here", value: cpu / leastAsConfigured, unit: "×"))
            }
            if let floor {
                let codecs = floor.codecSeconds(of: work)
                figures.append(Figure(name: "floor of the codecs alone", value: codecs / time * 100, unit: "% of a core"))
                figures.append(Figure(name: "mixing, composing, codecs against that", value: mixing / codecs, unit: "×"))
            }
            if let allocationsPerThousand {
                figures.append(Figure(name: "allocations for 1000 packets", value: allocationsPerThousand, unit: ""))
            }
            return figures
        }
    }

    func run(_ executable: String, hook: (library: String, file: String)? = nil) async throws -> Result {
        let server = try await BenchServer(executable, layout: layout, hook: hook)
        defer { server.stop() }
        var ids = [server.meeting]
        while ids.count < meetings { ids.append(try await server.makeMeeting(layout: layout)) }
        var processes: [Process] = []
        defer { Self.end(&processes) }
        for id in ids { processes += try Self.start(crowds, server, meeting: id) }
        try await Self.wait(for: Double(meetings * crowds.reduce(0) { $0 + $1.count }), at: server)
        // A steady state is asked for: every buffer has had its largest packet.
        try await Task.sleep(for: .seconds(hook == nil ? Self.settling : 25))
        var result = Result()
        result.picturesDue = picturesDue
        let floors = hook == nil ? parts - 1 : 0
        try await measure(server, hook, seconds: seconds, parts: parts, floors: floors, into: &result)
        result.memory = server.residentMebibytes()
        return result
    }

    var picturesDue: Double { visible > 0 ? 25 * Double(meetings) : 0 }

    static func start(_ crowds: [Crowd], _ server: BenchServer, meeting: String? = nil) throws -> [Process] {
        try crowds.map { try server.endpoint($0.name, $0.words(600), meeting: meeting) }
    }

    static func end(_ processes: inout [Process]) {
        for process in processes { process.terminate() }
        for process in processes { process.waitUntilExit() }
        processes = []
    }

    static func wait(for sessions: Double, at server: BenchServer) async throws {
        let deadline = Date.now + 90
        while try await server.metric("nhipcau_media_sessions") != sessions {
            guard Date.now < deadline else {
                let present = try await server.metric("nhipcau_media_sessions")
                throw BenchError(description: "\(present) sessions are there, not \(sessions)")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Measures for `seconds`, in parts. In between, under the same load, the floor: a core that has the machine for itself is another one, and its speed
    /// changes from second to second.
    func measure(
        _ server: BenchServer, _ hook: (library: String, file: String)? = nil, seconds: Double, parts: Int, floors: Int,
        into result: inout Result
    ) async throws {
        var measured = 0.0
        var first: Sample?
        let lines = visible > 0 ? try await server.linesSent() : nil
        result.lines = lines ?? 0
        for part in 0..<parts {
            let before = try await Sample(server, hook)
            first = first ?? before
            try await Task.sleep(for: .seconds(seconds / Double(parts)))
            let after = try await Sample(server, hook)
            result.add(self.result(before, after))
            measured += after.began - before.ended
            // Counters are published some times a second, which is too coarse for a part: the work is that of the whole time, in proportion.
            if part + 1 == parts, let first { result.count(first, after, share: measured / (after.began - first.began)) }
            if part < floors { result.floors.append(try Floor(senders: max(1, visible), lines: lines, listeners: listeners)) }
        }
        result.seconds += measured
    }

    fileprivate struct Sample {
        var began = Date.now.timeIntervalSinceReferenceDate
        var ended = 0.0
        /// Before and after the metrics were asked for: what the server does to answer is no part of what is measured.
        var before: Spent
        var after: Spent
        var values: [String: Double]
        var allocations: (first: Double, last: Double)?

        /// Seconds of CPU.
        struct Spent {
            var cpu: Double
            var mixing: Double
            var pictures: Double

            init(_ server: BenchServer) throws {
                cpu = try server.cpuSeconds()
                pictures = server.cpuSeconds(ofThreads: ["codec"])
                mixing = pictures + server.cpuSeconds(ofThreads: ["mixer"])
            }
        }

        static let names = [
            "sessions", "datagrams_received_total", "datagrams_sent_total", "datagrams_not_sent_total", "frames_decoded_total",
            "pictures_composed_total", "pictures_skipped_total", "key_frames_total", "sound_decoded_total", "sound_encoded_total",
            "ticks_total", "ticks_late_total", "sound_sent_total", "sound_received_total", "pictures_encoded_high_total",
            "pictures_encoded_medium_total", "pictures_encoded_low_total",
        ]

        init(_ server: BenchServer, _ hook: (library: String, file: String)?) async throws {
            let first = Self.allocations(hook)
            before = try Spent(server)
            let all = try await server.metrics()
            values = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, all["nhipcau_media_" + $0] ?? 0) })
            // What the server does after it has answered belongs to the question.
            try await Task.sleep(for: .milliseconds(hook == nil ? 20 : 300))
            after = try Spent(server)
            if let first, let last = Self.allocations(hook) { allocations = (first, last) }
            ended = Date.now.timeIntervalSinceReferenceDate
        }

        private static func allocations(_ hook: (library: String, file: String)?) -> Double? {
            guard let hook, let handle = FileHandle(forReadingAtPath: hook.file) else { return nil }
            defer { try? handle.close() }
            guard let data = try? handle.read(upToCount: 24), data.count == 24 else { return nil }
            return Double(data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self) })
        }
    }

    private func result(_ before: Sample, _ after: Sample) -> Result {
        var result = Result()
        let (from, to) = (before.after, after.before)
        (result.cpu, result.mixing, result.pictures) = (to.cpu - from.cpu, to.mixing - from.mixing, to.pictures - from.pictures)
        if let one = before.allocations, let other = after.allocations { result.allocations = other.first - one.last }
        return result
    }
}
