/// In which form an endpoint sends its sound, from what is known of its line; asked once a second. Worse at once, better after some calm.
struct SoundChoice {
    enum Form { case usual, redundant, thin }

    /// Bits a second of the line: below the first sound is thin, above the second no more. Redundancy makes it three times as much, which the third has room for.
    private static let (thinBelow, wideFrom, redundantFrom) = (130_000, 200_000, 300_000)
    /// Loss, 0 … 1, from which each packet carries two earlier ones; and below which no more.
    private static let (lossy, calm) = (0.03, 0.01)
    private static let (looksWithRoom, looksOfCalm) = (5, 10)

    private(set) var form = Form.usual
    private var isThin = false
    private var isLossy = false
    private var roomy = 0
    private var quiet = 0

    /// - Parameters:
    ///   - loss: of what was sent lately, 0 … 1.
    ///   - lineBitsPerSecond: nil where nobody knows, which is no limit.
    mutating func look(loss: Double, lineBitsPerSecond: Int?) {
        let line = lineBitsPerSecond ?? .max
        roomy = line >= Self.wideFrom ? roomy + 1 : 0
        if line < Self.thinBelow { isThin = true } else if roomy >= Self.looksWithRoom { isThin = false }
        quiet = loss < Self.calm ? quiet + 1 : 0
        if loss >= Self.lossy { isLossy = true } else if quiet >= Self.looksOfCalm { isLossy = false }
        form = isThin ? .thin : isLossy && line >= Self.redundantFrom ? .redundant : .usual
    }
}
