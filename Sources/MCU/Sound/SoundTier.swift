/// In which shape the mix goes to a listener, by what its line does. Each is encoded once for all who take it (docs/decisions/sound-tiers.md).
enum SoundTier: Int, CaseIterable, Sendable {
    /// Nothing is lost: no redundancy, the low-delay mode.
    case clean
    /// A few percent are lost: each packet carries its predecessor, coarsely.
    case repairing
    /// A tenth and more is lost: it carries more of it.
    case lossy
    /// Below some 160 kbit/s for everything: 24 kbit/s in packets of 40 ms.
    case thin
    /// The same where packets are lost besides: error correction takes a third of it.
    case thinLossy
    /// Below some 100 kbit/s: 16 kbit/s in packets of 60 ms, which with all headers are 27 kbit/s.
    case thinnest
    /// The same where packets are lost besides: error correction leaves it half the bandwidth of sound, which is worth it from some 4 % loss on.
    case thinnestLossy
}

/// Chooses the tier of one listener, once a second. Worse at once, better after some time in which the line was better: what changes to and fro is heard.
struct SoundTierSelector: Sendable {
    /// Loss, 0 … 1: from there on error correction; and much of it. Much ends below the third.
    private static let some = 0.005
    private static let much = 0.08
    private static let less = 0.05
    /// Looks with less loss before there is less correction; the first calm looks of a session count as much, for a line that never lost anything.
    private static let calm = 10
    private static let firstCalm = 3
    /// Looks with much loss before it counts: one report is of few packets.
    private static let sure = 2
    /// Bits per second of the line, all it carries counted, below which sound becomes thin; and how much more than that ends it, for how many looks.
    private static let thinBelow = 160_000
    private static let thinnestBelow = 100_000
    private static let room = 1.3
    private static let roomy = 5
    /// Loss from which thin sound is worse without error correction, and below which with it; and the thinnest, which has little to give for it.
    private static let ofThin = (some: 0.01, less: 0.005)
    private static let ofThinnest = (some: 0.04, less: 0.02)

    private enum Width: Int { case thinnest, thin, wide }
    private var width = Width.wide
    private var looksWithRoom = 0
    private var loss = SoundTier.repairing
    private var (calmLooks, lossyLooks) = (0, 0)
    private var hasBeenClean = false
    /// Whether thin sound needs error correction.
    private struct Need: Sendable {
        /// Looks in a row with loss above the one bound, or below the other.
        private var (losing, notLosing) = (0, 0)
        private(set) var isLossy = false

        mutating func follow(_ loss: Double, _ bounds: (some: Double, less: Double)) {
            losing = loss >= bounds.some ? losing + 1 : 0
            notLosing = loss < bounds.less ? notLosing + 1 : 0
            if losing >= sure { isLossy = true }
            if notLosing >= calm { isLossy = false }
        }
    }
    private var (thin, thinnest) = (Need(), Need())

    /// As it begins: corrected, until the line is known.
    private(set) var tier = SoundTier.repairing

    /// - Parameters:
    ///   - loss: of what was sent to the listener lately, 0 … 1; nil before the first report.
    ///   - lineBitsPerSecond: what the line is thought to carry; nil where nobody knows, which is no limit.
    mutating func look(loss: Double?, lineBitsPerSecond: Int?) {
        follow(loss)
        follow(line: lineBitsPerSecond ?? .max)
        thin.follow(loss ?? 0, Self.ofThin)
        thinnest.follow(loss ?? 0, Self.ofThinnest)
        tier =
            switch width {
            case .wide: self.loss
            case .thin: thin.isLossy ? .thinLossy : .thin
            case .thinnest: thinnest.isLossy ? .thinnestLossy : .thinnest
            }
    }

    private mutating func follow(_ now: Double?) {
        guard let now, now <= Self.some else {
            calmLooks = loss == .lossy && (now ?? 1) < Self.less ? calmLooks + 1 : 0
            lossyLooks = (now ?? 0) >= Self.much ? lossyLooks + 1 : 0
            if loss == .clean { loss = .repairing }
            if lossyLooks >= Self.sure { loss = .lossy }
            if loss == .lossy, calmLooks >= Self.calm { (loss, calmLooks) = (.repairing, 0) }
            return
        }
        lossyLooks = 0
        calmLooks += 1
        guard calmLooks >= (hasBeenClean || loss == .lossy ? Self.calm : Self.firstCalm) else { return }
        if loss == .lossy {
            (loss, calmLooks) = (.repairing, 0)
        } else {
            (loss, hasBeenClean) = (.clean, true)
        }
    }

    private mutating func follow(line: Int) {
        let fits: Width = line < Self.thinnestBelow ? .thinnest : line < Self.thinBelow ? .thin : .wide
        if fits.rawValue < width.rawValue {
            (width, looksWithRoom) = (fits, 0)
            return
        }
        let needed = Double(width == .thinnest ? Self.thinnestBelow : Self.thinBelow) * Self.room
        guard width != .wide, Double(line) >= needed else { return looksWithRoom = 0 }
        looksWithRoom += 1
        guard looksWithRoom >= Self.roomy else { return }
        (width, looksWithRoom) = (width == .thinnest && Double(line) < Double(Self.thinBelow) * Self.room ? .thin : .wide, 0)
    }
}
