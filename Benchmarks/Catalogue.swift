import Endpoint
import Foundation

/// The cases of `make bench`.
enum Catalogue {
    private static var clip: String { HeadlessEndpoint.bundledMedia("clip-person-360p.ivf") ?? "" }
    private static var speech: String { HeadlessEndpoint.bundledMedia("speech-vi-hagiang.ogg") ?? "" }

    /// `count` in one room, `speakers` of them speaking, the others' microphones open: silent, which Opus hardly transmits, or with the hum of a room.
    static func audio(_ count: Int, speakers: Int = 3, quiet: String = "silence") -> LoadCase {
        var crowds = [Crowd(name: "Nói", count: speakers, audio: speech, media: "audio")]
        if count > speakers { crowds.append(Crowd(name: "Nghe", count: count - speakers, audio: quiet, media: "audio")) }
        let suffix = speakers == count ? "-all" : quiet == "silence" ? "" : "-\(quiet)"
        return LoadCase(name: "audio-\(count)\(suffix)", crowds: crowds)
    }

    /// `visible` senders of 640×360, three of them speaking, and `listeners` beside them in three tiers.
    static func video(_ visible: Int, _ listeners: Int, size: String = "tile") -> LoadCase {
        // The machine's speed changes from second to second: the cases that ratios look at are measured against many floors.
        let isCompared = listeners == 10 && (visible == 9 || visible == 25)
        return LoadCase(
            name: "video-\(visible)-\(listeners)", crowds: senders(visible, size: size) + viewers(listeners), visible: visible,
            listeners: listeners == 300 ? 300 : 0, parts: isCompared ? 12 : 4, seconds: isCompared ? 15 : 10)
    }

    /// The same with whole pictures, as peers take them, and everybody trying to send: a layout with thirteen tiles shows the first and nobody needs the rest.
    static func videoAll(_ visible: Int, _ listeners: Int) -> LoadCase {
        var crowds = senders(visible, size: "whole")
        for (index, part) in parts(listeners).enumerated() where part > 0 {
            crowds.append(Crowd(name: "Thêm \(index)", count: part, video: clip, limit: limits[index], size: "whole"))
        }
        return LoadCase(name: "video-\(visible)-\(listeners)-all", layout: "speaker", crowds: crowds, visible: 13)
    }

    private static let limits: [Int?] = [nil, 500_000, 150_000]

    static func senders(_ count: Int, size: String = "tile") -> [Crowd] {
        let speakers = min(3, count)
        var crowds = [Crowd(name: "Nói", count: speakers, audio: speech, video: clip, size: size)]
        if count > speakers { crowds.append(Crowd(name: "Hiện", count: count - speakers, video: clip, size: size)) }
        return crowds
    }

    /// Eight of ten take the high tier, one each of the others.
    private static func parts(_ count: Int) -> [Int] { [count - 2 * (count / 10), count / 10, count / 10] }

    static func viewers(_ count: Int, name: String = "Xem") -> [Crowd] {
        parts(count).enumerated().filter { $0.element > 0 }.map {
            Crowd(name: "\(name) \($0.offset)", count: $0.element, kind: "viewer", limit: limits[$0.offset])
        }
    }

    static let rooms = LoadCase(
        name: "rooms", crowds: [Crowd(name: "Phòng", count: 6, audio: speech, video: clip)], meetings: 10, visible: 6)

    static let all: [LoadCase] =
        [audio(10), audio(100), audio(500), audio(500, quiet: "hum"), audio(1_000), audio(50, speakers: 50)]
        + [1, 9, 16, 25].flatMap { visible in [10, 41, 100, 300].map { video(visible, $0) } }
        + [videoAll(9, 41), videoAll(9, 100), rooms]
}
