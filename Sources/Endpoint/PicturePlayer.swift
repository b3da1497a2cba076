import Base
import RTP

/// Which frame of a loop is due, for one endpoint; sans-IO. A request for a key frame restarts the loop at its beginning, which is one. After a frame that was
/// not sent comes a key frame before any other.
struct PicturePlayer {
    struct Due: Equatable {
        /// In the loop.
        var frame: Int
        /// RTP, 90 kHz.
        var timestamp: UInt32
        /// When it was due, the moment that it stands for.
        var captured: Instant
    }

    /// Key frames are answered at most so often, however many are asked for.
    static let keyFrameInterval = Duration.milliseconds(500)
    private var pictures: EncodedPictures
    private let start: Instant
    private var next = 0
    private var sent: Int64 = 0
    private var lastRestart: Instant?
    private var wantsRestart = false
    /// What comes next in the loop builds on a frame that was not sent.
    private var isBroken = false

    /// - Parameter start: the first frame is due then; with marks it is moved to the next whole second.
    init(_ pictures: EncodedPictures, start: Instant) {
        self.pictures = pictures
        self.start = pictures.isAligned ? Instant(nanoseconds: (start.nanoseconds / 1_000_000_000 + 1) * 1_000_000_000) : start
    }

    /// When to ask again.
    var deadline: Instant { start + .nanoseconds(sent * pictures.interval.nanoseconds) }

    /// The same loop in another size: it goes on with a key frame.
    mutating func change(to pictures: EncodedPictures) {
        self.pictures = pictures
        wantsRestart = true
    }

    /// PLI or FIR: the next frame is a key frame, unless one was just sent for that.
    mutating func restart(now: Instant) {
        if let lastRestart, now - lastRestart < Self.keyFrameInterval { return }
        lastRestart = now
        wantsRestart = true
    }

    /// The frame that was taken last did not leave.
    mutating func refused() { isBroken = true }

    /// After a time in which nothing was sent: goes on at `now` with a key frame.
    mutating func resume(now: Instant) {
        skip(max(0, (now - deadline).nanoseconds / pictures.interval.nanoseconds))
        isBroken = false
    }

    private mutating func skip(_ frames: Int64) {
        (sent, wantsRestart) = (sent + frames, true)
        if pictures.isAligned { next = Int(sent % Int64(pictures.count)) }
    }

    /// - Returns: nil where none is due. Asked until `deadline` has moved past `now`.
    mutating func take(now: Instant) -> Due? {
        let late = (now - deadline).nanoseconds / pictures.interval.nanoseconds
        // A frame cannot be left out of a prediction chain: what is late goes out at once, what is very late begins anew.
        if late > 10 { skip(late) }
        guard now >= deadline else { return nil }
        // Marks are all key frames, and their beat must not shift.
        if wantsRestart, !pictures.isAligned { next = 0 }
        wantsRestart = false
        defer {
            sent += 1
            next = (next + 1) % pictures.count
        }
        if isBroken, !pictures.isKey(next) {
            restart(now: now)
            return nil
        }
        isBroken = false
        let due = Due(
            frame: next, timestamp: UInt32(truncatingIfNeeded: sent * pictures.interval.nanoseconds / 1_000 * 90 / 1_000),
            captured: deadline)
        return due
    }
}
