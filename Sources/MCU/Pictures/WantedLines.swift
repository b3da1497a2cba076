import Base
import RTP

/// How many lines a sender's picture should have: those of the largest tile that shows it, and not more. What is above that costs its line and the decoder, and no
/// tile shows it. More lines are asked for at once; fewer only after a while, so that a layout that changes back and forth does not make a sender start anew.
/// Where the machine is short, fewer are asked for at once (`FramePace.thrift`).
struct WantedLines: Sendable {
    /// A sender is asked for one of these: two tiles that hardly differ are one wish.
    static let rungs = [108, 144, 180, 240, 360, 540, 720]
    static let patience = Duration.seconds(2)

    /// What was told last; nil before the first.
    private(set) var told: Int?
    private var thrift = 0
    private var fewerSince: Instant?

    /// The smallest rung that fills a tile, `thrift` rungs lower where the machine is short.
    static func rung(for tile: Int, thrift: Int) -> Int {
        let index = rungs.firstIndex { $0 >= tile } ?? rungs.count - 1
        return rungs[max(0, index - thrift)]
    }

    /// To be asked on each beat on which a tile shows the picture.
    /// - Parameter tile: lines of the largest tile that shows it.
    /// - Parameter thrift: how many rungs below that, since the machine is short.
    /// - Returns: what to tell the sender, where it has changed.
    mutating func follow(tile: Int, thrift: Int, now: Instant) -> Int? {
        let wanted = Self.rung(for: tile, thrift: thrift)
        guard let told, wanted != told else {
            fewerSince = nil
            self.thrift = thrift
            return told == nil ? tell(wanted) : nil
        }
        if wanted > told || thrift > self.thrift {
            self.thrift = thrift
            return tell(wanted)
        }
        let since = fewerSince ?? now
        fewerSince = since
        return now - since >= Self.patience ? tell(wanted) : nil
    }

    private mutating func tell(_ lines: Int) -> Int {
        told = lines
        fewerSince = nil
        return lines
    }
}
