import Base
import Peer
import RTP
import Video

/// Measures the pictures that one endpoint receives; decodes them where that was asked.
struct ReceivedPictures {
    static let freeze = Duration.milliseconds(200)
    private var report = PictureReport()
    private(set) var first: Instant?
    private var last: Instant?
    private let decoder: PictureDecoder?
    private var marks = FlashMarks()

    init(decodes: Bool) { decoder = decodes ? PictureDecoder() : nil }

    mutating func take(_ frame: ReceivedVideo, bytes: Span<UInt8>) {
        report.frames += 1
        report.bytes &+= UInt64(bytes.count)
        decode(bytes, arrival: frame.arrival)
        if frame.isKey { report.keyFrames += 1 }
        if frame.width > 0 { (report.width, report.height) = (frame.width, frame.height) }
        if let last {
            let interval = frame.arrival - last
            report.longestIntervalMilliseconds = max(report.longestIntervalMilliseconds, interval.seconds * 1_000)
            if interval > Self.freeze { report.freezes += 1 }
        }
        first = first ?? frame.arrival
        last = frame.arrival
    }

    private mutating func decode(_ bytes: Span<UInt8>, arrival: Instant) {
        guard let decoder else { return }
        do {
            guard let picture = try decoder.decode(bytes) else { return }
            report.decoded += 1
            marks.take(picture, arrival: arrival)
        } catch {
            report.decodeErrors += 1
        }
    }

    /// The numbers until now. A picture that stopped coming before `now` counts as frozen.
    func summary(now: Instant) -> PictureReport {
        var summary = report
        summary.latencyMilliseconds = Spread(marks.latencies)
        guard let first, let last else { return summary }
        summary.longestIntervalMilliseconds = max(summary.longestIntervalMilliseconds, (now - last).seconds * 1_000)
        if now - last > Self.freeze { summary.freezes += 1 }
        if last > first { summary.framesPerSecond = Double(report.frames - 1) / (last - first).seconds }
        return summary
    }
}
