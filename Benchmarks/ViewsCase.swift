import Base
import Endpoint
import Foundation
import MCU

/// What a second view costs: 25 senders and ten who watch, all at the programme, then half of them at a view of its own, then all at the programme again. The
/// media core runs in this process, since no command chooses a view yet; the endpoints join it without HTTP and beside it.
struct ViewsCase {
    private static let (senders, viewers) = (25, 10)
    private static let (settling, seconds, rounds) = (4.0, 4.0, 2)

    private struct Door: MeetingDoor {
        let media: MediaServer
        let meeting: UUID
        let token = ""

        func join(offer: String, meeting: String, name: String, site: String?) async throws(CommandFailure) -> ContractClient.Join {
            let session = UUID()
            do throws(JoinRefusal) {
                let answer = try await media.join(JoinRequest(session: session, meeting: self.meeting, name: name, offer: offer))
                guard let location = URL(string: "views:/\(session.uuidString)") else { throw .unknownSession }
                return ContractClient.Join(answer: answer.answer, location: location)
            } catch {
                throw CommandFailure(code: 1, line: "\(error)")
            }
        }

        func leave(_ location: URL) async {
            if let session = UUID(uuidString: location.lastPathComponent) { media.leave(session: session) }
        }
    }

    /// Of so many seconds.
    private struct Sample {
        var cpu: Double
        var values: [String: Double]

        init(_ media: MediaServer) {
            values = media.metrics().reduce(into: [:]) { $0[$1.name, default: 0] += $1.value }
            cpu = 0
            let folder = "/proc/self/task"
            for thread in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                let name = (try? String(contentsOfFile: "\(folder)/\(thread)/comm", encoding: .utf8)) ?? ""
                // A thread that has just ended has nothing to say.
                if name.hasPrefix("codec") { cpu += (try? BenchServer.cpuSeconds("\(folder)/\(thread)/stat")) ?? 0 }
            }
        }
    }

    static func run() async throws -> [Figure] {
        guard let clip = HeadlessEndpoint.bundledMedia("clip-person-360p.ivf"), let nowhere = URL(string: "http://127.0.0.1") else {
            throw BenchError(description: "the bundled media are not installed")
        }
        var configuration = MediaServerConfiguration()
        configuration.announced = [.init(address: "127.0.0.1")]
        let media = try MediaServer(configuration: configuration)
        let meeting = UUID()
        let door = Door(media: media, meeting: meeting)
        func crowd(_ name: String, _ count: Int, _ kind: EndpointOptions.Kind) throws -> HeadlessEndpoint {
            var options = EndpointOptions(server: nowhere, meeting: meeting.uuidString, name: name)
            (options.kind, options.count, options.decoding) = (kind, count, .none)
            if kind != .viewer { options.pictures = .file(clip) }
            return try HeadlessEndpoint(options, door: door)
        }
        let crowds = [try crowd("Hiện", senders, .participant), try crowd("Xem", viewers, .viewer)]
        for one in crowds { try await one.start() }
        let watching = media.snapshot(meeting: meeting).filter { $0.kind == .viewer }.map(\.session)
        media.setView(.wall, of: meeting, to: ViewSettings(layout: .speaker))
        var sums: [String: (one: Double, two: Double)] = [:]
        for round in 0..<rounds * 2 {
            let isTwo = round % 2 == 1
            for session in watching.prefix(viewers / 2) { media.watch(session: session, isTwo ? .wall : .programme) }
            try await Task.sleep(for: .seconds(settling))
            let before = Sample(media)
            try await Task.sleep(for: .seconds(seconds))
            let after = Sample(media)
            func add(_ name: String, _ value: Double) {
                if isTwo { sums[name, default: (0, 0)].two += value } else { sums[name, default: (0, 0)].one += value }
            }
            add("codec threads, % of a core", (after.cpu - before.cpu) * 100)
            for (name, words) in [
                ("frames_decoded_total", "frames decoded a second"), ("frames_scaled_total", "pictures scaled a second"),
                ("pictures_composed_total", "canvases a second"), ("pictures_encoded_high_total", "pictures encoded at tier high a second"),
                ("pictures_skipped_total", "pictures left out a second"),
            ] {
                add(words, (after.values["nhipcau_media_" + name] ?? 0) - (before.values["nhipcau_media_" + name] ?? 0))
            }
        }
        for one in crowds { await one.stop() }
        await media.stop()
        let time = seconds * Double(rounds)
        return sums.sorted { $0.key < $1.key }.flatMap { name, sum in
            [
                Figure(name: "one view: \(name)", value: sum.one / time, unit: ""),
                Figure(name: "two views: \(name)", value: sum.two / time, unit: ""),
            ]
        }
    }
}
