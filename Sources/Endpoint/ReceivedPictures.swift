import Peer
import RTP

/// Measures the pictures that one endpoint receives, without decoding them.
struct ReceivedPictures {
    static let freeze = Duration.milliseconds(200)
    private var report = PictureReport()
    private var first: Instant?
    private var last: Instant?

    mutating func take(_ frame: ReceivedVideo, bytes: Int) {
        report.frames += 1
        report.bytes &+= UInt64(bytes)
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

    /// The numbers until now. A picture that stopped coming before `now` counts as frozen.
    func summary(now: Instant) -> PictureReport {
        var summary = report
        guard let first, let last else { return summary }
        summary.longestIntervalMilliseconds = max(summary.longestIntervalMilliseconds, (now - last).seconds * 1_000)
        if now - last > Self.freeze { summary.freezes += 1 }
        if last > first { summary.framesPerSecond = Double(report.frames - 1) / (last - first).seconds }
        return summary
    }
}
