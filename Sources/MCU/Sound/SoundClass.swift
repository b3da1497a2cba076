import Audio
import SDP

/// What a receiver takes of the mix (RFC 7587 §6.1, §7), as a row of a short table: the bitrate and the highest sound. Each row is encoded once for all who
/// take it, and only while somebody does, so that what receivers ask for cannot make more encoders than the table has rows. What the line asks for is added to
/// it by `SoundForm`.
struct SoundClass: Equatable, Sendable {
    private static let table: [(bitsPerSecond: Int, bandwidth: OpusEncoder.Bandwidth)] = [
        (48_000, .full), (32_000, .full), (24_000, .superWide), (24_000, .wide), (16_000, .wide), (12_000, .wide), (12_000, .narrow),
        (8_000, .narrow), (6_000, .narrow),
    ]
    /// Rows of the table.
    static let count = 9
    static let full = SoundClass(index: 0)

    /// 0 ..< `count`; the best first.
    let index: Int
    init(index: Int) { self.index = min(max(0, index), Self.count - 1) }

    /// The best row that keeps to what was negotiated; the last one where none does, since Opus has nothing below it.
    init(_ audio: NegotiatedAudio?) {
        let limits = [audio?.maxAverageBitsPerSecond, audio?.stream.maxBitsPerSecond].compactMap { $0 }
        self.init(bitsPerSecond: limits.min() ?? .max, playbackRate: audio?.maxPlaybackRate ?? .max)
    }

    init(bitsPerSecond: Int, playbackRate: Int) {
        let bandwidth: OpusEncoder.Bandwidth =
            playbackRate >= 48_000 ? .full : playbackRate >= 24_000 ? .superWide : playbackRate >= 16_000 ? .wide : .narrow
        let row = (0..<Self.count).first { Self.needs($0) <= bitsPerSecond && Self.table[$0].bandwidth.rawValue <= bandwidth.rawValue }
        self.init(index: row ?? Self.count - 1)
    }

    /// A limit that the row keeps to. The first has no budget, and so more room.
    private static func needs(_ row: Int) -> Int { row == 0 ? table[row].bitsPerSecond * 6 / 5 : table[row].bitsPerSecond }

    var bandwidth: OpusEncoder.Bandwidth { Self.table[index].bandwidth }
    /// What the average must not pass.
    var bitsPerSecond: Int { Self.table[index].bitsPerSecond }
    /// Whether the average is a receiver's wish, and not only what we think good.
    var isLimited: Bool { index > 0 }
}

/// Keeps an encoder's average to its class, whatever the sound: a packet has no more bytes than are left of the last third of a second's.
struct SoundBudget: Sendable {
    private static let ticksPerSecond = 50
    /// Ticks' worth that may be saved up.
    private static let most = 15
    /// Opus says something with so few.
    private static let least = 8
    private let bitsPerTick: Int
    private var bits = 0

    init(_ soundClass: SoundClass) { bitsPerTick = soundClass.bitsPerSecond * 95 / 100 / Self.ticksPerSecond }

    /// Begins a tick.
    /// - Returns: bytes that its packet may have.
    mutating func take() -> Int {
        bits = min(bits + bitsPerTick, Self.most * bitsPerTick)
        return max(Self.least, bits / 8)
    }

    mutating func spend(_ bytes: Int) { bits -= bytes * 8 }
}
