extension VP8Encoder {
    /// How a stream begins; which one a tier has: docs/decisions/picture-quality.md.
    package struct Manner: Equatable, Sendable {
        /// Of the bit stream, 0 … 3 (RFC 6386, section 9.1): which filter motion of a part of a pixel goes through, and whether there is a loop filter.
        package var version: Int
        /// A macroblock is left as it is while the sum of its 256 squared errors is less; `setUnseenError` changes it.
        package var unseenError: Int
        /// What a key frame may take at the most, in percent of a picture's share of the rate: six, so that it comes soon on a thin line.
        package var largestKeyShare: Int
        /// The coarsest quantizer, 0 … 63.
        package var coarsest: Int
        /// Over which time the rate is held, ms.
        package var holds: Int

        package init(version: Int, unseenError: Int, largestKeyShare: Int = 600, coarsest: Int = 56, holds: Int = 500) {
            self.version = min(max(version, 0), 3)
            self.unseenError = max(unseenError, 0)
            self.largestKeyShare = min(max(largestKeyShare, 100), 1_000)
            self.coarsest = min(max(coarsest, 10), 63)
            self.holds = min(max(holds, 100), 20_000)
        }

        /// Six-tap motion and the loop filter, which softens the edges of blocks; 45 dB of error are left as they are.
        package static let sharp = Manner(version: 0, unseenError: 500)
        /// For a line on which a key frame of six shares would take seconds.
        package static let thin = Manner(version: 0, unseenError: 500, largestKeyShare: 350, coarsest: 60, holds: 1_000)
        /// For pictures so far apart that each is a key frame's worth.
        package static let slides = Manner(version: 0, unseenError: 250, largestKeyShare: 130, coarsest: 63, holds: 6_000)
        /// Bilinear motion and no loop filter: every decoder has all versions, and this one takes a tenth of the encoder's time and a quarter of the decoders'
        /// off, but what moves as a whole falls into blocks.
        package static let light = Manner(version: 2, unseenError: 500)
    }
}
