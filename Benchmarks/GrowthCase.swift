import Foundation

/// What further listeners cost: one meeting of nine who are seen, with 10 listeners and with 300 in turn. The machine's speed drifts by more than a
/// listener costs, so the two are measured one after the other, several times.
struct GrowthCase {
    private static let (few, many, rounds, seconds) = (10, 300, 4, 5.0)

    struct Result {
        var few = LoadCase.Result()
        var many = LoadCase.Result()

        var figures: [Figure] {
            [("10 listeners", few), ("300 listeners", many)].flatMap { name, result in
                result.figures.map { Figure(name: "\(name): \($0.name)", value: $0.value, unit: $0.unit) }
            }
        }

        /// CPU a second with `many` beyond that with `few`.
        var more: Double { many.cpu / many.seconds - few.cpu / few.seconds }

        /// What was sent a second beyond.
        var work: Work {
            var work = Work()
            work.sent = many.work.sent / many.seconds - few.work.sent / few.seconds
            work.soundSent = many.work.soundSent / many.seconds - few.work.soundSent / few.seconds
            return work
        }

        /// Of mixing, composing and all codecs, for the same frames.
        var growth: Double { many.mixing / many.seconds / (few.mixing / few.seconds) - 1 }

        /// The same, as multiples of what the bare codecs took for it beside each: more peers on the same cores make all code slower.
        var growthOfWork: Double? {
            guard let one = few.floor?.codecSeconds(of: few.work), let other = many.floor?.codecSeconds(of: many.work) else { return nil }
            return (many.mixing / other) / (few.mixing / one) - 1
        }
    }

    static func run(_ executable: String) async throws -> Result {
        let load = Catalogue.video(9, many)
        let server = try await BenchServer(executable, layout: load.layout)
        defer { server.stop() }
        let present = Catalogue.video(9, few)
        let sessions = (few: Double(9 + few), many: Double(9 + many))
        var (processes, further): ([Process], [Process]) = ([], [])
        defer {
            LoadCase.end(&further)
            LoadCase.end(&processes)
        }
        processes = try LoadCase.start(present.crowds, server)
        try await LoadCase.wait(for: sessions.few, at: server)
        var result = Result()
        for round in 0..<rounds {
            try await Task.sleep(for: .seconds(round == 0 ? 6 : 3))
            try await load.measure(server, seconds: seconds, parts: 2, floors: 2, into: &result.few)
            if round == 0 { result.few.memory = server.residentMebibytes() }
            further = try LoadCase.start(Catalogue.viewers(many - few, name: "Đến"), server)
            try await LoadCase.wait(for: sessions.many, at: server)
            // Until lines are known, sound goes to those who came with error correction.
            try await Task.sleep(for: .seconds(8))
            try await load.measure(server, seconds: seconds, parts: 2, floors: 2, into: &result.many)
            if round == 0 { result.many.memory = server.residentMebibytes() }
            LoadCase.end(&further)
            try await LoadCase.wait(for: sessions.few, at: server)
        }
        return result
    }
}
