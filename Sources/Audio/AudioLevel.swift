import Foundation

/// How loud sound is, in dBov: decibels below the overload point, as RFC 6464 sends it and RFC 6465 appendix A computes it.
package enum AudioLevel {
    /// The level of silence.
    package static let silence = -127

    /// The root mean square of `pcm`, −127 … 0 dBov.
    package static func decibels(of pcm: Span<Int16>) -> Int {
        guard pcm.count > 0 else { return silence }
        let meanSquare = Double(energy(of: pcm)) / Double(pcm.count)
        guard meanSquare > 0 else { return silence }
        let decibels = 10 * log10(meanSquare / (32_767.0 * 32_767.0))
        return Int(max(-127, min(0, decibels.rounded())))
    }

    /// The value of the header extension, 0 … 127 below overload, as −127 … 0 dBov.
    package static func decibels(extensionValue: UInt8) -> Int { -Int(extensionValue & 0x7f) }

    /// What the header extension carries for a level: 0 … 127 (the voice activity bit is not set).
    package static func extensionValue(decibels: Int) -> UInt8 { UInt8(clamping: min(127, max(0, -decibels))) }

    private static func energy(of pcm: Span<Int16>) -> Int64 {
        var energy: Int64 = 0
        for i in pcm.indices { energy &+= Int64(Int32(pcm[i]) &* Int32(pcm[i])) }
        return energy
    }
}
