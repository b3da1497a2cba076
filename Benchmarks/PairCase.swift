import Foundation

/// One case on two builds of the server in turn, several times: the machine's speed drifts by more than two builds differ, so each is measured right
/// beside the other, and who goes first alternates. The load generator is the newer build's for both.
struct PairCase {
    private static let (seconds, parts) = (6.0, 3)
    static let usualRounds = 5

    /// What one build took in each round.
    struct Side {
        var name: String
        var executable: String
        var rounds: [LoadCase.Result] = []

        /// Seconds of a core a second, over all rounds.
        var cores: Double { rounds.reduce(0) { $0 + $1.cpu } / rounds.reduce(0) { $0 + $1.seconds } }
        /// Server CPU as a multiple of the bare libraries' beside it, where a floor was measured.
        var againstFloor: Double? {
            let least = rounds.compactMap(\.least)
            return least.count == rounds.count ? rounds.reduce(0) { $0 + $1.cpu } / least.reduce(0, +) : nil
        }

        /// That the work was done: what a ratio means nothing without.
        var work: String {
            let seconds = rounds.reduce(0) { $0 + $1.seconds }
            let ticks = max(1, rounds.reduce(0) { $0 + $1.ticks })
            func each(_ value: (LoadCase.Result) -> Double) -> Double { rounds.reduce(0) { $0 + value($1) } / seconds }
            return String(
                format:
                    "%6.2f %% of a core, \(rounds.allSatisfy(\.isHeld) ? "held" : "NOT HELD"); senders' lines \(rounds.map(\.lines).max() ?? 0); a second: %.2f pictures composed, %.2f left out, %.1f encoded, %.1f decoded, %.0f datagrams sent, %.2f not; "
                    + "%.3f Opus encodes a tick, %.2f ticks late; %.0f MiB",
                cores * 100, each(\.composed), each(\.skipped), each { $0.work.encoded.reduce(0, +) }, each(\.work.videoDecoded),
                each(\.work.sent),
                each(\.notSent), rounds.reduce(0) { $0 + $1.work.opusEncoded } / ticks, rounds.reduce(0) { $0 + $1.late },
                rounds.map(\.memory).max() ?? 0)
        }
    }

    let load: LoadCase
    var before: Side
    var now: Side

    init(_ load: LoadCase, before: String, now: String) {
        self.load = load
        self.before = Side(name: "before", executable: before)
        self.now = Side(name: "now", executable: now)
    }

    mutating func run(rounds: Int) async throws {
        for round in 0..<rounds {
            for isNow in round % 2 == 0 ? [false, true] : [true, false] {
                let result = try await measure(isNow ? now : before, endpoints: now.executable)
                if isNow { now.rounds.append(result) } else { before.rounds.append(result) }
            }
        }
    }

    private func measure(_ side: Side, endpoints: String) async throws -> LoadCase.Result {
        let server = try await BenchServer(side.executable, layout: load.layout, endpoints: endpoints)
        defer { server.stop() }
        var processes = try LoadCase.start(load.crowds, server)
        defer { LoadCase.end(&processes) }
        try await LoadCase.wait(for: Double(load.crowds.reduce(0) { $0 + $1.count }), at: server)
        // Until lines are known, sound goes to those who came with error correction.
        try await Task.sleep(for: .seconds(10))
        var result = LoadCase.Result()
        result.picturesDue = load.picturesDue
        try await load.measure(server, seconds: Self.seconds, parts: Self.parts, floors: Self.parts - 1, into: &result)
        result.memory = server.residentMebibytes()
        return result
    }

    /// The newer build's CPU as a multiple of the older one's in each round.
    var ratios: [Double] { zip(now.rounds, before.rounds).map { $0.cpu / $0.seconds / ($1.cpu / $1.seconds) }.sorted() }

    func printOut() {
        for side in [before, now] { say("\(load.name.padding(toLength: 14, withPad: " ", startingAt: 0)) \(side.name): \(side.work)") }
        guard let least = ratios.first, let most = ratios.last else { return }
        say(
            String(
                format: "ratio  %@: CPU now against before %.3f (rounds: %.3f, median %.3f, %.3f)", load.name, now.cores / before.cores,
                least,
                ratios[ratios.count / 2], most))
        guard let one = now.againstFloor, let other = before.againstFloor else { return }
        say(String(format: "ratio  %@: the same, each against the bare libraries beside it %.3f", load.name, one / other))
    }
}

/// The storm on two builds in turn.
struct StormPair {
    private static let rounds = 3
    private(set) var before: [StormCase.Result] = []
    private(set) var now: [StormCase.Result] = []

    static func run(before: String, now: String) async throws -> StormPair {
        var made = StormPair()
        for round in 0..<rounds {
            for isNow in round % 2 == 0 ? [false, true] : [true, false] {
                let result = try await StormCase.run(isNow ? now : before, endpoints: now)
                if isNow { made.now.append(result) } else { made.before.append(result) }
            }
        }
        return made
    }

    func printOut() {
        func mean(_ results: [StormCase.Result], _ value: (StormCase.Result) -> Double) -> Double {
            results.reduce(0) { $0 + value($1) } / Double(results.count)
        }
        for (name, results) in [("before", before), ("now", now)] {
            say(
                String(
                    format:
                        "storm          %@: %.2f %% of a core; first picture %.0f ms (95th percentile); all connected after %.2f s; seen by %.1f; "
                        + "concealed %.3f %%, longest gap %.1f ms; %.2f key frames a second and tier; %.1f ticks late, %.1f pictures left out",
                    name, mean(results, \.cpu) * 100, mean(results, \.first95), mean(results, \.seconds), mean(results) { Double($0.seen) },
                    mean(results, \.concealed) * 100, mean(results, \.gap), mean(results, \.keyFramesPerSecond), mean(results, \.late),
                    mean(results, \.skipped)))
        }
        say(String(format: "ratio  storm: CPU now against before %.3f", mean(now, \.cpu) / mean(before, \.cpu)))
        say(
            String(
                format: "ratio  storm: first picture, 95th percentile, now against before %.3f",
                mean(now, \.first95) / mean(before, \.first95)))
    }
}
