/// Turns a voice off and on over 10 ms, because a cut is heard as a click. Applied to the voice before it is added, so that its mix without itself stays exact.
package struct MuteRamp: Sendable {
    /// Samples of the way between silent and full.
    static let length = 480
    package var isMuted: Bool
    /// 0 (silent) … `length` (full).
    private var position: Int

    package init(isMuted: Bool = false) {
        self.isMuted = isMuted
        position = isMuted ? 0 : Self.length
    }

    /// Nothing of the voice is heard any more: it need be neither decoded nor added.
    package var isSilent: Bool { isMuted && position == 0 }

    package mutating func apply(to voice: inout MutableSpan<Int16>) {
        if !isMuted, position == Self.length { return }
        for i in voice.indices {
            voice[i] = Int16(truncatingIfNeeded: Int32(voice[i]) &* Int32(truncatingIfNeeded: position) / Int32(Self.length))
            position = isMuted ? max(0, position &- 1) : min(Self.length, position &+ 1)
        }
    }
}
