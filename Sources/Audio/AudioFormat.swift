/// The one form of sound inside the house: 48 kHz, mono, 16 bits, handled in ticks of 20 ms.
package enum AudioFormat {
    package static let sampleRate = 48_000
    /// Samples of one tick, 20 ms.
    package static let samplesPerTick = 960
    /// The longest packet that Opus allows, 120 ms (RFC 6716 §3.2.5).
    package static let mostSamplesPerPacket = 5_760
    /// Room that suffices for one encoded frame (RFC 6716 §3.2.1: 1 275 bytes and the TOC byte).
    package static let mostBytesPerFrame = 1_276
}
