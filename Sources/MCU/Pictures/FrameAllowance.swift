import Base
import RTP

/// What one sender may have decoded of one picture, whatever it sends: frames, bytes and key frames over a second. Who sends more is cut off up to a key
/// frame that comes when there is room again; who goes on for `patience` is shown by its name card until it has kept to it for a while.
struct FrameAllowance: Sendable {
    static let framesPerSecond = 60.0
    static let keyFramesPerSecond = 2.0
    /// Smaller ones are like any other frame: it is the large ones that cost.
    static let smallKeyFrame = 4_096
    /// How long a sender goes on before its name card is shown.
    static let patience = Duration.seconds(10)
    /// Without excess for so long, it is over.
    static let recovery = Duration.seconds(3)
    /// Between two requests to send less.
    private static let requestInterval = Duration.seconds(1)

    /// `awaitsKey`: dropped, since what it builds on was too much; there is room for a key frame.
    enum Verdict { case passes, isTooMuch, awaitsKey }

    /// Twice what the sender was told that it may send.
    private let bytesPerSecond: Double
    // Tokens; each fills up within a second.
    private var frames = FrameAllowance.framesPerSecond
    private var keyFrames = FrameAllowance.keyFramesPerSecond + 1
    private var bytes: Double
    private var last: Instant?
    /// Everything up to the next key frame is dropped.
    private(set) var isCut = false
    /// Of the present excess: when it began, and when it was seen last.
    private var excess: (since: Instant, last: Instant)?
    private var lastRequest: Instant?

    /// - Parameter receiveCap: what the sender was told that it may send, bit/s.
    init(receiveCap: Int) {
        bytesPerSecond = Double(receiveCap) * 2 / 8
        bytes = bytesPerSecond
    }

    /// A frame arrives.
    mutating func admit(isKey: Bool, bytes size: Int, now: Instant) -> Verdict {
        refill(now)
        let isLargeKey = isKey && size >= Self.smallKeyFrame
        let fits = frames >= 1 && bytes > 0 && (!isLargeKey || keyFrames >= 1)
        // Frames are counted though they are dropped: a flood gets nothing through while it lasts.
        frames = max(-Self.framesPerSecond / 6, frames - 1)
        guard fits else {
            excess = (excess?.since ?? now, now)
            isCut = true
            return .isTooMuch
        }
        if isCut, !isKey { return .awaitsKey }
        isCut = false
        bytes = max(-2 * bytesPerSecond, bytes - Double(size))
        if isLargeKey { keyFrames -= 1 }
        return .passes
    }

    private mutating func refill(_ now: Instant) {
        let passed = max(0, (now - (last ?? now)).seconds)
        last = max(last ?? now, now)
        frames = min(Self.framesPerSecond, frames + passed * Self.framesPerSecond)
        keyFrames = min(Self.keyFramesPerSecond + 1, keyFrames + passed * Self.keyFramesPerSecond)
        bytes = min(bytesPerSecond, bytes + passed * bytesPerSecond)
        if let excess, now - excess.last > Self.recovery { self.excess = nil }
    }

    /// Whether the sender has gone on for so long that its picture is not shown.
    func isShutOut(_ now: Instant) -> Bool {
        guard let excess, now - excess.last <= Self.recovery else { return false }
        return excess.last - excess.since >= Self.patience
    }

    /// Whether the sender is to be told now to send less.
    mutating func takeRequest(now: Instant) -> Bool {
        guard let excess, excess.last == now, now >= (lastRequest.map { $0 + Self.requestInterval } ?? now) else { return false }
        lastRequest = now
        return true
    }
}

/// The time that one sender's frames may take of the codec threads: a fifth, which is 8 ms of a beat of 40. What is over waits for a later beat.
struct DecodeBudget: Sendable {
    static let most = Duration.milliseconds(8)
    private static let share: Int64 = 5
    /// A frame that took longer than this many nanoseconds is paid for no longer.
    private static let longestDebt = Duration.milliseconds(200)
    private var credit = DecodeBudget.most
    private var last: Instant?
    /// What a frame took lately.
    private(set) var usual = Duration.zero

    mutating func begin(now: Instant) {
        credit = min(Self.most, credit + .nanoseconds(max(0, (now - (last ?? now)).nanoseconds) / Self.share))
        last = max(last ?? now, now)
    }

    /// Whether one more frame may be begun: at least one where nothing is owed, further ones where they fit in as far as is known.
    func allows(isFirst: Bool) -> Bool { isFirst ? credit > .zero : credit > usual }

    /// Whether, after one more frame, there is time for yet another.
    var allowsTwo: Bool { credit > usual + usual }

    mutating func spend(_ time: Duration) {
        usual = usual == .zero ? time : usual * 3 / 4 + time / 4
        credit = max(.zero - Self.longestDebt, credit - time)
    }
}
