extension VP8Encoder {
    /// How a stream begins; which one a tier has: docs/decisions/picture-quality.md.
    package struct Manner: Equatable, Sendable {
        /// Of the bit stream, 0 … 3 (RFC 6386, section 9.1): which filter motion of a part of a pixel goes through, and whether there is a loop filter.
        package var version: Int
        /// A macroblock is left as it is while the sum of its 256 squared errors is less; `setUnseenError` changes it.
        package var unseenError: Int

        package init(version: Int, unseenError: Int) {
            self.version = min(max(version, 0), 3)
            self.unseenError = max(unseenError, 0)
        }

        /// Six-tap motion and the loop filter, which softens the edges of blocks; 45 dB of error are left as they are.
        package static let sharp = Manner(version: 0, unseenError: 500)
        /// Bilinear motion and no loop filter: every decoder has all versions, and this one takes a tenth of the encoder's time and a quarter of the decoders'
        /// off, but what moves as a whole falls into blocks.
        package static let light = Manner(version: 2, unseenError: 500)
    }
}
